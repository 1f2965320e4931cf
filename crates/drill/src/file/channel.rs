//! The channels a notification arrives on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A channel the inbox receives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Alertmanager's own JSON.
    Webhook,
    /// A Slack message.
    Slack,
    /// A Discord message.
    Discord,
    /// A PagerDuty event.
    Pagerduty,
    /// A mail.
    Email,
    /// The heartbeat's absence, noticed by the inbox: the only news when nothing can be delivered.
    Heartbeat,
}

impl Channel {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Webhook, Self::Slack, Self::Discord, Self::Pagerduty, Self::Email, Self::Heartbeat];

    /// As the inbox writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Pagerduty => "pagerduty",
            Self::Email => "email",
            Self::Heartbeat => "heartbeat",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
