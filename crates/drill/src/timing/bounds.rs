//! Upper bounds of the phases, computed from the running configuration.
//!
//! | phase | at most |
//! | --- | --- |
//! | cause → pending | W·θ/share where the drill states its share, else W, + S + R + E + Q, + the time the cause's commands took |
//! | pending → firing | ⌈F/E⌉·E |
//! | firing → notified | GW (new group) or max(GI, P + D) (existing group), + P + D |
//! | lifted → resolved | W + S + R + E + Q + ⌈K/E⌉·E |
//! | resolved → all-clear | max(GI, P + D) + P + D |
//!
//! W, R and Q are those of the slowest path from a scraped series through other rules ([`crate::rule::graph`]).

use std::time::Duration;

use serde::Serialize;

use crate::timing::path::Path;

/// D: the longest a notification may take from Alertmanager's decision until the receiver has read all of it, on top of
/// the wait its route prescribes. It is a constant, since no configuration states it, and does not scale with time.
pub const DELIVERY: Duration = Duration::from_secs(2);

/// The configuration from which the bounds are computed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Inputs {
    /// S, the longest scrape interval of the targets the rule reads.
    pub scrape: Duration,
    /// E, the evaluation interval of the rule's group.
    pub evaluation: Duration,
    /// W and R of the path on which the alert starts last.
    pub rising: Path,
    /// W and R of the path on which the alert ends last.
    pub falling: Path,
    /// F, `for`.
    pub hold: Duration,
    /// K, `keep_firing_for`.
    pub keep_firing: Duration,
    /// θ/share, in (0, 1]; `None` where the drill states no share.
    pub rise: Option<f64>,
    /// How long the cause's commands took: a service counts as stopped when the command to stop it has returned.
    pub ordered: Duration,
    /// `query_offset` of the rule's group; Q is this, or that of the group it reads where that is longer.
    pub query_offset: Duration,
    /// How much earlier than the event the timestamp of a sample may be.
    pub stamped_early: Duration,
    /// P, the longest wait of an Alertmanager for those before it in its cluster: (members - 1)·`--cluster.peer-timeout`.
    pub peer_wait: Duration,
    /// GW of the route.
    pub group_wait: Duration,
    /// GI of the route.
    pub group_interval: Duration,
    /// Whether Alertmanager had the alert's group before the alert fired.
    pub group_exists: bool,
}

/// The longest each phase may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// Cause → pending.
    pub pending: Duration,
    /// Pending → firing.
    pub firing: Duration,
    /// Firing → notified.
    pub notified: Duration,
    /// Cause lifted → resolved.
    pub resolved: Duration,
    /// Resolved → all-clear.
    pub all_clear: Duration,
}

/// θ/share for [`Inputs::rise`]: the part of W that the cause must fill before the threshold is crossed. A share that
/// does not exceed the threshold must fill all of it (and will most likely not trigger the alert).
#[must_use]
pub fn rise(threshold: f64, share: f64) -> f64 {
    (threshold / share).clamp(0.0, 1.0)
}

/// How long the baseline must last before the cause for W·θ/share to hold. When the threshold is crossed, the window
/// reaches back to W·(1 − θ/share) before the cause, and heavier traffic there, such as that of another drill, would
/// dilute the share. Zero where no share is stated.
#[must_use]
pub fn baseline(inputs: &Inputs) -> Duration {
    inputs.rise.map_or(Duration::ZERO, |rise| inputs.rising.lookback.mul_f64(1.0 - rise))
}

/// Computes the table above.
#[must_use]
pub fn compute(inputs: &Inputs) -> Bounds {
    let (up, down) = (inputs.rising, inputs.falling);
    let around = |path: &Path| inputs.scrape + inputs.evaluation + path.behind.max(inputs.query_offset);
    // A group's notification lasts until it is sent; what changes meanwhile is in the next one.
    let sent = inputs.peer_wait + DELIVERY;
    let next = inputs.group_interval.max(sent);
    let wait = if inputs.group_exists { next } else { inputs.group_wait };
    Bounds {
        pending: filled(&up, inputs.rise) + up.rise + around(&up) + inputs.ordered,
        firing: whole_evaluations(inputs.hold, inputs.evaluation) + inputs.stamped_early,
        notified: wait + sent + inputs.stamped_early,
        resolved: down.lookback
            + down.fall
            + around(&down)
            + whole_evaluations(inputs.keep_firing, inputs.evaluation),
        all_clear: next + sent + inputs.stamped_early,
    }
}

/// The part of W that the cause must fill.
#[must_use]
pub fn filled(path: &Path, rise: Option<f64>) -> Duration {
    rise.map_or(path.lookback, |rise| path.lookback.mul_f64(rise))
}

