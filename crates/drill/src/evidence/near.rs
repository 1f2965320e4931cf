//! How near a negative control came to the thresholds it names: traffic that is far below them proves nothing.

use crate::error::DrillError;
use std::time::Duration;

use serde::Serialize;

use crate::timing::clock::{number, readable};

/// What a value must have come to, as a part of the threshold, to count as just under it: of a rule for more than three
/// events, two are the most that `increase` with its extrapolation leaves below.
pub const JUST_UNDER: f64 = 0.65;

/// The most a rule's value came to while the cause lasted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Near {
    /// The alert.
    pub alert: String,
    /// Its rule's value nearest to the threshold; `None` when there was none.
    pub value: Option<f64>,
    /// `>`, `<`, …
    pub operator: String,
    /// The threshold.
    pub threshold: f64,
}

impl Near {
    /// The part of the way to the threshold, 1 at it.
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
        let value = self.value.map_or("nothing".to_owned(), number);
        write!(f, "{} {value} of {}", self.alert, number(self.threshold))
    }
}

/// What to say of a control that nothing fired in; `Err` when it was not near enough to be one.
///
/// # Errors
/// In words, what stayed too far away.
pub fn judge(near: &[Near], quiet: Duration) -> Result<String, DrillError> {
    let listed =
        |near: &mut dyn Iterator<Item = &Near>| near.map(Near::to_string).collect::<Vec<_>>().join(", ");
    let far = listed(&mut near.iter().filter(|near| near.part() < JUST_UNDER));
    if !far.is_empty() {
        return Err(DrillError::Rule(format!(
            "nothing fired, and nothing was near enough to: {far}; at least {:.0} % of the threshold is just under it",
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
    fn the_part_of_the_way_to_the_threshold() {
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
    fn a_control_that_is_far_from_its_thresholds_is_none() {
        let minute = Duration::from_secs(60);
        let said = judge(&[near(Some(90.0), ">", 100.0), near(Some(0.04), ">", 0.05)], minute).unwrap();
        assert_eq!(said, "nothing fired in 60.0 s; reached: A 90 of 100, A 0.04 of 0.05");
        let said = judge(&[near(Some(90.0), ">", 100.0), near(Some(6.0), ">", 10.0)], minute)
            .unwrap_err()
            .to_string();
        assert!(said.contains("A 6 of 10;") && !said.contains("90"), "{said}");
        assert!(judge(&[near(None, ">", 1.0)], minute).unwrap_err().to_string().contains("A nothing of 1"));
        assert_eq!(judge(&[], minute).unwrap(), "nothing fired in 60.0 s");
    }
}
