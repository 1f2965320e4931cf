//! What a drill has come to: its log, folded.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::causes::applied::Applied;
use crate::causes::stack::Broken;
use crate::causes::traffic::Traffic;
use crate::evidence::activation::Activation;
use crate::evidence::gaps::Gaps;
use crate::evidence::held::Held;
use crate::evidence::near::Near;
use crate::evidence::value::Evidence;
use crate::file::drill::Drill;
use crate::file::objective::Objective;
use crate::record::event::{Event, Moment, Restart, Unexpected};
use crate::record::expectation::Expectation;
use crate::record::judgement::Judgement;
use crate::record::stage::{End, Stage};
use crate::timing::phases::{Instants, Phases, measure};
use clients::inbox::Channel;
use clients::prometheus::Labels;

/// One drill, from its file to its verdict.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// Its name.
    pub drill: String,
    /// The alert it proves.
    pub alert: String,
    /// Its summary.
    pub summary: String,
    /// Whether it follows the alert from pending to resolved; a heartbeat's drill and a negative control do not.
    pub follows: bool,
    /// Promised times, scaled.
    pub objective: Objective,
    /// Whether the cause does something to the target beside traffic.
    pub acts: bool,
    /// When its preflight began.
    pub started: Timestamp,
    /// What a first run came to that others beside it may have disturbed; the rest is of a second one.
    pub disturbed: Option<String>,
    /// When it had its verdict.
    pub ended: Option<Timestamp>,
    /// Where the run is.
    pub stage: Stage,
    /// Since when.
    pub stage_since: Timestamp,
    /// What is being waited for, in words, where the stage alone does not say.
    pub waiting: Option<String>,
    /// What is expected.
    pub expectation: Expectation,
    /// What happened when.
    pub instants: Instants,
    /// Labels of the alert that is followed.
    pub labels: Option<Labels>,
    /// Alertmanager's fingerprint of it.
    pub fingerprint: Option<String>,
    /// Every activation of the rule's alerts.
    pub activations: Vec<Activation>,
    /// When and with which labels each channel received another alert of its name firing.
    pub namesakes: BTreeMap<Channel, (Timestamp, Labels)>,
    /// What Alertmanager did with the alert, when that was asked.
    pub held: Option<Held>,
    /// How near it came to the thresholds it names.
    pub near: Vec<Near>,
    /// What else happened, in the order noticed.
    pub moments: Vec<Moment>,
    /// What nothing in the drill explains.
    pub unexpected: Vec<Unexpected>,
    /// Systems that were started anew while they were watched.
    pub restarts: Vec<Restart>,
    /// How well the systems answered.
    pub gaps: Gaps,
    /// What the generator did.
    pub applied: Option<Applied>,
    /// Commands that were to go on and ended before the cause was lifted, in words.
    pub broke_off: Vec<Broken>,
    /// What could not be undone of the cause, why, and what a person can do.
    pub not_undone: Vec<String>,
    /// Why its proof could not be kept, if so.
    pub not_kept: Option<String>,
    /// Its traffic, second by second.
    pub traffic: Traffic,
    /// How the run ended; `None` while it goes on.
    pub end: Option<End>,
    /// The rule's value through the drill and what else explains the verdict.
    pub evidence: Option<Evidence>,
    /// The verdict.
    pub judgement: Option<Judgement>,
}

impl Case {
    /// A drill that is about to begin, with its objective divided by `scale`.
    #[must_use]
    pub fn new(drill: &Drill, scale: f64) -> Self {
        let now = Timestamp::now();
        Self {
            drill: drill.drill.value.clone(),
            alert: drill.proves.alert.value.clone(),
            summary: drill.summary.clone(),
            follows: drill.proves.quiet.is_none() && !drill.proves.stops,
            objective: drill.objective.scaled(scale),
            acts: drill.cause.acts(),
            started: now,
            stage_since: now,
            expectation: Expectation { channels: drill.expect.delivered.clone(), ..Expectation::default() },
            ..Self::default()
        }
    }

    /// Takes one more event in.
    pub fn append(&mut self, event: Event) {
        match event {
            Event::Entered(stage, since) => {
                (self.stage, self.stage_since, self.waiting) = (stage, since, None);
            }
            Event::Waiting(what) => self.waiting = what,
            Event::Noted(moment) if self.moments.contains(&moment) => {}
            Event::Noted(moment) => self.moments.push(moment),
            Event::Expected(expectation) => self.expectation = *expectation,
            Event::Baseline(at) => self.instants.baseline = Some(at),
            Event::Cause(at) => self.instants.cause = Some(at),
            Event::Lifted(at) => self.instants.lifted = Some(at),
            Event::Traffic(load, series) => self.traffic.follow(load, series),
            Event::Observed(seen) => {
                let seen = *seen;
                (self.labels, self.fingerprint) = (seen.labels, seen.fingerprint);
                (self.activations, self.namesakes) = (seen.activations, seen.namesakes);
                self.instants = Instants {
                    pending: seen.pending,
                    firing: seen.firing,
                    notified: seen.notified,
                    resolved: seen.resolved,
                    all_clear: seen.all_clear,
                    ..self.instants
                };
            }
            Event::Asked(kind, failed) => {
                self.gaps.note(kind, failed.map_or(Ok(()), Err));
            }
            Event::Held(held) => self.held = Some(held),
            Event::Near(near) => self.near.push(near),
            Event::Restarted(restart) => self.restarts.push(restart),
            Event::Unexpected(surprise) => self.unexpected.push(surprise),
            Event::BrokeOff(broken) => self.broke_off.push(broken),
            Event::NotUndone(what) => self.not_undone.push(what),
            Event::NotKept(why) => self.not_kept = Some(why),
            Event::Generated(applied) => self.applied = Some(applied),
            Event::Explained(evidence) => self.evidence = Some(*evidence),
            Event::Ended(end) => self.end = Some(end),
            Event::Judged(judgement, at) => (self.judgement, self.ended) = (Some(judgement), Some(at)),
        }
    }

    /// The alert, or the name of a drill that is about none.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.alert.is_empty() { &self.drill } else { &self.alert }
    }

    /// The phases so far.
    #[must_use]
    pub fn phases(&self) -> Phases {
        let Expectation { bounds, channels, .. } = &self.expectation;
        let measured = measure(&self.instants, bounds.as_ref(), channels);
        if self.follows { measured } else { measured.without_rule(&self.instants) }
    }

    /// Bound of the present stage, in seconds, if it has one.
    #[must_use]
    pub fn stage_bound(&self) -> Option<f64> {
        let phases = self.phases().named();
        phases.iter().find(|(name, _)| *name == self.stage.name()).and_then(|(_, phase)| phase.bound_seconds)
    }

    /// How long nothing was to fire, of a negative control whose cause began.
    #[must_use]
    pub fn quiet(&self) -> Option<Duration> {
        self.expectation.quiet.filter(|_| self.instants.cause.is_some())
    }
}
