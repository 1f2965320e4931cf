//! Watching the chain: looks at what the systems wrote down, and what that shows of the alert.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::context::Context;
use crate::evidence::activation::{self, alert_labels};
use crate::evidence::count::Counter;
use crate::observe::arrivals::Arrivals;
use crate::observe::{counted, delivery};
use crate::record::event::Event;
use crate::record::expectation::Expectation;
use crate::record::observations::Observations;
use crate::rule::{Subject, covers};
use crate::timing::clock::{self, Deadline};
use crate::timing::phases::last_of;
use alerting::routing::tree::Routing;
use clients::SystemError;
use clients::inbox::Listing;
use clients::prometheus::{Labels, RuleGroup, Series};
use common::duration;

/// For how long a group outlives its last firing alert, on top of GI: Prometheus goes on telling Alertmanager of a
/// resolved alert for 15 minutes, each time putting it back into its group, and Alertmanager clears an emptied
/// group away every 30 s; neither can be configured. An alert that falls into such a group waits for GI, not GW.
const GROUP_OUTLIVES: Duration = Duration::from_secs(15 * 60 + 30);

/// Between two looks at what Alertmanager counts.
const OFTEN: Duration = Duration::from_millis(250);

/// Between two looks at an inbox alone.
const POLL: Duration = Duration::from_millis(500);

/// The watch over one drill: what it has seen, and what it needs to see more.
#[derive(Debug)]
pub struct Watch<'a> {
    context: &'a Context<'a>,
    /// What is expected; grows more exact with what is seen.
    pub expectation: Expectation,
    /// What was seen of the alert.
    pub seen: Observations,
    /// When the baseline began.
    pub began: Timestamp,
    /// From when on an activation is the drill's own.
    pub since: Timestamp,
    cause: Timestamp,
    lifted: Option<Timestamp>,
    poll: Duration,
    /// Notifications as they arrive.
    pub arrivals: Arrivals,
    /// Whether the alert was active at the last look that could tell.
    active: bool,
    /// What Alertmanager has counted.
    counter: Counter,
}

