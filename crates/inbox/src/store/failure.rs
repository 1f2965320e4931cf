//! Failure injection: a channel answers with an error, or not at all, for a time that ends by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use clients::inbox::Channel;

/// The longest time to live.
pub const LONGEST: Duration = Duration::from_secs(3_600);

/// How a channel fails, as `PUT /fail/{channel}` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// Answers with this status, 400 to 599; SMTP answers 451 below 500 and 554 from there on.
    Status(u16),
    /// Takes the message and does not answer until the failure ends.
    Hang,
}

/// A failure that cannot be injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FailureError {
    /// No status of a failure.
    #[error("status {0}: expected 400 to 599")]
    Status(u16),
    /// It would not end, or has ended.
    #[error("ttl: expected more than 0s and at most 1h: a failure ends by itself")]
    Ttl,
}

/// Which channels fail, and until when.
#[derive(Debug, Default)]
pub struct Failures(BTreeMap<Channel, (Failure, Instant)>);

impl Failures {
    /// Lets a channel fail for `ttl`.
    ///
    /// # Errors
    /// What is wrong with it.
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

    /// Lets it work again.
    pub fn lift(&mut self, channel: Channel) {
        self.0.remove(&channel);
    }

    /// How it fails now, and until when.
    #[must_use]
    pub fn of(&self, channel: Channel) -> Option<(Failure, Instant)> {
        self.0.get(&channel).copied().filter(|(_, until)| *until > Instant::now())
    }

    /// All that fail now.
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
    fn a_failure_is_bounded_and_ends() {
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
        assert!(failing.of(Channel::Slack).is_none(), "its time is over");
        failing.set(Channel::Email, Failure::Hang, LONGEST).unwrap();
        failing.lift(Channel::Email);
        assert_eq!(failing.all().count(), 0);
    }
}
