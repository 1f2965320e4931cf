//! Delivery without an inbox, from Alertmanager's counters. A counter shows neither the alert nor whether the notification
//! was firing or resolved. The order of events shows it, as long as no other alert uses the same receivers, which
//! [`crate::run::isolation`] checks.

use crate::evidence::count::Count;
use crate::evidence::count::integration;
use crate::evidence::count::sent;
use crate::record::expectation::Expectation;
use crate::record::observations::Observations;
use std::collections::BTreeSet;

use crate::file::drill::Drill;
use alerting::routing::tree::Routing;
use clients::inbox::Channel;

/// Records when each channel was counted as notified, and as having sent the all-clear.
pub fn deliveries(seen: &mut Observations, expectation: &Expectation, counts: &[Count], routing: &Routing) {
    let Some(firing) = seen.firing else { return };
    let receivers: BTreeSet<String> = expectation.routes.iter().map(|route| route.receiver.clone()).collect();
    let kinds = kinds(routing, &receivers);
    let mut before: Vec<&str> = Vec::new();
    for channel in expectation.channels.iter().copied() {
        let integration = integration(channel, &kinds);
        // Channels that share an integration need one notification each.
        let nth = before.iter().filter(|it| **it == integration).count() as u64;
        before.push(integration);
        if let Some(at) = sent(counts, integration, &receivers, firing, nth) {
            seen.notified.entry(channel).or_insert(at);
        }
        let Some(resolved) = seen.resolved else { continue };
        if let Some(at) = sent(counts, integration, &receivers, resolved, nth) {
            seen.all_clear.entry(channel).or_insert(at);
        }
    }
}

fn kinds(routing: &Routing, receivers: &BTreeSet<String>) -> BTreeSet<String> {
    receivers.iter().filter_map(|name| routing.kinds(name)).flatten().cloned().collect()
}

/// Why this drill needs an inbox, if it does.
#[must_use]
pub fn needs_inbox(drill: &Drill) -> Option<&'static str> {
    let expect = &drill.expect;
    if drill.proves.stops || expect.delivered.contains(&Channel::Heartbeat) {
        return Some("only an inbox can notice that the heartbeat stopped");
    }
    if !drill.cause.inbox.is_empty() {
        return Some("the cause makes an inbox fail");
    }
    if expect.grouped_by.is_some() {
        return Some("counters cannot show how a notification is grouped");
    }
    (!expect.inhibited.is_empty()).then_some("counters cannot show whether inhibited alerts were notified")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_needs_an_inbox() {
        let drill = |cause: &str, expect: &str| {
            let text = format!("drill: a\nproves: {{alert: A}}\ncause: {{{cause}}}\nexpect: {{{expect}}}\n");
            crate::file::drill::parse(std::path::Path::new("a.yaml"), &text).unwrap()
        };
        assert_eq!(needs_inbox(&drill("stop: redis", "delivered: [webhook, slack]")), None);
        for (cause, expect, text) in [
            ("stop: redis", "delivered: [heartbeat]", "heartbeat"),
            ("inbox: {slack: 500}", "delivered: [webhook]", "makes an inbox fail"),
            ("stop: redis", "inhibited: [B]", "inhibited"),
            ("stop: redis", "grouped_by: [job]", "grouped"),
        ] {
            let why = needs_inbox(&drill(cause, expect)).unwrap();
            assert!(why.contains(text), "{why}");
        }
    }
}
