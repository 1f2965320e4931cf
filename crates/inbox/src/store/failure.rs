//! Failure injection: a channel responds with an error or not at all, for a limited time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use clients::inbox::Channel;

/// Maximum duration of a failure.
pub const LONGEST: Duration = Duration::from_secs(3_600);

/// How a channel fails, as set by `PUT /fail/{channel}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// Responds with this status, 400 to 599. SMTP responds 451 for statuses below 500 and 554 for others.
    Status(u16),
    /// Accepts the message and does not respond until the failure ends.
    Hang,
}

/// An invalid failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FailureError {
    /// The status is out of range.
    #[error("invalid status {0}: must be 400 to 599")]
    Status(u16),
    /// The duration is out of range.
    #[error("invalid ttl: must be above 0s and at most 1h")]
    Ttl,
}

/// The failing channels, each with the end of its failure.
#[derive(Debug, Default)]
pub struct Failures(BTreeMap<Channel, (Failure, Instant)>);

impl Failures {
    /// Makes a channel fail for `ttl`.
    ///
    /// # Errors
    /// When the failure is invalid.
    pub fn set(&mut self, channel: Channel, failure: Failure, ttl: Duration) -> Result<(), FailureError> {
        if let Failure::Status(status) = failure
            && !(400..=599).contains(&status)
        {
            return Err(FailureError::Status(status));
        }
        if ttl.is_zero() || ttl > LONGEST {
            return Err(FailureError::Ttl);
        }
        self.0.insert(channel, (failure, Instant::now() + ttl));
        Ok(())
    }

    /// Ends the failure of a channel.
    pub fn lift(&mut self, channel: Channel) {
        self.0.remove(&channel);
    }

    /// The current failure of a channel, and its end.
    #[must_use]
    pub fn of(&self, channel: Channel) -> Option<(Failure, Instant)> {
        self.0.get(&channel).copied().filter(|(_, until)| *until > Instant::now())
    }

    /// All current failures.
    pub fn all(&self) -> impl Iterator<Item = (Channel, Failure)> + '_ {
        let now = Instant::now();
        self.0
            .iter()
            .filter(move |(_, (_, until))| *until > now)
            .map(|(channel, (failure, _))| (*channel, *failure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_bounded_and_end() {
        let mut failing = Failures::default();
        assert!(
            failing
                .set(Channel::Slack, Failure::Status(200), LONGEST)
                .unwrap_err()
                .to_string()
                .contains("400 to 599")
        );
        assert!(
            failing
                .set(Channel::Slack, Failure::Hang, LONGEST * 2)
                .unwrap_err()
                .to_string()
                .contains("at most 1h")
        );
        failing.set(Channel::Slack, Failure::Hang, LONGEST).unwrap();
        assert_eq!(failing.of(Channel::Slack).map(|(failure, _)| failure), Some(Failure::Hang));
        assert!(failing.of(Channel::Webhook).is_none());
        failing.set(Channel::Slack, Failure::Status(500), Duration::from_nanos(1)).unwrap();
        assert!(failing.of(Channel::Slack).is_none(), "the failure has ended");
        failing.set(Channel::Email, Failure::Hang, LONGEST).unwrap();
        failing.lift(Channel::Email);
        assert_eq!(failing.all().count(), 0);
    }
}
