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

/// Those in the way of the pager's webhook.
fn in_the_way(all: &[Seen], named: bool) -> Vec<Bystander> {
    let routing = Routing::parse(CONFIG).unwrap();
    let counted = counted_senders(&routing, &labels("Own", "critical"), &[Channel::Webhook], named);
    among(all, &routing, &counted, named)
}

#[test]
fn the_senders_that_are_counted_are_those_of_the_channels_the_drill_names() {
    let routing = Routing::parse(CONFIG).unwrap();
    let of = |severity: &str, channels: &[Channel], named| {
        counted_senders(&routing, &labels("Own", severity), channels, named)
    };
    let (webhook, slack) = (sender("webhook", None), sender("slack", None));
    assert_eq!(of("critical", &[Channel::Webhook], false), [webhook.clone()].into());
    assert_eq!(of("critical", &[Channel::Webhook, Channel::Slack], false), [webhook, slack.clone()].into());
    // Discord takes Slack's bodies, too.
    assert_eq!(of("critical", &[Channel::Discord], false), [slack].into());
    assert_eq!(of("critical", &[Channel::Webhook], true), [sender("webhook", Some("pager"))].into());
    assert_eq!(of("warning", &[Channel::Slack], false), [].into());
}

#[test]
fn the_end_of_an_alert_may_be_told_as_long_as_its_own_route_may_take() {
    let found = in_the_way(&[seen("Other", "warning", 100), seen("Near", "critical", 100)], false);
    let times: Vec<_> =
        found.iter().map(|one| (one.alert.as_str(), one.resolved_by, one.all_clear_by)).collect();
    // 2 E, then GI + D: 15 + 2 by the one route, 3 + 2 by the other.
    assert_eq!(times, [("Other", at(102), at(119)), ("Near", at(102), at(107))]);
    assert!(found.iter().all(|one| one.integration == "webhook"), "{found:?}");
}

#[test]
fn who_goes_another_way_is_not_in_it() {
    assert_eq!(in_the_way(&[seen("Silent", "none", 100)], false), []);
    let named = in_the_way(&[seen("Other", "warning", 100), seen("Near", "critical", 100)], true);
    assert_eq!(named.iter().map(|one| one.alert.as_str()).collect::<Vec<_>>(), ["Near"]);
}

#[test]
fn what_has_resolved_is_waited_for_until_it_has_been_told() {
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
fn what_does_not_end_is_refused_by_its_name() {
    let found = in_the_way(&[seen("Other", "warning", 100), seen("Past", "warning", 90)], false);
    let Step::Refuse(said) = step(&found, at(101), true, false) else { panic!("it fires") };
    let expected = format!("Other, firing at {}, goes out by webhook as well, and", time_of_day(at(100)));
    assert!(said.starts_with(&expected) && said.contains("lead the route to an inbox"), "{said}");
    // Again and again, each time for a moment: nothing fires right now.
    let Step::Refuse(said) = step(&found, at(103), true, true) else { panic!("it was to be told") };
    assert!(said.contains("Other, firing") && said.contains("; Past, firing"), "{said}");
}

#[test]
fn after_a_drill_it_counts_whether_anything_may_have_been_told_of_since_the_cause() {
    let found = in_the_way(&[seen("Other", "warning", 100)], false);
    assert_eq!(since(&found, at(120)), None, "waited out before the cause");
    for cause in [90, 100, 110, 119] {
        let said = since(&found, at(cause)).unwrap();
        assert!(said.starts_with("Other, firing at"), "{cause}: {said}");
    }
}

#[test]
fn an_alert_of_one_name_is_named_once_at_its_latest() {
    let found = in_the_way(&[seen("Other", "warning", 100), seen("Other", "critical", 90)], false);
    let said = since(&found, at(80)).unwrap();
    let firing = format!("Other, firing at {}, goes", time_of_day(at(100)));
    assert!(said.starts_with(&firing) && said.matches("Other").count() == 1, "{said}");
}
