//! Polls the systems during a drill and derives what they show of the alert.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::context::Context;
use crate::evidence::activation;
use crate::evidence::count::Counter;
use crate::evidence::offset;
use crate::observe::arrivals::Arrivals;
use crate::observe::{counted, delivery};
use crate::record::event::Event;
use crate::record::expectation::Expectation;
use crate::record::observations::Observations;
use crate::rule::{RuleUnderTest, covers};
use crate::timing::clock::{self, Deadline};
use crate::timing::phases::last_of;
use alerting::routing::tree::Routing;
use clients::SystemError;
use clients::inbox::Listing;
use clients::prometheus::{Labels, RuleGroup, Series};
use common::duration;

/// Interval between two polls of Alertmanager's counters.
const OFTEN: Duration = Duration::from_millis(250);

/// Interval between two polls that read only the inbox.
const POLL: Duration = Duration::from_millis(500);

/// Observes one drill: what it has seen so far, and the state it needs to see more.
#[derive(Debug)]
pub struct Watch<'a> {
    context: &'a Context<'a>,
    /// What is expected; becomes more precise with what is seen.
    pub expectation: Expectation,
    /// What was seen of the alert.
    pub seen: Observations,
    /// When the baseline began.
    pub began: Timestamp,
    /// Activations from this time on belong to the drill.
    pub since: Timestamp,
    cause: Timestamp,
    lifted: Option<Timestamp>,
    poll: Duration,
    /// Notifications received by the inbox.
    pub arrivals: Arrivals,
    /// Whether the alert was active at the last successful poll.
    active: bool,
    /// Alertmanager's counters.
    counter: Counter,
}

impl<'a> Watch<'a> {
    /// Starts observing a drill whose baseline began at the first of the two timestamps; activations count from the second.
    #[must_use]
    pub fn new(
        context: &'a Context<'a>,
        expectation: Expectation,
        (began, since): (Timestamp, Timestamp),
        arrivals: Arrivals,
    ) -> Self {
        let poll = match &expectation.rule_under_test {
            Some(_) if expectation.counted => OFTEN, // a counted notification is dated only by the polls around it
            Some(rule_under_test) if !context.drill.proves.stops => {
                (expectation.scrape().min(rule_under_test.evaluation) / 4)
                    .clamp(Duration::from_millis(250), Duration::from_secs(2))
            }
            _ => POLL,
        };
        Self {
            context,
            expectation,
            seen: Observations::default(),
            began,
            since,
            cause: began,
            lifted: None,
            poll,
            arrivals,
            active: false,
            counter: Counter::default(),
        }
    }

    /// Continues after the cause of `at` took effect, with the updated expectation.
    #[must_use]
    pub fn caused(self, at: Timestamp, expectation: Expectation) -> Self {
        Self { cause: at, expectation, ..self }
    }

    /// Continues after the cause was lifted.
    #[must_use]
    pub fn lifted(self, at: Timestamp) -> Self {
        Self { lifted: Some(at), ..self }
    }

    /// Polls until `done` holds or the deadline passes, and returns whether it held. The last poll is after the deadline, so
    /// that nothing before it is missed.
    pub async fn until(&mut self, deadline: Deadline, done: impl Fn(&Self) -> bool) -> bool {
        loop {
            let passed = deadline.passed();
            self.look().await;
            if done(self) {
                return true;
            }
            if passed {
                return false;
            }
            sleep(self.poll).await;
        }
    }

    /// When the cause began, once it has.
    #[must_use]
    pub fn cause(&self) -> Option<Timestamp> {
        (self.cause > self.began).then_some(self.cause)
    }

    /// Whether the alert was active at the last poll.
    #[must_use]
    pub fn active(&self) -> bool {
        self.active
    }

    /// Whether every expected channel has received the firing notification.
    #[must_use]
    pub fn all_notified(&self) -> bool {
        last_of(&self.seen.notified, &self.expectation.channels).is_some()
    }

    /// Whether every expected channel has received the all-clear.
    #[must_use]
    pub fn all_clear_arrived(&self) -> bool {
        last_of(&self.seen.all_clear, &self.expectation.channels).is_some()
    }

