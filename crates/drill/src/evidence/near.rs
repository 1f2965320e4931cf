//! How near a negative control came to the thresholds it names: traffic far below them proves nothing.

use crate::error::DrillError;
use std::time::Duration;

use serde::Serialize;

use crate::timing::clock::{number, readable};

/// The part of the threshold a value must reach to count as just under it. For a rule that fires above three events, two
/// events are the most that `increase` with its extrapolation shows below the threshold.
pub const JUST_UNDER: f64 = 0.65;

/// How near a rule's value came to its threshold while the cause lasted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Near {
    /// Name of the alert.
    pub alert: String,
    /// The value nearest to the threshold; `None` when the rule had no value.
    pub value: Option<f64>,
    /// The comparison operator, such as `>`.
    pub operator: String,
    /// The threshold.
    pub threshold: f64,
}

impl Near {
    /// The value as a part of the threshold; 1 at the threshold.
    #[must_use]
    pub fn part(&self) -> f64 {
        let Some(value) = self.value else { return 0.0 };
        if self.operator.starts_with('<') {
            if value <= 0.0 { 1.0 } else { self.threshold / value }
        } else {
            value / self.threshold
        }
    }
}

impl std::fmt::Display for Near {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.value {
            Some(value) => write!(f, "{} {} of {}", self.alert, number(value), number(self.threshold)),
            None => write!(f, "{} has no value", self.alert),
        }
    }
}

/// The reason of a control in which nothing fired.
///
/// # Errors
/// Values that stayed too far from their thresholds for the control to prove anything.
pub fn judge(near: &[Near], quiet: Duration) -> Result<String, DrillError> {
    let listed =
        |near: &mut dyn Iterator<Item = &Near>| near.map(Near::to_string).collect::<Vec<_>>().join(", ");
    let far = listed(&mut near.iter().filter(|near| near.part() < JUST_UNDER));
    if !far.is_empty() {
        return Err(DrillError::Rule(format!(
            "nothing fired, but the traffic was too far below the thresholds: {far}; expected at least {:.0} % of each",
            JUST_UNDER * 100.0
        )));
    }
    let reached = listed(&mut near.iter());
    let reached = if reached.is_empty() { reached } else { format!("; reached: {reached}") };
    Ok(format!("nothing fired in {}{reached}", readable(quiet.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: Option<f64>, operator: &str, threshold: f64) -> Near {
        Near { alert: "A".into(), value, operator: operator.into(), threshold }
    }

    #[test]
    fn computes_the_part_of_the_threshold() {
        for (value, operator, threshold, part) in [
            (Some(90.0), ">", 100.0, 0.9),
            (Some(20.0), "<", 15.0, 0.75),
            (Some(0.0), "<", 15.0, 1.0),
            (None, ">", 100.0, 0.0),
        ] {
            assert!((near(value, operator, threshold).part() - part).abs() < 1e-9, "{value:?} {operator}");
        }
    }

    #[test]
    fn rejects_a_control_far_from_its_thresholds() {
        let minute = Duration::from_secs(60);
        let reason = judge(&[near(Some(90.0), ">", 100.0), near(Some(0.04), ">", 0.05)], minute).unwrap();
        assert_eq!(reason, "nothing fired in 60.0 s; reached: A 90 of 100, A 0.04 of 0.05");
        let reason = judge(&[near(Some(90.0), ">", 100.0), near(Some(6.0), ">", 10.0)], minute)
            .unwrap_err()
            .to_string();
        assert!(reason.contains("A 6 of 10;") && !reason.contains("90"), "{reason}");
        assert!(judge(&[near(None, ">", 1.0)], minute).unwrap_err().to_string().contains("A has no value"));
        assert_eq!(judge(&[], minute).unwrap(), "nothing fired in 60.0 s");
    }
}
