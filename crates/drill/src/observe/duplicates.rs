//! Notifications of the rule under test that Alertmanager should not have sent: duplicates, and firing after the all-clear.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::observe::delivery::Wanted;
use crate::timing::clock::{readable, seconds};
use clients::inbox::{Channel, Notification, NotifiedAlert};

/// Tolerance for Alertmanager and the clocks: a repetition may be this much early.
const EARLY: Duration = Duration::from_secs(1);

/// Limits on the notifications of one alert.
#[derive(Debug)]
pub struct Rules<'a> {
    /// The number of copies each channel may receive at once.
    pub copies: &'a BTreeMap<Channel, usize>,
    /// The time after which Alertmanager may repeat an unchanged notification.
    pub repeat_interval: Duration,
    /// Whether no other alert of the same name was active; texts identify alerts only by name.
    pub only_one: bool,
}

/// Every such notification received at or after `since`: its time, its channel and what is wrong with it.
#[must_use]
pub fn duplicates(
    all: &[Notification],
    wanted: &Wanted<'_>,
    since: Timestamp,
    rules: &Rules<'_>,
) -> Vec<(Timestamp, String)> {
    let mut found = Vec::new();
    for channel in Channel::ALL.into_iter().filter(|channel| *channel != Channel::Heartbeat) {
        if channel != Channel::Webhook && !rules.only_one {
            continue;
        }
        let mut sent: BTreeMap<Content, Vec<Timestamp>> = BTreeMap::new();
        let mut all_clear = None;
        for (notification, alert) in own(all, channel, wanted, since) {
            let at = notification.received_at;
            let earlier = sent.entry(Content::of(notification)).or_default();
            let copies = rules.copies.get(&channel).copied().unwrap_or(0).max(1);
            if let Some(first) = earlier.len().checked_sub(copies).map(|index| earlier[index])
                && seconds(first, at) < rules.repeat_interval.saturating_sub(EARLY).as_secs_f64()
            {
                let apart = readable(seconds(first, at));
                found.push((at, format!("arrived at {channel} again after {apart}, a duplicate")));
            }
            earlier.push(at);
            match (alert.status.as_str(), all_clear) {
                ("resolved", _) => all_clear = Some(at),
                ("firing", Some(_)) => {
                    found.push((at, format!("arrived at {channel} firing again after its all-clear")));
                    all_clear = None;
                }
                _ => {}
            }
        }
    }
    found
}

/// Notifications of the alert on a channel, in order of arrival.
#[must_use]
pub fn own<'a>(
    all: &'a [Notification],
    channel: Channel,
    wanted: &Wanted<'_>,
    since: Timestamp,
) -> Vec<(&'a Notification, &'a NotifiedAlert)> {
    let received = all.iter().filter(|it| it.channel == channel.name() && it.received_at >= since);
    let mut own: Vec<_> = received
        .filter_map(|it| Some((it, it.alerts.iter().find(|alert| wanted.is(channel, alert))?)))
        .collect();
    own.sort_by_key(|(notification, _)| notification.received_at);
    own
}

/// The part of a notification that is compared to find duplicates. For a webhook: the receiver and the alerts with their
/// states, since annotations may hold a value that changes. For a text: all of it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    Alerts(String, BTreeSet<(String, String)>),
    Text(String),
}

impl Content {
    fn of(notification: &Notification) -> Self {
        if notification.channel != Channel::Webhook.name() {
            return Self::Text(notification.body.to_string());
        }
        let alert = |alert: &NotifiedAlert| {
            let print = alert.fingerprint.clone().unwrap_or_else(|| format!("{:?}", alert.labels));
            // An alert that fires again is not a duplicate.
            (format!("{print} {:?}", alert.starts_at), alert.status.clone())
        };
        let receiver = notification.body["receiver"].as_str().unwrap_or_default();
        Self::Alerts(receiver.to_owned(), notification.alerts.iter().map(alert).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::naming::Naming;
    use clients::prometheus::Labels;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn sent(received: i64, channel: &str, receiver: &str, alerts: &[(&str, &str)]) -> Notification {
        let alert = |(print, status): &(&str, &str)| NotifiedAlert {
            alert: "A".into(),
            status: (*status).into(),
            heading: None,
            fingerprint: (channel == "webhook").then(|| (*print).to_owned()),
            starts_at: None,
            ends_at: None,
            labels: Labels::new(),
        };
        Notification {
            id: 1,
            received_at: at(received),
            channel: channel.into(),
            status: alerts[0].1.into(),
            alerts: alerts.iter().map(alert).collect(),
            body: serde_json::json!({"receiver": receiver, "text": format!("{alerts:?}")}),
        }
    }

    fn found(all: &[Notification], copies: usize, only_one: bool) -> Vec<(i64, String)> {
        let (labels, naming) = (Labels::from([("alertname".into(), "A".into())]), Naming::default());
        let wanted = Wanted { labels: &labels, fingerprint: Some("own"), firing: at(0), naming: &naming };
        let copies = Channel::ALL.map(|channel| (channel, copies)).into();
        let rules = Rules { copies: &copies, repeat_interval: Duration::from_secs(60), only_one };
        let found = duplicates(all, &wanted, at(0), &rules);
        found.into_iter().map(|(when, what)| (when.as_second() - at(0).as_second(), what)).collect()
    }

    #[test]
    fn finds_duplicates_within_the_repeat_interval() {
        let hook = |received, receiver| sent(received, "webhook", receiver, &[("own", "firing")]);
        let expected = |at, what: &str| vec![(at, what.to_owned())];
        let twice = [hook(1, "r"), hook(3, "r")];
        assert_eq!(found(&twice, 1, true), expected(3, "arrived at webhook again after 2.0 s, a duplicate"));
        assert_eq!(found(&twice, 2, true), [], "the receiver has two configurations of the kind");
        assert_eq!(found(&[hook(1, "r"), hook(61, "r")], 1, true), [], "repeated after the repeat interval");
        assert_eq!(found(&[hook(1, "r"), hook(2, "s")], 1, true), [], "two receivers");
        let joined = sent(5, "webhook", "r", &[("own", "firing"), ("other", "firing")]);
        assert_eq!(found(&[hook(1, "r"), joined], 1, true), [], "another alert joined the group");
        let chat = |received| sent(received, "slack", "", &[("", "firing")]);
        assert_eq!(
            found(&[chat(1), chat(2)], 1, true),
            expected(2, "arrived at slack again after 1.0 s, a duplicate")
        );
        assert_eq!(found(&[chat(1), chat(2)], 1, false), [], "it may be about another alert of the name");
        let other = |received| sent(received, "webhook", "r", &[("other", "firing")]);
        assert_eq!(found(&[other(1), other(2)], 1, true), [], "of another alert");
    }

    #[test]
    fn reports_firing_after_the_all_clear_once() {
        let hook = |received, status| sent(received, "webhook", "r", &[("own", status)]);
        let all = [hook(1, "firing"), hook(70, "resolved"), hook(140, "firing"), hook(210, "firing")];
        let expected = "arrived at webhook firing again after its all-clear";
        assert_eq!(found(&all, 1, true), [(140, expected.to_owned())]);
        assert_eq!(found(&all[..2], 1, true), []);
    }
}