    /// Polls all systems once. Failed queries are recorded as gaps; the next poll reads what they missed.
    pub async fn look(&mut self) {
        let before = self.seen.clone();
        match self.expectation.rule_under_test.clone() {
            None => self.read(self.context.systems.arrived(self.arrivals.read()).await),
            Some(rule_under_test) if self.context.drill.proves.stops => {
                self.read(self.context.systems.arrived(self.arrivals.read()).await);
                delivery::beats(
                    &mut self.seen,
                    &self.arrivals,
                    &rule_under_test.alert,
                    self.cause,
                    self.lifted,
                );
            }
            Some(rule_under_test) => self.alert(&rule_under_test).await,
        }
        if self.seen != before {
            self.context.log.append(Event::Observed(Box::new(self.seen.clone())));
        }
    }

    fn read(&mut self, arrived: Result<Listing, SystemError>) {
        if let Some(arrived) = self.context.log.queried("inbox", arrived) {
            self.arrivals.extend(arrived);
        }
    }

    async fn alert(&mut self, rule_under_test: &RuleUnderTest) {
        let systems = self.context.systems;
        let name = &rule_under_test.alert;
        let range = (clock::seconds(self.since, Timestamp::now()).ceil().max(0.0) as u64) + 1;
        let query = format!("ALERTS{{alertname={name:?}}}[{range}s]");
        let (history, rules, arrived) = tokio::join!(
            systems.prometheus.histories(&query, None),
            systems.prometheus.rules(),
            systems.arrived(self.arrivals.read()),
        );
        self.read(arrived);
        let history = self.context.log.queried("ALERTS", history);
        let rules = self.context.log.queried("rules", rules);
        if let Some(rules) = &rules {
            self.arrivals.settle(rules);
        }
        if let Some(history) = history {
            self.follow(rule_under_test, &history, rules.as_deref());
        }
        if self.seen.firing.is_some() && self.seen.fingerprint.is_none() {
            self.identify().await;
        }
        if self.expectation.counted {
            self.count().await;
        } else {
            delivery::deliveries(&mut self.seen, &self.arrivals, self.cause, self.lifted);
        }
    }

    /// Reads Alertmanager's counters, if there is no inbox. Called once before the cause, to have something to compare with.
    pub async fn count(&mut self) {
        if !self.expectation.counted || self.expectation.rule_under_test.is_none() {
            return;
        }
        let alertmanager = &self.context.systems.alertmanager;
        if let Some(delivered) = self.context.log.queried("deliveries", alertmanager.delivered().await) {
            for count in self.counter.look(delivered, Timestamp::now()) {
                let (more, by) = (count.more, &count.sender.integration);
                self.context
                    .log
                    .note(count.at, format!("Alertmanager counted {more} more notifications by {by}"));
            }
        }
        if self.seen.firing.is_some()
            && let Some(config) = self.context.log.queried("config", alertmanager.config().await)
            && let Ok(routing) = Routing::parse(&config)
        {
            counted::deliveries(&mut self.seen, &self.expectation, self.counter.counts(), &routing);
        }
    }

