use super::*;

/// `shop` waits 15 s between notifications, `pager` 3 s; both send webhooks.
const CONFIG: &str = r#"
route:
  receiver: shop
  group_interval: 15s
  routes:
    - {receiver: pager, matchers: [severity="critical"], group_interval: 3s}
    - {receiver: nobody, matchers: [severity="none"]}
receivers:
  - name: shop
    webhook_configs: [{url: "http://localhost/a"}]
    email_configs: [{to: a@localhost}]
  - name: pager
    webhook_configs: [{url: "http://localhost/b"}]
    slack_configs: [{channel: '#b'}]
  - name: nobody
"#;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn labels(alert: &str, severity: &str) -> Labels {
    [("alertname", alert), ("severity", severity)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn seen(alert: &str, severity: &str, last: i64) -> Seen {
    Seen { labels: labels(alert, severity), last: at(last), evaluation: Duration::from_secs(1) }
}

fn sender(integration: &str, receiver: Option<&str>) -> Sender {
    Sender { integration: integration.to_owned(), receiver: receiver.map(str::to_owned) }
}

/// Other alerts sent by the pager's webhook.
fn in_the_way(all: &[Seen], named: bool) -> Vec<OtherAlert> {
    let routing = Routing::parse(CONFIG).unwrap();
    let counted = counted_senders(&routing, &labels("Own", "critical"), &[Channel::Webhook], named);
    among(all, &routing, &counted, named)
}

#[test]
fn counts_the_senders_of_the_drills_channels() {
    let routing = Routing::parse(CONFIG).unwrap();
    let of = |severity: &str, channels: &[Channel], named| {
        counted_senders(&routing, &labels("Own", severity), channels, named)
    };
    let (webhook, slack) = (sender("webhook", None), sender("slack", None));
    assert_eq!(of("critical", &[Channel::Webhook], false), [webhook.clone()].into());
    assert_eq!(of("critical", &[Channel::Webhook, Channel::Slack], false), [webhook, slack.clone()].into());
    // Discord accepts Slack's format.
    assert_eq!(of("critical", &[Channel::Discord], false), [slack].into());
    assert_eq!(of("critical", &[Channel::Webhook], true), [sender("webhook", Some("pager"))].into());
    assert_eq!(of("warning", &[Channel::Slack], false), [].into());
}

#[test]
fn waits_for_the_all_clear_of_each_route() {
    let found = in_the_way(&[seen("Other", "warning", 100), seen("Near", "critical", 100)], false);
    let times: Vec<_> =
        found.iter().map(|one| (one.alert.as_str(), one.resolved_by, one.all_clear_by)).collect();
    // 2 E, then GI + D: 15 + 2 by the one route, 3 + 2 by the other.
    assert_eq!(times, [("Other", at(102), at(119)), ("Near", at(102), at(107))]);
    assert!(found.iter().all(|one| one.integration == "webhook"), "{found:?}");
}

#[test]
fn ignores_alerts_sent_elsewhere() {
    assert_eq!(in_the_way(&[seen("Silent", "none", 100)], false), []);
    let named = in_the_way(&[seen("Other", "warning", 100), seen("Near", "critical", 100)], true);
    assert_eq!(named.iter().map(|one| one.alert.as_str()).collect::<Vec<_>>(), ["Near"]);
}

#[test]
fn waits_for_the_all_clear_of_resolved_alerts() {
    let found = in_the_way(&[seen("Other", "warning", 100), seen("Near", "critical", 100)], false);
    for (now, over, expected) in [
        (101, (false, false), Step::Wait("Other to resolve".to_owned())),
        (103, (true, false), Step::Wait(format!("the all-clear of Other, until {}", time_of_day(at(119))))),
        (119, (true, false), Step::Wait(format!("the all-clear of Other, until {}", time_of_day(at(119))))),
        (120, (false, false), Step::GoOn),
        (120, (true, true), Step::GoOn),
    ] {
        assert_eq!(step(&found, at(now), over.0, over.1), expected, "at {now}");
    }
    assert_eq!(step(&[], at(0), true, true), Step::GoOn);
}

#[test]
fn refuses_and_names_alerts_that_do_not_end() {
    let found = in_the_way(&[seen("Other", "warning", 100), seen("Past", "warning", 90)], false);
    let Step::Refuse(message) = step(&found, at(101), true, false) else { panic!("it fires") };
    let expected = format!("Other was firing at {} and is also sent by webhook; ", time_of_day(at(100)));
    assert!(message.starts_with(&expected) && message.contains("route the alerts to an inbox"), "{message}");
    // It fires again and again for a moment; nothing fires right now.
    let Step::Refuse(message) = step(&found, at(103), true, true) else { panic!("its all-clear is due") };
    assert!(message.contains("Other was firing") && message.contains("; Past was firing"), "{message}");
}

#[test]
fn after_the_cause_names_alerts_that_may_have_been_notified() {
    let found = in_the_way(&[seen("Other", "warning", 100)], false);
    assert_eq!(since(&found, at(120)), None, "its all-clear was due before the cause");
    for cause in [90, 100, 110, 119] {
        let message = since(&found, at(cause)).unwrap();
        assert!(message.starts_with("Other was firing at"), "{cause}: {message}");
    }
}

#[test]
fn names_each_alert_once_at_its_latest() {
    let found = in_the_way(&[seen("Other", "warning", 100), seen("Other", "critical", 90)], false);
    let message = since(&found, at(80)).unwrap();
    let firing = format!("Other was firing at {} and is", time_of_day(at(100)));
    assert!(message.starts_with(&firing) && message.matches("Other").count() == 1, "{message}");
}
