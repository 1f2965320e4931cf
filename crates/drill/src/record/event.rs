//! The events of a drill's log.

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
    /// The drill entered a stage, which began at this time.
    Entered(Stage, Timestamp),
    /// What is being waited for, where the stage does not say so.
    Waiting(Option<String>),
    /// Another event for the timeline.
    Noted(Moment),
    /// What the drill expects, as far as known.
    Expected(Box<Expectation>),
    /// Baseline traffic began.
    Baseline(Timestamp),
    /// The cause began.
    Cause(Timestamp),
    /// The lifting of the cause began; its commands may take a while.
    Lifting(Timestamp),
    /// The cause was lifted.
    Lifted(Timestamp),
    /// Traffic began; the series counts it.
    Traffic(Load, Series),
    /// What the systems show of the alert so far.
    Observed(Box<Observations>),
    /// A system was queried; the kind of query, and the error if it failed.
    Queried(&'static str, Option<String>),
    /// The state of the alert in Alertmanager.
    Held(Held),
    /// How near a rule's value came to its threshold.
    Near(Near),
    /// A system was restarted during the drill.
    Restarted(Restart),
    /// An alert or notification that nothing in the drill explains.
    Unexpected(Unexpected),
    /// A command of the cause ended too early.
    BrokeOff(Broken),
    /// A part of the cause could not be undone.
    NotUndone(String),
    /// The proof could not be stored, for this reason.
    NotKept(String),
    /// What the load generator sent.
    Generated(Applied),
    /// The rule's value during the drill and what else explains the verdict.
    Explained(Box<Evidence>),
    /// The drill ended.
    Ended(End),
    /// The verdict was given.
    Judged(Judgement, Timestamp),
}

/// An event on the timeline, with the time reported by the system that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Time of the event.
    pub at: Timestamp,
    /// Description of the event.
    pub what: String,
}

/// A system that was restarted or ended during the drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restart {
    /// `Prometheus`, `Alertmanager` or `the inbox`.
    pub system: &'static str,
    /// When it started.
    pub at: Timestamp,
    /// Whether the system lost data that the drill needs.
    pub forgets: bool,
    /// Whether it is one of several and did not respond at the end, instead of having been started.
    pub gone: bool,
}

/// An alert or notification that nothing in the drill explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unexpected {
    /// When the alert fired or the notification arrived.
    pub at: Timestamp,
    /// Name of the alert.
    pub alert: String,
    /// How it was noticed, such as `fired` or `arrived at webhook`.
    pub how: String,
    /// Whether the drill lists the alert as `silent`.
    pub named_silent: bool,
}