    fn follow(
        &mut self,
        rule_under_test: &RuleUnderTest,
        history: &[Vec<Series>],
        rules: Option<&[RuleGroup]>,
    ) {
        let rule = rules.and_then(|rules| rule_under_test.loaded(rules));
        let own = |labels: &Labels| rule_under_test.owns(labels);
        let active: Vec<_> = rule
            .iter()
            .flat_map(|(_, alerting)| &alerting.alerts)
            .filter(|alert| own(&alert.labels))
            .cloned()
            .collect();
        if self.cause > self.began && self.lifted.is_none() && self.seen.failure.is_none() {
            self.seen.failure = rules.and_then(|rules| rule_under_test.failure(rules));
        }
        // Timestamps of whole seconds may be a second further apart than the evaluations.
        let apart = match rule_under_test.stamped_early {
            Duration::ZERO => rule_under_test.evaluation,
            _ => rule_under_test.evaluation + Duration::from_secs(1),
        };
        let replicas = history.iter().map(|it| activation::activations(it, apart, rule_under_test.hold));
        let mut activations = activation::together(replicas.collect(), apart);
        activations.retain(|activation| own(&activation.labels));
        if let Some(evaluated) =
            rule.and_then(|(rule, _)| rule.last_evaluation).filter(|_| !self.offset_known())
            && let Some(found) =
                offset::of_alert(&activations, &active, evaluated, rule_under_test.evaluation)
        {
            self.take_offset(found);
        }
        let offset = self.expectation.rule_under_test.as_ref().map_or(Duration::ZERO, |it| it.query_offset);
        activations.iter_mut().for_each(|activation| activation.shift(offset));
        activations.retain(|activation| activation.last >= self.since);
        if rule.is_some() {
            self.active = !active.is_empty();
        }
        let Some(found) = activation::follow(&activations, &active) else { return };
        // Where samples can be read only later, the rules show first that it fires.
        let by_rules = active.iter().any(|alert| alert.state == "firing" && alert.labels == found.labels);
        let by_rules = rule.filter(|_| by_rules).and_then(|(rule, _)| rule.last_evaluation);
        let late = !rule_under_test.stored_after.is_zero();
        if by_rules.is_some() && found.firing.is_none() && !late {
            self.seen.fired_unstored.get_or_insert_with(Timestamp::now);
        }
        let fired = by_rules.filter(|_| late).or(found.firing);
        self.seen.activations = activations;
        // Until the alert fires, the pending time may still change: to a later activation, or to the more precise `activeAt`.
        if self.seen.firing.is_none() {
            self.seen.pending = Some(found.pending);
            self.seen.labels = Some(found.labels.clone());
        }
        self.seen.firing = self.seen.firing.or(fired);
        self.seen.last_firing = found.last_firing;
        let Some((rule, _)) = rule else { return };
        let still = active.iter().any(|alert| alert.labels == found.labels);
        self.active = still;
        if late {
            // Its last samples may not be stored yet; the rules are polled several times an evaluation.
            if self.lifted.is_some()
                && !still
                && self.seen.firing.is_some()
                && rule.last_evaluation > self.seen.firing
            {
                self.seen.resolved = self.seen.resolved.or(rule.last_evaluation);
            }
            return;
        }
        if let Some(last) = found.last_firing
            && self.lifted.is_some()
            && !still
            && rule.last_evaluation.is_some_and(|evaluated| evaluated > last)
        {
            // The alert resolved at the evaluation after its last sample as firing.
            self.seen.resolved.get_or_insert(clock::after(last, rule_under_test.evaluation));
        }
    }

    /// Whether the timestamps of the rule's samples are those of its evaluations, as far as can be known.
    #[must_use]
    pub fn offset_known(&self) -> bool {
        let unknown = |rule: &RuleUnderTest| rule.offset_unknown.contains(&rule.group);
        !self.expectation.rule_under_test.as_ref().is_some_and(unknown)
    }

    /// Takes the `query_offset` of the rule's group, once its samples show it.
    fn take_offset(&mut self, found: Duration) {
        let assumed = self.expectation.rule_under_test.as_ref().map(|rule| rule.query_offset);
        if assumed != Some(found) {
            let what = format!("the rule's group has a query_offset of {}", duration::format(found));
            self.context.log.note(Timestamp::now(), what);
            self.seen.firing = None; // it was taken from a sample as if there were no such offset
        }
        self.expectation = self.expectation.clone().offset(found);
        self.context.log.append(Event::Expected(Box::new(self.expectation.clone())));
    }

    /// Looks up Alertmanager's fingerprint of the alert.
    async fn identify(&mut self) {
        let held = self.context.log.queried("alerts", self.context.systems.alertmanager.alerts().await);
        let labels = self.seen.labels.as_ref();
        let alert = labels
            .zip(held)
            .and_then(|(labels, held)| held.into_iter().find(|alert| covers(&alert.labels, labels)));
        self.seen.fingerprint = alert.map(|alert| alert.fingerprint);
    }
}
