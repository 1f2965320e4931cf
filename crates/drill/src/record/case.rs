//! The state of a drill: the fold of its log.

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
    /// Name of the drill.
    pub drill: String,
    /// Name of the alert it proves.
    pub alert: String,
    /// Summary from the drill file.
    pub summary: String,
    /// Whether the drill follows an alert from pending to resolved; drills of a heartbeat and negative controls do not.
    pub follows: bool,
    /// Promised times, divided by the stack's scale.
    pub objective: Objective,
    /// Whether the cause does more than change the traffic.
    pub acts: bool,
    /// When the preflight began.
    pub started: Timestamp,
    /// The result of a first run that parallel drills may have disturbed; the other fields are of the second run.
    pub disturbed: Option<String>,
    /// When the verdict was given.
    pub ended: Option<Timestamp>,
    /// The current stage.
    pub stage: Stage,
    /// When the current stage began.
    pub stage_since: Timestamp,
    /// What is being waited for, where the stage does not say so.
    pub waiting: Option<String>,
    /// What the drill expects.
    pub expectation: Expectation,
    /// Timestamps of the phases.
    pub instants: Instants,
    /// Labels of the followed alert.
    pub labels: Option<Labels>,
    /// Alertmanager's fingerprint of the followed alert.
    pub fingerprint: Option<String>,
    /// Every activation of the rule's alerts.
    pub activations: Vec<Activation>,
    /// Why the rule, or one that it reads, could not be evaluated while the cause was in effect.
    pub failure: Option<String>,
    /// When the rules first showed the alert as firing while no sample did.
    pub fired_unstored: Option<Timestamp>,
    /// The first firing notification of another alert with the same name on each channel: its time and labels.
    pub namesakes: BTreeMap<Channel, (Timestamp, Labels)>,
    /// The state of the alert in Alertmanager, if it was queried.
    pub held: Option<Held>,
    /// How near a negative control came to the thresholds it names.
    pub near: Vec<Near>,
    /// Other events for the timeline, in the order in which they were noticed.
    pub moments: Vec<Moment>,
    /// Alerts and notifications that nothing in the drill explains.
    pub unexpected: Vec<Unexpected>,
    /// Systems that were restarted during the drill.
    pub restarts: Vec<Restart>,
    /// Failed queries.
    pub gaps: Gaps,
    /// What the load generator sent.
    pub applied: Option<Applied>,
    /// Held commands that ended before the cause was lifted.
    pub broke_off: Vec<Broken>,
    /// Parts of the cause that could not be undone: the reason and what a person can do.
    pub not_undone: Vec<String>,
    /// Why the proof could not be stored, if so.
    pub not_kept: Option<String>,
    /// Traffic of the drill, second by second.
    pub traffic: Traffic,
    /// How the drill ended; `None` while it runs.
    pub end: Option<End>,
    /// The rule's value during the drill and what else explains the verdict.
    pub evidence: Option<Evidence>,
    /// The verdict.
    pub judgement: Option<Judgement>,
}

impl Case {
    /// A drill that has not started, with its objective divided by `scale`.
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

    /// Applies an event.
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
            Event::Lifting(at) => self.instants.lifting = Some(at),
            Event::Lifted(at) => self.instants.lifted = Some(at),
            Event::Traffic(load, series) => self.traffic.follow(load, series),
            Event::Observed(seen) => {
                let seen = *seen;
                (self.labels, self.fingerprint) = (seen.labels, seen.fingerprint);
                (self.failure, self.fired_unstored) = (seen.failure, seen.fired_unstored);
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
            Event::Queried(kind, failed) => {
                self.gaps.note(kind, failed.map_or(Ok(()), Err));
            }
            Event::Held(held) => self.held = Some(held),
            Event::Near(near) => self.near.push(near),
            Event::Restarted(restart) => self.restarts.push(restart),
            Event::Unexpected(unexpected) => self.unexpected.push(unexpected),
            Event::BrokeOff(broken) => self.broke_off.push(broken),
            Event::NotUndone(what) => self.not_undone.push(what),
            Event::NotKept(why) => self.not_kept = Some(why),
            Event::Generated(applied) => self.applied = Some(applied),
            Event::Explained(evidence) => self.evidence = Some(*evidence),
            Event::Ended(end) => self.end = Some(end),
            Event::Judged(judgement, at) => (self.judgement, self.ended) = (Some(judgement), Some(at)),
        }
    }

    /// The name of the alert, or of the drill if it is not about an alert.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.alert.is_empty() { &self.drill } else { &self.alert }
    }

    /// The phases so far.
    #[must_use]
    pub fn phases(&self) -> Phases {
        let Expectation { bounds, channels, .. } = &self.expectation;
        let early = self.expectation.stamped_early();
        let measured = measure(&self.instants, bounds.as_ref(), channels, early);
        if self.follows { measured } else { measured.without_rule(&self.instants) }
    }

    /// Bound of the current stage in seconds, if it has one.
    #[must_use]
    pub fn stage_bound(&self) -> Option<f64> {
        let phases = self.phases().named();
        phases.iter().find(|(name, _)| *name == self.stage.name()).and_then(|(_, phase)| phase.bound_seconds)
    }

    /// For a negative control whose cause began: how long nothing may fire.
    #[must_use]
    pub fn quiet(&self) -> Option<Duration> {
        self.expectation.quiet.filter(|_| self.instants.cause.is_some())
    }
}
