//! Everything known about one drill so far. The course writes into it as it goes, so that an interrupted drill
//! still has its partial results.

pub mod event;
pub mod judgement;
pub mod stage;

use jiff::Timestamp;

use crate::causes::applied::Applied;
use crate::causes::stack::Broken;
use crate::causes::traffic::Traffic;
use crate::evidence::activation::Spell;
use crate::evidence::count::Count;
use crate::evidence::gaps::Gaps;
use crate::evidence::held::Held;
use crate::evidence::near::Near;
use crate::evidence::value::Evidence;
use crate::file::channel::Channel;
use crate::file::drill::{Drill, Objective};
use crate::record::event::{Event, Surprise};
use crate::record::judgement::Judgement;
use crate::record::stage::{End, Stage};
use crate::rule::Subject;
use crate::timing::bounds::{Bounds, Inputs};
use crate::timing::phases::{Instants, Phases, measure};
use alerting::routing::tree::Route;
use clients::inbox::Notification;
use clients::prometheus::{Labels, Outgoing};

/// One drill, from its file to its verdict.
#[derive(Debug)]
pub struct Record {
    /// Its name.
    pub drill: String,
    /// The alert it proves.
    pub alert: String,
    /// Its summary.
    pub summary: String,
    /// Channels the notification must arrive on.
    pub expected: Vec<Channel>,
    /// Whether it follows the alert from pending to resolved; a heartbeat's drill and a negative control do not.
    pub follows: bool,
    /// After how long the inbox misses the heartbeat, where that is what is expected.
    pub heartbeat_limit: Option<std::time::Duration>,
    /// For a negative control: how long nothing may fire.
    pub quiet: Option<std::time::Duration>,
    /// How near it came to the thresholds it names.
    pub near: Vec<Near>,
    /// Promised times, scaled.
    pub objective: Objective,
    /// When its preflight began.
    pub started: Timestamp,
    /// What a first run came to that others beside it may have disturbed; the rest of the record is of a second one.
    pub disturbed: Option<String>,
    /// When it had its verdict.
    pub ended: Option<Timestamp>,
    /// Where the course is.
    pub stage: Stage,
    /// Since when.
    pub stage_since: Timestamp,
    /// What is being waited for, in words, where the stage alone does not say.
    pub waiting: Option<String>,
    /// The rule, once read.
    pub subject: Option<Subject>,
    /// What Prometheus does to its labels when it sends it.
    pub outgoing: Outgoing,
    /// Routes the alert takes.
    pub routes: Vec<Route>,
    /// What the bounds were computed from.
    pub inputs: Option<Inputs>,
    /// The bounds.
    pub bounds: Option<Bounds>,
    /// What happened when.
    pub instants: Instants,
    /// Labels of the alert that is followed.
    pub labels: Option<Labels>,
    /// Alertmanager's fingerprint of it.
    pub fingerprint: Option<String>,
    /// The last sample of it as firing.
    pub last_firing: Option<Timestamp>,
    /// Every spell of the rule's alerts.
    pub spells: Vec<Spell>,
    /// Received since the baseline began.
    pub notifications: Vec<Notification>,
    /// Whether there is no inbox: delivery is counted by Alertmanager, not seen.
    pub counted: bool,
    /// What it counted.
    pub counts: Vec<Count>,
    /// What Alertmanager did with the alert, when that was asked.
    pub held: Option<Held>,
    /// What happened, in the order noticed.
    pub events: Vec<Event>,
    /// What nothing in the drill explains.
    pub surprises: Vec<Surprise>,
    /// How well the systems answered.
    pub gaps: Gaps,
    /// What the generator did.
    pub applied: Option<Applied>,
    /// Whether the cause does something to the target beside traffic.
    pub acts: bool,
    /// Commands that were to go on and ended before the cause was lifted, in words.
    pub broke_off: Vec<Broken>,
    /// What could not be undone of the cause, why, and what a person can do.
    pub not_undone: Vec<String>,
    /// Its traffic, second by second.
    pub traffic: Traffic,
    /// How the course ended; `None` while it goes on.
    pub end: Option<End>,
    /// The rule's value through the drill and what else explains the verdict.
    pub evidence: Option<Evidence>,
    /// The verdict.
    pub judgement: Option<Judgement>,
}

impl Record {
    /// A drill that is about to begin, with its objective divided by `scale`.
    #[must_use]
    pub fn new(drill: &Drill, scale: f64) -> Self {
        let now = Timestamp::now();
        let scaled = |promise: Option<std::time::Duration>| promise.map(|promise| promise.div_f64(scale));
        Self {
            drill: drill.drill.value.clone(),
            alert: drill.proves.alert.value.clone(),
            summary: drill.summary.clone(),
            expected: drill.expect.delivered.clone(),
            follows: drill.proves.quiet.is_none() && !drill.proves.stops,
            heartbeat_limit: None,
            quiet: None,
            near: Vec::new(),
            objective: Objective {
                notified: scaled(drill.objective.notified),
                told_resolved: scaled(drill.objective.told_resolved),
            },
            started: now,
            disturbed: None,
            ended: None,
            stage: Stage::Preflight,
            stage_since: now,
            waiting: None,
            subject: None,
            outgoing: Outgoing::default(),
            routes: Vec::new(),
            inputs: None,
            bounds: None,
            instants: Instants::default(),
            labels: None,
            fingerprint: None,
            last_firing: None,
            spells: Vec::new(),
            notifications: Vec::new(),
            counted: false,
            counts: Vec::new(),
            held: None,
            events: Vec::new(),
            surprises: Vec::new(),
            gaps: Gaps::default(),
            applied: None,
            acts: drill.cause.acts(),
            broke_off: Vec::new(),
            not_undone: Vec::new(),
            traffic: Traffic::default(),
            end: None,
            evidence: None,
            judgement: None,
        }
    }

    /// The alert, or the name of a drill that is about none.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.alert.is_empty() { &self.drill } else { &self.alert }
    }

    /// Goes on to `stage`, which began at `since`.
    pub fn enter(&mut self, stage: Stage, since: Timestamp) {
        self.stage = stage;
        self.stage_since = since;
        self.waiting = None;
    }

    /// Writes down what happened.
    pub fn event(&mut self, at: Timestamp, what: impl Into<String>) {
        let what = what.into();
        if !self.events.iter().any(|event| event.what == what && event.at == at) {
            self.events.push(Event { at, what });
        }
    }

    /// Writes down what could not be undone.
    pub fn not_undone(&mut self, failed: Vec<String>) {
        for failed in &failed {
            self.event(Timestamp::now(), failed.clone());
        }
        self.not_undone.extend(failed);
    }

    /// The phases so far.
    #[must_use]
    pub fn phases(&self) -> Phases {
        let measured = measure(&self.instants, self.bounds.as_ref(), &self.expected);
        if self.follows { measured } else { measured.without_rule(&self.instants) }
    }

    /// Bound of the present stage, in seconds, if it has one.
    #[must_use]
    pub fn stage_bound(&self) -> Option<f64> {
        let phases = self.phases().named();
        phases.iter().find(|(name, _)| *name == self.stage.name()).and_then(|(_, phase)| phase.bound_seconds)
    }
}
