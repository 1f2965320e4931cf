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
mod tests {
    use super::*;
    use crate::evidence::naming::tests::naming;
    use clients::inbox::Listing;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn labels(job: &str) -> Labels {
        Labels::from([("alertname".into(), "A".into()), ("job".into(), job.into())])
    }

    fn webhook(received: i64, status: &str, job: &str, print: Option<&str>, starts: i64) -> Notification {
        let alert = NotifiedAlert {
            alert: "A".into(),
            status: status.into(),
            heading: None,
            fingerprint: print.map(str::to_owned),
            starts_at: Some(at(starts)),
            ends_at: (status == "resolved").then(|| at(received - 1)),
            labels: labels(job),
        };
        notification(received, "webhook", status, vec![alert])
    }

    fn slack(received: i64, status: &str, name: &str) -> Notification {
        let alert = NotifiedAlert {
            alert: name.into(),
            status: status.into(),
            heading: None,
            fingerprint: None,
            starts_at: None,
            ends_at: None,
            labels: Labels::new(),
        };
        notification(received, "slack", status, vec![alert])
    }

    fn notification(received: i64, channel: &str, status: &str, alerts: Vec<NotifiedAlert>) -> Notification {
        Notification {
            id: 1,
            received_at: at(received),
            channel: channel.into(),
            status: status.into(),
            alerts,
            body: serde_json::Value::Null,
        }
    }

    #[test]
    fn matches_webhooks_by_fingerprint_and_start() {
        let naming = Naming::default();
        let wanted = labels("api");
        let all = [
            webhook(5, "firing", "api", Some("f1"), -60),
            webhook(8, "firing", "redis", Some("f2"), 7),
            webhook(9, "firing", "api", Some("f1"), 7),
            webhook(20, "resolved", "redis", Some("f2"), 7),
            webhook(21, "resolved", "api", Some("f1"), 7),
        ];
        for fingerprint in [Some("f1"), None] {
            let wanted = Wanted { labels: &wanted, fingerprint, firing: at(7), naming: &naming };
            assert_eq!(notified(&all, Channel::Webhook, &wanted, at(0)), Some(at(9)), "{fingerprint:?}");
            assert_eq!(
                all_clear(&all, Channel::Webhook, &wanted, at(0), at(19)),
                Some((at(21), Some(at(20))))
            );
            assert_eq!(all_clear(&all, Channel::Webhook, &wanted, at(0), at(25)), None, "fired again since");
            assert_eq!(notified(&all, Channel::Slack, &wanted, at(0)), None);
        }
        let other = Wanted { labels: &wanted, fingerprint: Some("f3"), firing: at(7), naming: &naming };
        assert_eq!(notified(&all, Channel::Webhook, &other, at(0)), None);
        let second = Wanted { labels: &wanted, fingerprint: None, firing: at(30), naming: &naming };
        assert_eq!(notified(&all, Channel::Webhook, &second, at(0)), None, "an earlier activation");
    }

    #[test]
    fn matches_slack_by_name_and_time() {
        let naming = Naming::default();
        let wanted = labels("api");
        let wanted = Wanted { labels: &wanted, fingerprint: Some("f1"), firing: at(7), naming: &naming };
        let all = [
            slack(-3, "firing", "A"),
            slack(8, "firing", "B"),
            slack(9, "firing", "A"),
            slack(30, "resolved", "A"),
        ];
        assert_eq!(notified(&all, Channel::Slack, &wanted, at(0)), Some(at(9)));
        assert_eq!(all_clear(&all, Channel::Slack, &wanted, at(0), at(19)), Some((at(30), None)));
    }

    #[test]
    fn ignores_texts_of_another_alert_of_the_name() {
        let naming = naming(&[("A b", &[("severity", "critical")]), ("A b", &[("severity", "warning")])]);
        let labels =
            Labels::from([("alertname".into(), "A b".into()), ("severity".into(), "critical".into())]);
        let wanted = Wanted { labels: &labels, fingerprint: Some("f1"), firing: at(7), naming: &naming };
        let text = |received, status, heading: &str| {
            let mut notification = slack(received, status, "A");
            notification.alerts[0].heading = Some(heading.into());
            notification
        };
        let mut all = [
            text(8, "firing", "A b (warning)"),
            text(9, "firing", "A b (critical)"),
            text(30, "resolved", "A b (warning)"),
            text(31, "resolved", "A b (critical)"),
        ];
        assert_eq!(notified(&all, Channel::Slack, &wanted, at(0)), None, "the inbox read the name as `A`");
        naming.settle(&mut all);
        assert_eq!(notified(&all, Channel::Slack, &wanted, at(0)), Some(at(9)));
        assert_eq!(all_clear(&all, Channel::Slack, &wanted, at(0), at(19)), Some((at(31), None)));
    }

    #[test]
    fn records_another_alert_of_the_name() {
        let mut arrivals = Arrivals::after(&Listing::default());
        let listed = |notifications| Listing { notifications, ..Listing::default() };
        arrivals.extend(listed(vec![webhook(9, "firing", "redis", Some("f2"), 7), slack(10, "firing", "A")]));
        let mut seen =
            Observations { labels: Some(labels("api")), firing: Some(at(7)), ..Observations::default() };
        deliveries(&mut seen, &arrivals, at(0), None);
        assert_eq!(seen.notified, [(Channel::Slack, at(10))].into());
        assert_eq!(seen.namesakes, [(Channel::Webhook, (at(9), labels("redis")))].into());
        arrivals.extend(listed(vec![webhook(12, "firing", "api", None, 7)]));
        deliveries(&mut seen, &arrivals, at(0), None);
        assert_eq!(seen.notified[&Channel::Webhook], at(12));
        assert!(seen.namesakes.is_empty());
    }

    #[test]
    fn finds_unexpected_notifications() {
        let all = [
            webhook(5, "firing", "api", None, -60),
            webhook(6, "resolved", "api", None, 1),
            slack(7, "firing", "B"),
            slack(8, "firing", "C"),
            webhook(9, "firing", "api", None, 2),
        ];
        let found =
            unexplained(&all, at(0), |channel, alert| channel == "slack" && alert.alert == "C", |_| false);
        let expected = |at, channel: &str, alert: &str| (at, channel.to_owned(), alert.to_owned());
        assert_eq!(found, [expected(at(7), "slack", "B"), expected(at(9), "webhook", "A")]);
        let found = unexplained(&all, at(0), |_, _| true, |alert| alert.alert == "A");
        assert_eq!(found, [expected(at(6), "webhook", "A")], "its end, though it was inhibited");
        assert!(unexplained(&all, at(2), |_, _| true, |_| true).is_empty(), "it began before");
    }
}
