//! Where the run of a drill is, and how it ended.

use serde::Serialize;

/// Where the course is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Is everything there and quiet?
    #[default]
    Preflight,
    /// Healthy traffic until rates are steady.
    Baseline,
    /// Waiting for the alert to go pending.
    Pending,
    /// Waiting for it to fire.
    Firing,
    /// Waiting for the notifications.
    Notified,
    /// The cause is lifted; waiting for it to resolve.
    Resolved,
    /// Waiting for the notifications of that.
    AllClear,
    /// A negative control: nothing is to fire.
    Quiet,
}

impl Stage {
    /// In a word.
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

/// How the course came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every phase happened.
    Whole,
    /// It could not begin, for this reason.
    Refused(String),
    /// The phase did not happen within its bound and patience.
    Missed(Stage),
    /// An alert that was to be inhibited was not, in words.
    NotInhibited(String),
    /// The systems did not answer well enough to say whether the phase happened.
    Unseen(String),
    /// A person or a supervisor ended it by this signal.
    Interrupted(&'static str),
}
