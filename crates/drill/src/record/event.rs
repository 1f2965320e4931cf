//! What happened in a drill, as it is written down.

use jiff::Timestamp;
use serde::Serialize;

use crate::causes::applied::Applied;
use crate::causes::stack::Broken;
use crate::causes::traffic::Load;
use crate::evidence::held::Held;
use crate::evidence::near::Near;
use crate::evidence::value::Evidence;
use crate::record::expectation::Expectation;
use crate::record::judgement::Judgement;
use crate::record::observations::Observations;
use crate::record::stage::{End, Stage};
use load::record::series::Series;

/// One entry of the log.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run went on to a stage, which began at this instant.
    Entered(Stage, Timestamp),
    /// What is being waited for, in words, where the stage alone does not say.
    Waiting(Option<String>),
    /// Something else that belongs on the timeline.
    Noted(Moment),
    /// What is expected, as far as it is known by now.
    Expected(Box<Expectation>),
    /// Baseline traffic began.
    Baseline(Timestamp),
    /// The cause began.
    Cause(Timestamp),
    /// The cause was lifted.
    Lifted(Timestamp),
    /// Traffic began, and is counted here.
    Traffic(Load, Series),
    /// What the witnesses show by now.
    Observed(Box<Observations>),
    /// A system was asked a question of this kind; what it failed with, if it did.
    Asked(&'static str, Option<String>),
    /// What Alertmanager did with the alert.
    Held(Held),
    /// How near a rule came to its threshold.
    Near(Near),
    /// A system was started anew while it was watched.
    Restarted(Restart),
    /// Something that nothing in the drill explains.
    Unexpected(Unexpected),
    /// A command of the cause ended too early.
    BrokeOff(Broken),
    /// A part of the cause could not be undone.
    NotUndone(String),
    /// The proof could not be kept, for this reason.
    NotKept(String),
    /// What the generator did.
    Generated(Applied),
    /// The rule's value through the drill and what else explains the verdict.
    Explained(Box<Evidence>),
    /// The run ended.
    Ended(End),
    /// The verdict was given.
    Judged(Judgement, Timestamp),
}

/// Something that happened, with the instant its witness gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub what: String,
}

/// A system that was started anew while it was watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restart {
    /// `Prometheus`, `Alertmanager` or `the inbox`.
    pub system: &'static str,
    /// When it started.
    pub at: Timestamp,
    /// Whether what it held before is lost to the drill.
    pub forgets: bool,
}

/// An alert or notification that nothing in the drill explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unexpected {
    /// When it fired or arrived.
    pub at: Timestamp,
    /// The alert.
    pub alert: String,
    /// How it was noticed: `fired`, or `arrived at webhook`.
    pub how: String,
    /// Whether the drill says that it stays silent.
    pub named_silent: bool,
}
