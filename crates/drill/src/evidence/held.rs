//! The state of an alert in Alertmanager, and the receivers of its routes.

use serde::Serialize;

use clients::inbox::Channel;

/// The state of the alert in Alertmanager.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// `active`, `suppressed` or `unprocessed`.
    pub state: String,
    /// IDs of the silences that match it, with their comments.
    pub silenced_by: Vec<String>,
    /// Names of the alerts that inhibit it.
    pub inhibited_by: Vec<String>,
    /// Its routes that send nothing at present: the receiver and the reason.
    pub muted_by: Vec<String>,
    /// Receivers of its routes.
    pub receivers: Vec<Receiver>,
}

/// A receiver and the kinds of its integrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receiver {
    /// Name of the receiver.
    pub name: String,
    /// Kinds such as `webhook` and `slack`; `None` when the configuration does not define the receiver.
    pub kinds: Option<Vec<String>>,
}

impl Receiver {
    /// Whether the receiver sends to this channel.
    #[must_use]
    pub fn has(&self, channel: Channel) -> bool {
        let ways: &[&str] = match channel {
            Channel::Discord => &["discord", "slack"], // Discord accepts Slack's format
            Channel::Heartbeat => &["webhook"],
            other => &[other.name()],
        };
        self.kinds.as_ref().is_some_and(|kinds| kinds.iter().any(|kind| ways.contains(&kind.as_str())))
    }
}