impl<'a> Watch<'a> {
    /// A watch over a drill whose baseline began at the first of the two instants; activations count from the second.
    #[must_use]
    pub fn new(
        context: &'a Context<'a>,
        expectation: Expectation,
        (began, since): (Timestamp, Timestamp),
        arrivals: Arrivals,
    ) -> Self {
        let poll = match &expectation.subject {
            Some(_) if expectation.counted => OFTEN, // what is counted happened somewhere between two looks
            Some(subject) if !context.drill.proves.stops => (expectation.scrape().min(subject.evaluation)
                / 4)
            .clamp(Duration::from_millis(250), Duration::from_secs(2)),
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

    /// After the cause of `at` is in force, with what is expected since.
    #[must_use]
    pub fn caused(self, at: Timestamp, expectation: Expectation) -> Self {
        Self { cause: at, expectation, ..self }
    }

    /// After the cause was lifted.
    #[must_use]
    pub fn lifted(self, at: Timestamp) -> Self {
        Self { lifted: Some(at), ..self }
    }

    /// Looks until `done` or the deadline; says whether it was done. The last look is after the deadline, so that
    /// nothing within it is overlooked.
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

    /// Whether the alert was active at the last look.
    #[must_use]
    pub fn active(&self) -> bool {
        self.active
    }

    /// Whether every expected channel has received it firing.
    #[must_use]
    pub fn all_notified(&self) -> bool {
        last_of(&self.seen.notified, &self.expectation.channels).is_some()
    }

    /// Whether every expected channel has received it resolved.
    #[must_use]
    pub fn all_clear_arrived(&self) -> bool {
        last_of(&self.seen.all_clear, &self.expectation.channels).is_some()
    }

    /// One look at all witnesses. Questions that fail are noted as gaps; what they would have told is still there
    /// at the next look.
    pub async fn look(&mut self) {
        let before = self.seen.clone();
        match self.expectation.subject.clone() {
            None => self.read(self.context.systems.arrived(self.arrivals.read()).await),
            Some(subject) if self.context.drill.proves.stops => {
                self.read(self.context.systems.arrived(self.arrivals.read()).await);
                delivery::beats(&mut self.seen, &self.arrivals, &subject.alert, self.cause, self.lifted);
            }
            Some(subject) => self.alert(&subject).await,
        }
        if self.seen != before {
            self.context.log.append(Event::Observed(Box::new(self.seen.clone())));
        }
    }

    fn read(&mut self, arrived: Result<Listing, SystemError>) {
        if let Some(arrived) = self.context.log.asked("inbox", arrived) {
            self.arrivals.extend(arrived);
        }
    }

    async fn alert(&mut self, subject: &Subject) {
        let systems = self.context.systems;
        let name = &subject.alert;
        let range = (clock::seconds(self.since, Timestamp::now()).ceil().max(0.0) as u64) + 1;
        let query = format!("ALERTS{{alertname={name:?}}}[{range}s]");
        let (history, rules, arrived) = tokio::join!(
            systems.prometheus.query(&query, None),
            systems.prometheus.rules(),
            systems.arrived(self.arrivals.read()),
        );
        self.read(arrived);
        let history = self.context.log.asked("ALERTS", history);
        let rules = self.context.log.asked("rules", rules);
        if let Some(rules) = &rules {
            self.arrivals.settle(rules);
        }
        if let Some(history) = history {
            self.follow(subject, &history, rules.as_deref());
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

    /// Looks at what Alertmanager has counted, where that has to do; to be called once before the cause, for something
    /// to compare with.
    pub async fn count(&mut self) {
        if !self.expectation.counted || self.expectation.subject.is_none() {
            return;
        }
        let alertmanager = &self.context.systems.alertmanager;
        if let Some(delivered) = self.context.log.asked("deliveries", alertmanager.delivered().await) {
            for count in self.counter.look(delivered, Timestamp::now()) {
                let (more, by) = (count.more, &count.sender.integration);
                self.context.log.note(count.at, format!("Alertmanager counts {more} more by {by}"));
            }
        }
        if self.seen.firing.is_some()
            && let Some(config) = self.context.log.asked("config", alertmanager.config().await)
            && let Ok(routing) = Routing::parse(&config)
        {
            counted::deliveries(&mut self.seen, &self.expectation, self.counter.counts(), &routing);
        }
    }

    fn follow(&mut self, subject: &Subject, history: &[Series], rules: Option<&[RuleGroup]>) {
        let rule = rules.and_then(|rules| subject.rule(rules));
        let own = |labels: &Labels| subject.owns(labels);
        let active: Vec<_> = rule
            .iter()
            .flat_map(|(_, alerting)| &alerting.alerts)
            .filter(|alert| own(&alert.labels))
            .cloned()
            .collect();
        let mut activations = activation::activations(history, subject.evaluation, subject.hold);
        activations.retain(|activation| own(&activation.labels) && activation.last >= self.since);
        if rule.is_some() {
            self.active = !active.is_empty();
        }
        let Some(found) = activation::follow(&activations, &active) else { return };
        self.seen.activations = activations;
        // The pending instant may still move (to a later activation, or to the more exact `activeAt`) until it fires.
        if self.seen.firing.is_none() {
            self.seen.pending = Some(found.pending);
            self.seen.labels = Some(found.labels.clone());
        }
        self.seen.firing = self.seen.firing.or(found.firing);
        self.seen.last_firing = found.last_firing;
        let Some((rule, _)) = rule else { return };
        let still = active.iter().any(|alert| alert.labels == found.labels);
        self.active = still;
        if let Some(last) = found.last_firing
            && self.lifted.is_some()
            && !still
            && rule.last_evaluation.is_some_and(|evaluated| evaluated > last)
        {
            // The evaluation after the last sample as firing resolved it.
            self.seen.resolved.get_or_insert(clock::after(last, subject.evaluation));
        }
    }

    /// Learns Alertmanager's fingerprint of the alert.
    async fn identify(&mut self) {
        let held = self.context.log.asked("alerts", self.context.systems.alertmanager.alerts().await);
        let labels = self.seen.labels.as_ref();
        let alert = labels
            .zip(held)
            .and_then(|(labels, held)| held.into_iter().find(|alert| covers(&alert.labels, labels)));
        self.seen.fingerprint = alert.map(|alert| alert.fingerprint);
    }

    /// Once the alert fires: the routes of its real labels, and whether Alertmanager had its group already.
    pub async fn settle_bounds(&mut self) {
        let (Some(labels), Some(firing)) = (self.seen.labels.clone(), self.seen.firing) else { return };
        let systems = self.context.systems;
        let config = self.context.log.asked("config", systems.alertmanager.config().await);
        let Some(routing) = config.and_then(|config| Routing::parse(&config).ok()) else { return };
        let (before, scrape) = (self.expectation.clone(), self.expectation.scrape());
        let routed = |exists| before.clone().routed(&routing, &labels, scrape, self.context.drill, exists);
        let mut expectation = routed(false);
        let evaluation = expectation.inputs.map_or(Duration::ZERO, |inputs| inputs.evaluation);
        let window = duration::format(expectation.group_interval() + GROUP_OUTLIVES + evaluation);
        let just_before = clock::before(firing, Duration::from_millis(1));
        let query = format!("ALERTS{{alertstate=\"firing\"}}[{window}]");
        let history =
            self.context.log.asked("group", systems.prometheus.query(&query, Some(just_before)).await);
        let exists = history.iter().flatten().any(|series| {
            let other = alert_labels(&series.labels);
            expectation.routes.iter().any(|route| route.groups_together(&labels, &other))
        });
        if exists {
            expectation = routed(true);
            let waits = "Alertmanager may still have the alert's group: its next notification waits for GI";
            self.context.log.note(firing, waits);
        }
        self.context.log.append(Event::Expected(Box::new(expectation.clone())));
        self.expectation = expectation;
    }
}
