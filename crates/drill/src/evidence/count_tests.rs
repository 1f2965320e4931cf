use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn sender(integration: &str, receiver: Option<&str>) -> Sender {
    Sender { integration: integration.to_owned(), receiver: receiver.map(str::to_owned) }
}

fn count(seconds: i64, integration: &str, receiver: Option<&str>, more: u64) -> Count {
    Count { at: at(seconds), sender: sender(integration, receiver), more }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn counts_increases_and_starts_over_after_a_restart() {
    let mut counter = Counter::default();
    let now = |webhook| Delivered::from([(sender("webhook", None), webhook), (sender("email", None), 2)]);
    assert_eq!(counter.look(now(7), at(0)), [], "counted before the first poll");
    assert_eq!(counter.look(now(7), at(1)), []);
    assert_eq!(counter.look(now(9), at(2)), [count(2, "webhook", None, 2)]);
    assert_eq!(counter.look(now(1), at(3)), [count(3, "webhook", None, 1)], "Alertmanager restarted");
}

#[test]
fn the_first_notification_after_firing_is_the_alerts() {
    let counts = [
        count(1, "webhook", None, 1),
        count(5, "slack", None, 1),
        count(6, "webhook", None, 1),
        count(9, "slack", None, 2),
    ];
    let receivers = set(&["a"]);
    let sent = |integration: &str, since, nth| sent(&counts, integration, &receivers, at(since), nth);
    assert_eq!(sent("webhook", 2, 0), Some(at(6)));
    assert_eq!(sent("webhook", 7, 0), None);
    assert_eq!(sent("email", 0, 0), None);
    assert_eq!(sent("slack", 0, 1), Some(at(9)), "the second");
    assert_eq!(sent("slack", 0, 2), Some(at(9)), "two at once");
    assert_eq!(sent("slack", 0, 3), None);
}

#[test]
fn ignores_notifications_of_other_receivers() {
    let counts = [count(1, "webhook", Some("tickets"), 1), count(2, "webhook", Some("pager"), 1)];
    assert_eq!(sent(&counts, "webhook", &set(&["pager"]), at(0), 0), Some(at(2)));
    assert_eq!(sent(&counts, "webhook", &set(&["mail"]), at(0), 0), None);
}

#[test]
fn discord_uses_its_own_or_slacks_integration() {
    for (channel, kinds, expected) in [
        (Channel::Discord, &["slack"][..], "slack"),
        (Channel::Discord, &["slack", "discord"], "discord"),
        (Channel::Webhook, &["slack"], "webhook"),
        (Channel::Pagerduty, &[], "pagerduty"),
    ] {
        assert_eq!(integration(channel, &set(kinds)), expected, "{channel}");
    }
}
