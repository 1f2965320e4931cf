//! The stage of a drill, and how it ended.

use serde::Serialize;

/// The stage of a drill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Checking the systems, and that no alert is active.
    #[default]
    Preflight,
    /// Sending healthy traffic until rates are steady.
    Baseline,
    /// Waiting for the alert to go pending.
    Pending,
    /// Waiting for it to fire.
    Firing,
    /// Waiting for the notifications.
    Notified,
    /// The cause is lifted; waiting for it to resolve.
    Resolved,
    /// Waiting for the all-clear.
    AllClear,
    /// Observing a negative control, in which nothing may fire.
    Quiet,
}

impl Stage {
    /// The name as printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Baseline => "baseline",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Notified => "notified",
            Self::Resolved => "resolved",
            Self::AllClear => "all_clear",
            Self::Quiet => "quiet",
        }
    }
}

/// How a drill ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every phase happened.
    Complete,
    /// The drill could not start, for this reason.
    Refused(String),
    /// The phase did not happen within its bound and patience.
    Missed(Stage),
    /// An alert that was to be inhibited was not; the text names it.
    NotInhibited(String),
    /// Too many queries failed to say whether the phase happened.
    NotObserved(String),
    /// A person or a supervisor ended it by this signal.
    Interrupted(&'static str),
}
