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
        assert_eq!(all_clear(&all, Channel::Webhook, &wanted, at(0), at(19)), Some((at(21), Some(at(20)))));
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
    let labels = Labels::from([("alertname".into(), "A b".into()), ("severity".into(), "critical".into())]);
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