/// ⌈time/E⌉·E: the state of a rule changes only at evaluations.
#[must_use]
pub fn whole_evaluations(time: Duration, evaluation: Duration) -> Duration {
    if evaluation.is_zero() {
        return time; // Rule groups have no interval of zero; zero means there is nothing to round to.
    }
    let count = time.as_nanos().div_ceil(evaluation.as_nanos());
    evaluation.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

/// How long a phase is waited for, to tell LATE from MISSED: 1.5 times the bound plus ten seconds.
#[must_use]
pub fn patience(bound: Duration) -> Duration {
    bound.mul_f64(1.5) + Duration::from_secs(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn wide(seconds: u64) -> Path {
        Path { lookback: s(seconds), ..Path::default() }
    }

    fn production() -> Inputs {
        Inputs {
            scrape: s(15),
            evaluation: s(15),
            rising: wide(300),
            falling: wide(300),
            hold: s(120),
            keep_firing: Duration::ZERO,
            rise: None,
            ordered: Duration::ZERO,
            query_offset: Duration::ZERO,
            stamped_early: Duration::ZERO,
            peer_wait: Duration::ZERO,
            group_wait: s(30),
            group_interval: s(300),
            group_exists: false,
        }
    }

    #[test]
    fn computes_the_table() {
        let plain = production();
        let cases = [
            ("no share", plain, [330, 120, 32, 330, 302]),
            ("5 % of 8 %", Inputs { rise: Some(rise(0.05, 0.08)), ..plain }, [217, 120, 32, 330, 302]),
            (
                "a share below the threshold",
                Inputs { rise: Some(rise(0.05, 0.03)), ..plain },
                [330, 120, 32, 330, 302],
            ),
            ("existing group", Inputs { group_exists: true, ..plain }, [330, 120, 302, 330, 302]),
            ("for: 0", Inputs { hold: s(0), ..plain }, [330, 0, 32, 330, 302]),
            ("for: 1s rounds up", Inputs { hold: s(1), ..plain }, [330, 15, 32, 330, 302]),
            ("for: 16s rounds up", Inputs { hold: s(16), ..plain }, [330, 30, 32, 330, 302]),
            (
                "recorded by a group with a 30 s interval, read through an alert",
                Inputs {
                    rising: Path { rise: s(90), ..wide(60) },
                    falling: Path { fall: s(30), ..wide(300) },
                    rise: Some(0.5),
                    ..plain
                },
                [150, 120, 32, 360, 302],
            ),
            ("evaluated 20 s in the past", Inputs { query_offset: s(20), ..plain }, [350, 120, 32, 350, 302]),
            (
                "recorded by a group that is further behind",
                Inputs {
                    query_offset: s(20),
                    rising: Path { behind: s(50), ..wide(300) },
                    falling: Path { behind: s(50), ..wide(300) },
                    ..plain
                },
                [380, 120, 32, 380, 302],
            ),
            (
                "timestamps up to 16 s early",
                Inputs { stamped_early: s(16), ..plain },
                [330, 136, 48, 330, 318],
            ),
            ("three Alertmanagers", Inputs { peer_wait: s(30), ..plain }, [330, 120, 62, 330, 332]),
            (
                "a wait longer than the interval, existing group",
                Inputs { peer_wait: s(400), group_exists: true, ..plain },
                [330, 120, 804, 330, 804],
            ),
            ("keep firing", Inputs { keep_firing: s(50), ..plain }, [330, 120, 32, 390, 302]),
            (
                "a slow stop",
                Inputs { rising: wide(0), falling: wide(0), ordered: s(11), ..plain },
                [41, 120, 32, 30, 302],
            ),
            ("no range", Inputs { rising: wide(0), falling: wide(0), ..plain }, [30, 120, 32, 30, 302]),
        ];
        for (name, inputs, expected) in cases {
            let bounds = compute(&inputs);
            let seconds = [bounds.pending, bounds.firing, bounds.notified, bounds.resolved, bounds.all_clear]
                .map(|bound| bound.as_secs());
            assert_eq!(seconds, expected, "{name}");
        }
        let share = compute(&Inputs { rise: Some(rise(0.05, 0.08)), ..plain });
        assert_eq!(share.pending, Duration::from_millis(217_500));
    }

    #[test]
    fn baseline_fills_the_rest_of_the_window() {
        let of = |share| baseline(&Inputs { rise: Some(rise(0.05, share)), ..production() });
        assert_eq!(baseline(&production()), Duration::ZERO);
        assert_eq!(of(0.08), Duration::from_millis(112_500));
        assert_eq!(of(0.5), s(270));
        assert_eq!(of(0.03), Duration::ZERO, "a share below the threshold fills all of it");
    }

    #[test]
    fn patience_exceeds_the_bound() {
        assert_eq!(patience(s(0)), s(10));
        assert_eq!(patience(s(20)), s(40));
    }

    proptest! {
        #[test]
        fn firing_is_the_smallest_whole_number_of_evaluations_that_covers_for(hold in 0u64..100_000, every in 1u64..60_000) {
            let rounded = whole_evaluations(Duration::from_millis(hold), Duration::from_millis(every));
            let (rounded, every_ms) = (rounded.as_millis() as u64, every);
            prop_assert_eq!(rounded % every_ms, 0);
            prop_assert!(rounded >= hold && rounded < hold + every_ms);
        }

        #[test]
        fn a_larger_share_never_lengthens_pending(theta in 0.001f64..1.0, small in 0.001f64..1.0, more in 0.0f64..1.0) {
            let at = |share| compute(&Inputs { rise: Some(rise(theta, share)), ..production() }).pending;
            prop_assert!(at(small + more) <= at(small));
            prop_assert!(at(small) <= compute(&production()).pending);
        }
    }
}
