//! Tells notifications of the followed alert from unexpected ones.

use std::time::Duration;

use jiff::Timestamp;

use crate::evidence::naming::Naming;
use crate::observe::arrivals::Arrivals;
use crate::record::observations::Observations;
use crate::rule::covers;
use crate::timing::clock;
use clients::inbox::{Channel, Notification, NotifiedAlert};
use clients::prometheus::Labels;

/// Prometheus writes `startsAt` in nanoseconds and samples in milliseconds, and Alertmanager may merge neighbouring
/// values: timestamps that differ by at most this much count as equal.
const SAME_START: Duration = Duration::from_secs(1);

/// The alert whose notifications are searched for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Labels of the alert, `alertname` included.
    pub labels: &'a Labels,
    /// Alertmanager's fingerprint of the alert, when known.
    pub fingerprint: Option<&'a str>,
    /// When it fired.
    pub firing: Timestamp,
    /// Names and labels of all alerts that a text may be about.
    pub naming: &'a Naming,
}

impl Wanted<'_> {
    /// Whether a notification on this channel that contains `alert` is about the wanted alert.
    #[must_use]
    pub fn is(&self, channel: Channel, alert: &NotifiedAlert) -> bool {
        if channel == Channel::Heartbeat {
            return true; // with a failing Alertmanager no notification of any alert arrives
        }
        if self.labels.get("alertname") != Some(&alert.alert) {
            return false;
        }
        match channel {
            Channel::Webhook => {
                let same = match (self.fingerprint, &alert.fingerprint) {
                    (Some(one), Some(other)) => one == other,
                    _ => covers(&alert.labels, self.labels),
                };
                same && alert.starts_at.is_none_or(|start| start >= clock::before(self.firing, SAME_START))
            }
            // Texts have neither fingerprint nor start; only the name and labels in the text identify the alert.
            _ => !self.naming.is_of_another(alert, self.labels),
        }
    }
}

/// Records the channels on which the followed alert was received firing and, after the cause was lifted, resolved.
pub fn deliveries(seen: &mut Observations, arrivals: &Arrivals, cause: Timestamp, lifted: Option<Timestamp>) {
    let (Some(labels), Some(firing)) = (seen.labels.clone(), seen.firing) else { return };
    let fingerprint = seen.fingerprint.clone();
    let (all, naming) = (arrivals.all(), arrivals.naming());
    let wanted = Wanted { labels: &labels, fingerprint: fingerprint.as_deref(), firing, naming };
    for channel in Channel::ALL {
        if let Some(at) = notified(all, channel, &wanted, cause) {
            seen.notified.insert(channel, at);
            seen.namesakes.remove(&channel);
        } else if let Some(other) = namesake(all, channel, &labels, cause) {
            seen.namesakes.insert(channel, other);
        }
        let (Some(lifted), Some(last)) = (lifted, seen.last_firing) else { continue };
        if let Some((at, end)) = all_clear(all, channel, &wanted, lifted, last) {
            seen.all_clear.insert(channel, at);
            if end.is_some() {
                seen.resolved = end; // `endsAt` of Prometheus is more precise than the samples.
            }
        }
    }
}

/// Records when the inbox noticed that the heartbeat `alert` stopped and, after the cause was lifted, that it returned.
pub fn beats(
    seen: &mut Observations,
    arrivals: &Arrivals,
    alert: &str,
    cause: Timestamp,
    lifted: Option<Timestamp>,
) {
    let labels = Labels::from([("alertname".to_owned(), alert.to_owned())]);
    let naming = Naming::default(); // heartbeat notifications are not texts
    let wanted = |firing| Wanted { labels: &labels, fingerprint: None, firing, naming: &naming };
    let (all, channel) = (arrivals.all(), Channel::Heartbeat);
    match lifted {
        None => seen.notified.extend(notified(all, channel, &wanted(cause), cause).map(|at| (channel, at))),
        Some(lifted) => {
            let clear = all_clear(all, channel, &wanted(lifted), lifted, lifted);
            seen.all_clear.extend(clear.map(|(at, _)| (channel, at)));
        }
    }
}

/// The first firing notification of the alert on `channel`, received at or after `since`.
#[must_use]
pub fn notified(
    all: &[Notification],
    channel: Channel,
    wanted: &Wanted<'_>,
    since: Timestamp,
) -> Option<Timestamp> {
    find(all, channel, wanted, "firing", since).next().map(|(at, _)| at)
}

/// The first firing notification on `channel` of an alert with the same name, received at or after `since`.
fn namesake(
    all: &[Notification],
    channel: Channel,
    labels: &Labels,
    since: Timestamp,
) -> Option<(Timestamp, Labels)> {
    let name = labels.get("alertname")?;
    let received = all.iter().filter(|it| it.channel == channel.name() && it.received_at >= since);
    let mut alerts = received.flat_map(|it| it.alerts.iter().map(|alert| (it.received_at, alert)));
    let (at, alert) = alerts.find(|(_, alert)| alert.status == "firing" && alert.alert == *name)?;
    Some((at, alert.labels.clone()))
}

/// The first resolved notification of the alert on `channel`, received at or after `since`, with the time of resolution
/// where the channel carries it. An end before `last_firing` belongs to an earlier activation and is skipped.
#[must_use]
pub fn all_clear(
    all: &[Notification],
    channel: Channel,
    wanted: &Wanted<'_>,
    since: Timestamp,
    last_firing: Timestamp,
) -> Option<(Timestamp, Option<Timestamp>)> {
    find(all, channel, wanted, "resolved", since)
        .find(|(_, alert)| alert.ends_at.is_none_or(|end| end >= last_firing))
        .map(|(at, alert)| (at, alert.ends_at))
}

fn find<'a>(
    all: &'a [Notification],
    channel: Channel,
    wanted: &'a Wanted<'_>,
    status: &'static str,
    since: Timestamp,
) -> impl Iterator<Item = (Timestamp, &'a NotifiedAlert)> {
    all.iter()
        .filter(move |notification| {
            notification.channel == channel.name() && notification.received_at >= since
        })
        .filter_map(move |notification| {
            let alert = notification
                .alerts
                .iter()
                .find(|alert| alert.status == status && wanted.is(channel, alert))?;
            Some((notification.received_at, alert))
        })
}

/// Notifications without an explanation, as (received, channel, alert): firing alerts for which `explained` is false, given
/// their channel, and resolved alerts that were to be inhibited (`inhibited`). Alerts that began before `since` are skipped.
#[must_use]
pub fn unexplained(
    all: &[Notification],
    since: Timestamp,
    explained: impl Fn(&str, &NotifiedAlert) -> bool,
    inhibited: impl Fn(&NotifiedAlert) -> bool,
) -> Vec<(Timestamp, String, String)> {
    let mut found = Vec::new();
    for notification in all {
        for alert in &notification.alerts {
            let begun = alert.starts_at.unwrap_or(notification.received_at);
            let news = match alert.status.as_str() {
                "firing" => begun >= since && !explained(&notification.channel, alert),
                // Only a webhook carries the start; without it the notification may end an alert from before the drill.
                "resolved" => alert.starts_at.is_some_and(|start| start >= since) && inhibited(alert),
                _ => false,
            };
            if news {
                found.push((notification.received_at, notification.channel.clone(), alert.alert.clone()));
            }
        }
    }
    found
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
