//! Delivery without an inbox: counted by Alertmanager, not seen. A count says neither of which alert it is nor whether
//! it tells of firing or of resolved; the order of things says so, as long as nothing else goes by the same way, which
//! [`crate::run::isolation`] sees to.

use crate::evidence::count::Count;
use crate::evidence::count::integration;
use crate::evidence::count::sent;
use crate::record::expectation::Expectation;
use crate::record::observations::Observations;
use std::collections::BTreeSet;

use crate::file::drill::Drill;
use alerting::routing::tree::Routing;
use clients::inbox::Channel;

/// Takes down on which channels the alert was counted as notified, and as told.
pub fn deliveries(seen: &mut Observations, expectation: &Expectation, counts: &[Count], routing: &Routing) {
    let Some(firing) = seen.firing else { return };
    let receivers: BTreeSet<String> = expectation.routes.iter().map(|route| route.receiver.clone()).collect();
    let kinds = kinds(routing, &receivers);
    let mut before: Vec<&str> = Vec::new();
    for channel in expectation.channels.iter().copied() {
        let integration = integration(channel, &kinds);
        // Channels that share an integration each need a notification of their own.
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
    (!expect.inhibited.is_empty())
        .then_some("that nobody was notified of what is inhibited cannot be counted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_an_inbox_can_show() {
        let drill = |cause: &str, expect: &str| {
            let text = format!("drill: a\nproves: {{alert: A}}\ncause: {{{cause}}}\nexpect: {{{expect}}}\n");
            crate::file::drill::parse(std::path::Path::new("a.yaml"), &text).unwrap()
        };
        assert_eq!(needs_inbox(&drill("stop: redis", "delivered: [webhook, slack]")), None);
        for (cause, expect, said) in [
            ("stop: redis", "delivered: [heartbeat]", "heartbeat"),
            ("inbox: {slack: 500}", "delivered: [webhook]", "makes an inbox fail"),
            ("stop: redis", "inhibited: [B]", "inhibited"),
        ] {
            let why = needs_inbox(&drill(cause, expect)).unwrap();
            assert!(why.contains(said), "{why}");
        }
    }
}
