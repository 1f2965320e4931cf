//! Delivery without an inbox: counted by Alertmanager, not seen. A count says neither of which alert it is nor whether
//! it tells of firing or of resolved; the order of things says so, as long as nothing else goes by the same way.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::activation::alert_labels;
use super::clock;
use super::course::Context;
use super::file::{Channel, Drill};
use super::record::Record;
use super::routes::Routing;
use super::subject::Subject;
use crate::systems::alertmanager::{Delivered, Sender};
use crate::systems::prometheus::Labels;

/// What a verdict says of it.
pub const SAID: &str = "delivery was counted by Alertmanager, not seen";

/// Notifications that went out between two looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The later of the two.
    pub at: Timestamp,
    /// Who sent them.
    pub sender: Sender,
    /// How many.
    pub more: u64,
}

/// What was counted so far.
#[derive(Debug, Default)]
pub struct Counter {
    last: Option<Delivered>,
}

impl Counter {
    /// What has been added since the look before; the first has nothing to compare with. A count that fell is of an
    /// Alertmanager that was started anew.
    pub fn look(&mut self, now: Delivered, at: Timestamp) -> Vec<Count> {
        let Some(last) = self.last.replace(now.clone()) else { return Vec::new() };
        let more = |(sender, count): (&Sender, &u64)| {
            let before = last.get(sender).copied().unwrap_or(0);
            let more = if *count < before { *count } else { count - before };
            (more > 0).then(|| Count { at, sender: sender.clone(), more })
        };
        now.iter().filter_map(more).collect()
    }
}

/// By which of Alertmanager's integrations a channel is reached, given the kinds of its receivers.
#[must_use]
pub fn integration(channel: Channel, kinds: &BTreeSet<String>) -> &'static str {
    match channel {
        Channel::Discord if !kinds.contains("discord") => "slack", // it takes Slack's bodies, too
        other => other.name(),
    }
}

/// When, at the latest, the `nth` notification (from 0) since `since` had gone out by this integration of one of these
/// receivers.
#[must_use]
pub fn sent(
    counts: &[Count],
    integration: &str,
    receivers: &BTreeSet<String>,
    since: Timestamp,
    nth: u64,
) -> Option<Timestamp> {
    let ours = |sender: &Sender| {
        sender.integration == integration
            && sender.receiver.as_ref().is_none_or(|receiver| receivers.contains(receiver))
    };
    let mut total = 0;
    counts.iter().filter(|count| count.at >= since && ours(&count.sender)).find_map(|count| {
        total += count.more;
        (total > nth).then_some(count.at)
    })
}

/// Takes down on which channels the alert was counted as notified, and as told.
pub fn deliveries(record: &mut Record, routing: &Routing) {
    let Some(firing) = record.instants.firing else { return };
    let receivers: BTreeSet<String> = record.routes.iter().map(|route| route.receiver.clone()).collect();
    let kinds = kinds(routing, &receivers);
    let mut before: Vec<&str> = Vec::new();
    for channel in record.expected.clone() {
        let integration = integration(channel, &kinds);
        // Channels that share an integration each need a notification of their own.
        let nth = before.iter().filter(|it| **it == integration).count() as u64;
        before.push(integration);
        if let Some(at) = sent(&record.counts, integration, &receivers, firing, nth) {
            record.instants.notified.entry(channel).or_insert(at);
        }
        let Some(resolved) = record.instants.resolved else { continue };
        if let Some(at) = sent(&record.counts, integration, &receivers, resolved, nth) {
            record.instants.told.entry(channel).or_insert(at);
        }
    }
}

fn kinds(routing: &Routing, receivers: &BTreeSet<String>) -> BTreeSet<String> {
    receivers.iter().filter_map(|name| routing.kinds(name)).flatten().cloned().collect()
}

/// Why this drill cannot do without an inbox, if so.
#[must_use]
pub fn needs_inbox(drill: &Drill) -> Option<&'static str> {
    let expect = &drill.expect;
    if drill.proves.stops || expect.delivered.contains(&Channel::Heartbeat) {
        return Some("only an inbox notices that the heartbeat has stopped");
    }
    if !drill.cause.inbox.is_empty() {
        return Some("the cause makes an inbox fail");
    }
    (!expect.inhibited.is_empty()).then_some("that nobody was told of what is inhibited cannot be counted")
}

/// Other alerts that have been firing since `since` and go out by the same integration as the alert of `own` labels:
/// what is counted may be theirs. In words, `None` when there is none.
///
/// # Errors
/// When the systems cannot be asked.
pub async fn mingled(
    context: &Context<'_>,
    drill: &Drill,
    subject: &Subject,
    own: &Labels,
    since: Timestamp,
) -> Result<Option<String>, String> {
    let range = (clock::seconds(since, Timestamp::now()).ceil().max(0.0) as u64) + 1;
    let query = format!("ALERTS{{alertstate=\"firing\"}}[{range}s]");
    let history = context.systems.prometheus.query(&query, None).await.map_err(|error| error.to_string())?;
    let (config, counters) =
        tokio::join!(context.systems.alertmanager.config(), context.systems.alertmanager.delivered());
    let routing = Routing::parse(&config.map_err(|error| error.to_string())?)?;
    let named = counters.map_err(|error| error.to_string())?.keys().any(|sender| sender.receiver.is_some());
    let others =
        history.iter().map(|series| alert_labels(&series.labels)).filter(|labels| !subject.owns(labels));
    let ours = senders(&routing, own, named);
    let wanted: BTreeSet<&str> = {
        let kinds = ours.iter().map(|sender| sender.integration.clone()).collect();
        drill.expect.delivered.iter().map(|channel| integration(*channel, &kinds)).collect()
    };
    let mut found = BTreeSet::new();
    for other in others {
        for sender in senders(&routing, &other, named).intersection(&ours) {
            if wanted.contains(sender.integration.as_str()) {
                let name = other.get("alertname").cloned().unwrap_or_default();
                found.insert(format!("{name} goes out by {} as well", sender.integration));
            }
        }
    }
    Ok((!found.is_empty()).then(|| {
        let found: Vec<_> = found.into_iter().collect();
        format!(
            "{}, and a count does not say of which alert it is: lead the route to an inbox, or start Alertmanager 0.28 \
             or newer with --enable-feature=receiver-name-in-metrics and give the alerts different receivers",
            found.join(", ")
        )
    }))
}

/// The senders that an alert of these labels is led to.
fn senders(routing: &Routing, labels: &Labels, named: bool) -> BTreeSet<Sender> {
    let of = |receiver: &str| {
        let receiver = receiver.to_owned();
        let kinds = routing.kinds(&receiver).unwrap_or_default().to_vec();
        kinds
            .into_iter()
            .map(move |integration| Sender { integration, receiver: named.then(|| receiver.clone()) })
    };
    routing.of(labels).into_iter().flat_map(|route| of(&route.receiver)).collect()
}

#[cfg(test)]
#[path = "counted_tests.rs"]
mod tests;
