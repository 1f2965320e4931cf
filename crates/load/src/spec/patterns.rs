//! Built-in load patterns for the gateway: scenario files compiled into the binary.

use std::path::Path;

use crate::spec::scenario::Scenario;

/// A built-in pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its scenario file, which can serve as a template.
    pub text: &'static str,
}

macro_rules! pattern {
    ($name:literal) => {
        Pattern { name: $name, text: include_str!(concat!("../../patterns/", $name, ".yaml")) }
    };
}

/// Every pattern: healthy traffic in several shapes, storms that trip alerts, and simulated clients.
pub const ALL: [Pattern; 16] = [
    pattern!("steady"),
    pattern!("ramp"),
    pattern!("spike"),
    pattern!("burst"),
    pattern!("wave"),
    pattern!("soak"),
    pattern!("error-storm"),
    pattern!("slow-storm"),
    pattern!("rate-limit-storm"),
    pattern!("crud"),
    pattern!("orders"),
    pattern!("devices"),
    pattern!("devices-stall"),
    pattern!("devices-corrupt"),
    pattern!("devices-abnormal"),
    pattern!("inference"),
];

impl Pattern {
    /// Finds a pattern by name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|pattern| pattern.name == name)
    }

    /// Its stages and requests.
    #[must_use]
    pub fn scenario(self) -> Scenario {
        Scenario::parse(Path::new(self.name), self.text).expect("the built-in patterns are valid")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_pattern_parses_and_describes_what_it_trips() {
        let names: BTreeSet<&str> = ALL.iter().map(|pattern| pattern.name).collect();
        assert_eq!(names.len(), ALL.len());
        for pattern in ALL {
            let scenario = pattern.scenario();
            assert_eq!(scenario.name, pattern.name);
            assert!(!scenario.summary.is_empty() && !scenario.trips.is_empty(), "{}", pattern.name);
            assert!(scenario.schedule.total().is_some_and(|total| total > 100), "{}", pattern.name);
        }
    }

    #[test]
    fn error_storm_lies_between_the_two_thresholds() {
        let Scenario { requests, schedule, .. } = Pattern::named("error-storm").unwrap().scenario();
        let weight = |errors: bool| -> f64 {
            requests.iter().filter(|r| r.expect.matches(500) == errors).map(|r| f64::from(r.weight)).sum()
        };
        let share = weight(true) / (weight(true) + weight(false));
        assert!((share - 0.08).abs() < 1e-12, "{share}");
        // In the worst case the window is full of healthy traffic: pending after 5m · 0.05/0.08, firing 2m later.
        let fires = 300.0 * 0.05 / share + 120.0;
        assert!(schedule.duration().unwrap().as_secs_f64() > fires + 60.0, "{fires} s");
    }

    #[test]
    fn only_rate_limit_storm_exceeds_the_quota() {
        for pattern in ALL {
            let schedule = pattern.scenario().schedule;
            let peak = schedule.peak();
            if pattern.name == "rate-limit-storm" {
                assert!(peak > 2.0 * 100.0);
                continue;
            }
            assert!(peak < 100.0, "{}: {peak}", pattern.name);
            // Simulates a token bucket of 200 that refills at 100/s.
            let mut level = 200.0_f64;
            let end = schedule.duration().unwrap().as_secs_f64() * 10.0;
            for tenth in 1..=end as u32 {
                let [from, to] = [tenth - 1, tenth].map(|tenth| schedule.count_by(f64::from(tenth) / 10.0));
                level = (level + 10.0).min(200.0) - (to - from);
                assert!(level >= 0.0, "{} after {} s", pattern.name, f64::from(tenth) / 10.0);
            }
        }
    }
}
