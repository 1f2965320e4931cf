//! The `query_offset` of a rule's group, derived from its samples. Samples have the timestamp at which the rules were
//! evaluated, which is that far in the past, whereas `activeAt` and `lastEvaluation` are the actual time.

use std::time::Duration;

use jiff::Timestamp;

use crate::evidence::activation::Activation;
use crate::timing::clock;
use clients::prometheus::{ActiveAlert, Labels};

/// Maximum delay of a rule's evaluation, when an offset is derived from a single sample.
const PUNCTUAL: f64 = 0.5;

/// The offset of an active alert, derived from the activations in the samples and the rule's last evaluation. `None`
/// until the evaluation after the one in which the alert went pending, because only then the first sample has certainly
/// been read.
#[must_use]
pub fn of_alert(
    activations: &[Activation],
    active: &[ActiveAlert],
    evaluated: Timestamp,
    evaluation: Duration,
) -> Option<Duration> {
    let settled =
        |alert: &&ActiveAlert| clock::seconds(alert.active_at, evaluated) > evaluation.as_secs_f64() / 2.0;
    let began = |labels: &Labels| {
        let own = activations.iter().filter(|activation| activation.labels == *labels);
        own.map(|activation| activation.began).max()
    };
    active.iter().filter(settled).find_map(|alert| {
        let behind = alert.active_at.duration_since(began(&alert.labels)?);
        // Samples have whole milliseconds.
        u64::try_from(behind.as_millis()).ok().map(Duration::from_millis)
    })
}

/// The offset derived from the newest sample of a recording rule, the group's last evaluation, and the offset it has
/// unless it sets its own.
#[must_use]
pub fn of_recording(newest: Timestamp, evaluated: Timestamp, usual: Duration) -> Duration {
    let behind = clock::seconds(newest, evaluated).max(0.0);
    let late = behind - usual.as_secs_f64();
    if (0.0..PUNCTUAL).contains(&late) { usual } else { Duration::from_secs_f64(behind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    #[test]
    fn an_alert_shows_the_offset_once_it_was_evaluated_again() {
        let labels = |name: &str| Labels::from([("alertname".to_owned(), name.to_owned())]);
        let one =
            |name, began| Activation { labels: labels(name), began: at(began), fired: None, last: at(began) };
        let active = |name, at_ms| ActiveAlert {
            labels: labels(name),
            state: "pending".into(),
            active_at: clock::after(at(at_ms), Duration::from_micros(515)),
            value: 1.0,
        };
        let of = |activations: &[Activation], evaluated| {
            of_alert(activations, &[active("A", 20_000)], at(evaluated), Duration::from_secs(2))
        };
        assert_eq!(of(&[one("A", 13_000)], 20_001), None, "its first evaluation");
        assert_eq!(of(&[one("A", 13_000)], 22_001), Some(Duration::from_secs(7)));
        assert_eq!(of(&[one("A", 20_000)], 22_001), Some(Duration::ZERO));
        assert_eq!(of(&[one("A", 2_000), one("A", 20_000)], 22_001), Some(Duration::ZERO));
        assert_eq!(of(&[one("B", 13_000)], 22_001), None);
        assert_eq!(of(&[one("A", 22_000)], 22_001), None, "the first samples are missing");
    }

    #[test]
    fn a_recording_rule_shows_the_offset_of_its_group() {
        let usual = Duration::from_secs(3);
        for (behind, expected) in
            [(3_000, 3_000), (3_400, 3_000), (7_003, 7_003), (5, 5), (2_999, 2_999), (-400, 0)]
        {
            let found = of_recording(at(50_000 - behind), at(50_000), usual);
            assert_eq!(found.as_millis(), expected, "{behind}");
        }
    }
}
