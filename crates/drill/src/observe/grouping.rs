//! By which labels the notifications of the rule under test are grouped.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::observe::delivery::Wanted;
use crate::observe::duplicates::own;
use clients::inbox::{Channel, Notification};

/// Every notification of the alert that a webhook received at or after `since` in a group by other labels than `expected`:
/// its time and what is wrong with it. Alertmanager leaves out labels that the alert does not have.
#[must_use]
pub fn other(
    all: &[Notification],
    wanted: &Wanted<'_>,
    since: Timestamp,
    expected: &[String],
) -> Vec<(Timestamp, String)> {
    let mut found = Vec::new();
    for (notification, alert) in own(all, Channel::Webhook, wanted, since) {
        let groups = notification.body["groupLabels"].as_object();
        let labels: BTreeSet<&str> =
            groups.into_iter().flat_map(|it| it.keys().map(String::as_str)).collect();
        let expected: BTreeSet<&str> =
            expected.iter().filter(|name| alert.labels.contains_key(*name)).map(String::as_str).collect();
        if labels != expected {
            let [labels, expected] =
                [labels, expected].map(|it| it.into_iter().collect::<Vec<_>>().join(", "));
            found.push((
                notification.received_at,
                format!("arrived at webhook grouped by [{labels}], not by [{expected}]"),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::naming::Naming;
    use clients::inbox::NotifiedAlert;
    use clients::prometheus::Labels;

    #[test]
    fn finds_notifications_of_other_groups() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let label = |names: &[&str]| -> Labels {
            names.iter().map(|&name| (name.to_owned(), "A".to_owned())).collect()
        };
        let sent = |received, channel: &str, groups: &[&str]| Notification {
            id: 1,
            received_at: at(received),
            channel: channel.into(),
            status: "firing".into(),
            alerts: vec![NotifiedAlert {
                alert: "A".into(),
                status: "firing".into(),
                heading: None,
                fingerprint: Some("own".into()),
                starts_at: None,
                ends_at: None,
                labels: label(&["alertname", "job"]),
            }],
            body: serde_json::json!({"groupLabels": label(groups)}),
        };
        let (labels, naming) = (label(&["alertname", "job"]), Naming::default());
        let wanted = Wanted { labels: &labels, fingerprint: Some("own"), firing: at(0), naming: &naming };
        let all = [
            sent(1, "webhook", &["alertname", "job"]),
            sent(2, "webhook", &["job"]),
            sent(3, "webhook", &[]),
            sent(4, "slack", &[]),
        ];
        let expected = ["job", "alertname", "zone"].map(str::to_owned);
        let message = |by: &str| format!("arrived at webhook grouped by [{by}], not by [alertname, job]");
        assert_eq!(other(&all, &wanted, at(0), &expected), [(at(2), message("job")), (at(3), message(""))]);
        assert_eq!(other(&all, &wanted, at(3), &expected).len(), 1, "earlier ones are of another drill");
    }
}
