//! Watching the chain: looks at what the systems wrote down and keeps the record up to date.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::context::Context;
use crate::evidence::activation::{self, alert_labels};
use crate::evidence::count::Counter;
use crate::evidence::naming::Naming;
use crate::file::channel::Channel;
use crate::file::drill::Drill;
use crate::observe::counted;
use crate::observe::delivery::{self, Wanted};
use crate::observe::expected::plan;
use crate::record::Record;
use crate::rule::{Subject, covers};
use crate::timing::clock::{self, Deadline};
use crate::timing::phases::last_of;
use alerting::routing::tree::Routing;
use clients::prometheus::{Labels, RuleGroup, Series};
use common::duration;

/// For how long a group outlives its last firing alert, on top of GI: Prometheus goes on telling Alertmanager of a
/// resolved alert for 15 minutes, each time putting it back into its group, and Alertmanager clears an emptied
/// group away every 30 s; neither can be configured. An alert that falls into such a group waits for GI, not GW.
const GROUP_OUTLIVES: Duration = Duration::from_secs(15 * 60 + 30);

/// Between two looks at what Alertmanager counts.
const OFTEN: Duration = Duration::from_millis(250);

/// The watch over one drill.
#[derive(Debug)]
pub struct Watch<'a> {
    context: &'a Context<'a>,
    drill: &'a Drill,
    subject: &'a Subject,
    since: Timestamp,
    poll: Duration,
    /// Id of the last notification read.
    read: u64,
    /// Whether the alert was active at the last look that could tell.
    active: bool,
    /// What Alertmanager has counted.
    counter: Counter,
    /// The rules as last read.
    naming: Naming,
}

impl<'a> Watch<'a> {
    /// A watch over what happens from `since` on; `read` is the id of the last notification before.
    #[must_use]
    pub fn new(
        context: &'a Context<'a>,
        drill: &'a Drill,
        subject: &'a Subject,
        scrape: Duration,
        since: Timestamp,
        read: u64,
    ) -> Self {
        let mut poll =
            (scrape.min(subject.evaluation) / 4).clamp(Duration::from_millis(250), Duration::from_secs(2));
        if context.systems.inbox.is_none() {
            poll = OFTEN; // what is counted happened somewhere between two looks
        }
        Self {
            context,
            drill,
            subject,
            since,
            poll,
            read,
            active: false,
            counter: Counter::default(),
            naming: Naming::default(),
        }
    }

    /// Looks until `done` or the deadline; says whether it was done. The last look is after the deadline, so that
    /// nothing within it is overlooked.
    pub async fn until(
        &mut self,
        record: &mut Record,
        deadline: Deadline,
        done: impl Fn(&Self, &Record) -> bool,
    ) -> bool {
        loop {
            let passed = deadline.passed();
            self.look(record).await;
            self.context.progress.show(record);
            if done(self, record) {
                return true;
            }
            if passed {
                return false;
            }
            sleep(self.poll).await;
        }
    }

    /// Whether the alert was active at the last look.
    #[must_use]
    pub fn active(&self) -> bool {
        self.active
    }

    /// One look at all witnesses. Questions that fail are noted as gaps; what they would have told is still there
    /// at the next look.
    pub async fn look(&mut self, record: &mut Record) {
        let systems = self.context.systems;
        let name = &self.subject.alert;
        let range = (clock::seconds(self.since, Timestamp::now()).ceil().max(0.0) as u64) + 1;
        let query = format!("ALERTS{{alertname={name:?}}}[{range}s]");
        let (history, rules, arrived) = tokio::join!(
            systems.prometheus.query(&query, None),
            systems.prometheus.rules(),
            systems.arrived(self.read),
        );
        if let Some(arrived) = record.gaps.note("inbox", arrived) {
            self.read = arrived.last().map_or(self.read, |last| last.id);
            record.notifications.extend(arrived);
        }
        let history = record.gaps.note("ALERTS", history);
        let rules = record.gaps.note("rules", rules);
        if let Some(rules) = &rules {
            self.naming = Naming::of(rules);
            self.naming.settle(&mut record.notifications);
        }
        if let Some(history) = history {
            self.follow(record, &history, rules.as_deref());
        }
        if record.instants.firing.is_some() && record.fingerprint.is_none() {
            self.identify(record).await;
        }
        if record.counted {
            self.count(record).await;
        } else {
            self.deliveries(record);
        }
    }

    /// Looks at what Alertmanager has counted; to be called once before the cause, for something to compare with.
    pub async fn count(&mut self, record: &mut Record) {
        let alertmanager = &self.context.systems.alertmanager;
        if let Some(delivered) = record.gaps.note("deliveries", alertmanager.delivered().await) {
            for count in self.counter.look(delivered, Timestamp::now()) {
                let (more, by) = (count.more, &count.sender.integration);
                record.event(count.at, format!("Alertmanager counts {more} more by {by}"));
                record.counts.push(count);
            }
        }
        if record.instants.firing.is_some()
            && let Some(config) = record.gaps.note("config", alertmanager.config().await)
            && let Ok(routing) = Routing::parse(&config)
        {
            counted::deliveries(record, &routing);
        }
    }

