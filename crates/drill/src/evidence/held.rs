//! What Alertmanager does with an alert, and the receivers its routes lead to.

use serde::Serialize;

use clients::inbox::Channel;

/// What Alertmanager did with the alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// `active`, `suppressed` or `unprocessed`.
    pub state: String,
    /// Silences covering it, with what their authors wrote.
    pub silenced_by: Vec<String>,
    /// Names of the alerts inhibiting it.
    pub inhibited_by: Vec<String>,
    /// Of routes it takes that send nothing at present: the receiver and why.
    pub muted_by: Vec<String>,
    /// Receivers its routes lead to.
    pub receivers: Vec<Receiver>,
}

/// A receiver and what it is configured to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// `webhook`, `slack`, …; `None` when the configuration does not define it.
    pub kinds: Option<Vec<String>>,
}

impl Receiver {
    /// Whether it sends on this channel.
    #[must_use]
    pub fn has(&self, channel: Channel) -> bool {
        let ways: &[&str] = match channel {
            Channel::Discord => &["discord", "slack"], // it takes Slack's bodies, too
            Channel::Heartbeat => &["webhook"],
            other => &[other.name()],
        };
        self.kinds.as_ref().is_some_and(|kinds| kinds.iter().any(|kind| ways.contains(&kind.as_str())))
    }
}
