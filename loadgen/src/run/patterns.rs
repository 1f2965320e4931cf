//! Built-in patterns of load against the gateway, each with what it is for.

use std::time::Duration;

use super::request::Method;
use super::spec::{LoadSpec, RequestSpec};
use crate::rate::Rate;

/// The patterns by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Pattern {
    /// Healthy traffic: 50/s for 30s; trips nothing
    Steady,
    /// 8 % of requests answered 500, as asked: 40/s for 7m; trips HighErrorRate
    ErrorStorm,
    /// One client far over its quota: 300/s for 2m; trips RateLimitHits
    RateLimitStorm,
}

impl Pattern {
    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::ErrorStorm => "error-storm",
            Self::RateLimitStorm => "rate-limit-storm",
        }
    }

    /// What it will trip, told before it starts.
    #[must_use]
    pub fn trips(self) -> &'static str {
        match self {
            Self::Steady => "healthy traffic, within the default quota: no alert should fire",
            Self::ErrorStorm => {
                "8 % of answers are 500, over the 5 % of HighErrorRate: it goes pending as its 5m window \
                 fills and fires 2m later; CriticalErrorRate (10 %) stays silent"
            }
            Self::RateLimitStorm => {
                "one client at three times its quota of 100/s: most answers are 429 once the burst of \
                 200 is used up, and RateLimitHits fires"
            }
        }
    }

    /// How long it lasts unless `-z` says otherwise.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Steady => 30,
            // Healthy traffic in the window delays pending by up to 5m · 5/8 and firing by 2m more.
            Self::ErrorStorm => 7 * 60,
            Self::RateLimitStorm => 2 * 60,
        })
    }

    /// Its rate and requests.
    #[must_use]
    pub fn load(self) -> LoadSpec {
        let users = || RequestSpec::new(Method::Get, "/api/users");
        let (rate, requests) = match self {
            Self::Steady => (
                50.0,
                vec![
                    users().weight(80),
                    RequestSpec::new(Method::Get, "/health").weight(10),
                    RequestSpec::new(Method::Get, "/").weight(10),
                ],
            ),
            Self::ErrorStorm => (
                40.0,
                vec![
                    users().weight(92),
                    RequestSpec::new(Method::Get, "/api/error").weight(8).expecting(&[500]),
                ],
            ),
            Self::RateLimitStorm => (300.0, vec![users().expecting(&[200, 429])]),
        };
        LoadSpec { rate: Rate::new(rate).expect("the rates above are positive"), requests }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_storm_lies_between_the_two_thresholds() {
        let load = Pattern::ErrorStorm.load();
        let share = load.share(|request| request.expect.matches(500));
        assert!((share - 0.08).abs() < 1e-12, "{share}");
        // Worst case, a window full of healthy traffic: pending after 5m · 0.05/0.08, firing 2m later.
        let fires = 300.0 * 0.05 / share + 120.0;
        assert!(Pattern::ErrorStorm.duration().as_secs_f64() > fires + 60.0, "{fires} s");
    }

    #[test]
    fn the_rate_limit_storm_is_over_the_quota_and_steady_is_not() {
        assert!(Pattern::RateLimitStorm.load().rate.per_second() > 2.0 * 100.0);
        assert!(Pattern::Steady.load().rate.per_second() < 100.0);
    }

    #[test]
    fn every_pattern_is_sendable() {
        for pattern in [Pattern::Steady, Pattern::ErrorStorm, Pattern::RateLimitStorm] {
            for request in pattern.load().requests {
                assert_eq!(request.check(), Ok(()), "{}", pattern.name());
            }
        }
    }
}