    fn follow(&mut self, record: &mut Record, history: &[Series], rules: Option<&[RuleGroup]>) {
        let rule = rules.and_then(|rules| self.subject.rule(rules));
        let own = |labels: &Labels| self.subject.owns(labels);
        let active: Vec<_> = rule
            .iter()
            .flat_map(|(_, alerting)| &alerting.alerts)
            .filter(|alert| own(&alert.labels))
            .cloned()
            .collect();
        let mut spells = activation::spells(history, self.subject.evaluation, self.subject.hold);
        spells.retain(|spell| own(&spell.labels) && spell.last >= self.since);
        if rule.is_some() {
            self.active = !active.is_empty();
        }
        let Some(found) = activation::follow(&spells, &active) else { return };
        record.spells = spells;
        // The pending instant may still move (to a later spell, or to the more exact `activeAt`) until it fires.
        if record.instants.firing.is_none() {
            record.instants.pending = Some(found.pending);
            record.labels = Some(found.labels.clone());
        }
        record.instants.firing = record.instants.firing.or(found.firing);
        record.last_firing = found.last_firing;
        let Some((rule, _)) = rule else { return };
        let still = active.iter().any(|alert| alert.labels == found.labels);
        self.active = still;
        if let Some(last) = found.last_firing
            && record.instants.lifted.is_some()
            && !still
            && rule.last_evaluation.is_some_and(|evaluated| evaluated > last)
        {
            // The evaluation after the last sample as firing resolved it.
            record.instants.resolved.get_or_insert(clock::after(last, self.subject.evaluation));
        }
    }

    /// Learns Alertmanager's fingerprint of the alert.
    async fn identify(&self, record: &mut Record) {
        let held = record.gaps.note("alerts", self.context.systems.alertmanager.alerts().await);
        let alert = record
            .labels
            .as_ref()
            .zip(held)
            .and_then(|(labels, held)| held.into_iter().find(|alert| covers(&alert.labels, labels)));
        record.fingerprint = alert.map(|alert| alert.fingerprint);
    }

    fn deliveries(&self, record: &mut Record) {
        let (Some(labels), Some(firing)) = (record.labels.clone(), record.instants.firing) else { return };
        let fingerprint = record.fingerprint.clone();
        let wanted =
            Wanted { labels: &labels, fingerprint: fingerprint.as_deref(), firing, naming: &self.naming };
        for channel in Channel::ALL {
            let since = record.instants.cause.unwrap_or(self.since);
            if let Some(at) = delivery::notified(&record.notifications, channel, &wanted, since) {
                record.instants.notified.insert(channel, at);
            }
            let (Some(lifted), Some(last)) = (record.instants.lifted, record.last_firing) else { continue };
            if let Some((at, end)) = delivery::told(&record.notifications, channel, &wanted, lifted, last) {
                record.instants.told.insert(channel, at);
                if end.is_some() {
                    record.instants.resolved = end; // What Prometheus itself said beats the sample's reckoning.
                }
            }
        }
    }

    /// Once the alert fires: the routes of its real labels, and whether Alertmanager had its group already.
    pub async fn settle_bounds(&self, record: &mut Record, scrape: Duration) {
        let (Some(labels), Some(firing)) = (record.labels.clone(), record.instants.firing) else { return };
        let systems = self.context.systems;
        let config = record.gaps.note("config", systems.alertmanager.config().await);
        let Some(routing) = config.and_then(|config| Routing::parse(&config).ok()) else { return };
        plan(record, &routing, self.subject, &labels, scrape, self.drill, false);
        let interval = record.inputs.map_or(Duration::ZERO, |inputs| inputs.group_interval);
        let window = duration::format(interval + GROUP_OUTLIVES + self.subject.evaluation);
        let before = clock::before(firing, Duration::from_millis(1));
        let query = format!("ALERTS{{alertstate=\"firing\"}}[{window}]");
        let history = record.gaps.note("group", systems.prometheus.query(&query, Some(before)).await);
        let exists = history.iter().flatten().any(|series| {
            let other = alert_labels(&series.labels);
            record.routes.iter().any(|route| route.groups_together(&labels, &other))
        });
        if exists {
            plan(record, &routing, self.subject, &labels, scrape, self.drill, true);
            record.event(
                firing,
                "Alertmanager may still have the alert's group: its next notification waits for GI",
            );
        }
    }
}

/// Whether every expected channel has received it firing.
#[must_use]
pub fn all_notified(record: &Record) -> bool {
    last_of(&record.instants.notified, &record.expected).is_some()
}

/// Whether every expected channel has received it resolved.
#[must_use]
pub fn all_told(record: &Record) -> bool {
    last_of(&record.instants.told, &record.expected).is_some()
}
