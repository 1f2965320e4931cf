//! The objective of a drill file: the times a team promises.

use crate::error::DrillError;
use std::time::Duration;

use serde::Deserialize;

use common::duration;

/// Promised times, in production timing. Both count from the start of the cause, when users start to be affected. On a
/// stack scaled by N they are divided by N.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(try_from = "WrittenObjective")]
pub struct Objective {
    /// Start of the cause → notified on every expected channel.
    pub notified: Option<Duration>,
    /// Start of the cause → all-clear on every expected channel.
    pub all_clear: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenObjective {
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    notified: Option<Duration>,
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    all_clear: Option<Duration>,
}

impl Objective {
    /// The objective on a stack whose durations are divided by `scale`.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        let scaled = |promise: Option<Duration>| promise.map(|promise| promise.div_f64(scale));
        Self { notified: scaled(self.notified), all_clear: scaled(self.all_clear) }
    }
}

impl TryFrom<WrittenObjective> for Objective {
    type Error = DrillError;

    fn try_from(written: WrittenObjective) -> Result<Self, DrillError> {
        let WrittenObjective { notified, all_clear } = written;
        for (name, promise) in [("notified", notified), ("all_clear", all_clear)] {
            if promise == Some(Duration::ZERO) {
                return Err(DrillError::Field(format!(
                    "objective.{name} is 0: expected a positive duration, such as 10m"
                )));
            }
        }
        match notified.zip(all_clear) {
            Some((notified, all_clear)) if all_clear < notified => Err(DrillError::Field(format!(
                "objective: all_clear ({}) must be at least notified ({}): both count from the start of the cause",
                duration::format(all_clear),
                duration::format(notified)
            ))),
            _ => Ok(Self { notified, all_clear }),
        }
    }
}
