//! Compares what Alertmanager does with an alert with what an assertion expects.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::assertions::file::{Assertion, RouteSettings};
use crate::routing::decision::Decision;
use crate::routing::error::RoutingError;
use crate::routing::tree::{Route, Routing};
use common::duration;

/// What differs from an assertion, one text per difference; none when it holds.
///
/// # Errors
/// The decision cannot be made, or depends on the time and the assertion gives none.
pub fn differences(routing: &Routing, assertion: &Assertion) -> Result<Vec<String>, RoutingError> {
    let now = assertion.at.unwrap_or(Timestamp::UNIX_EPOCH);
    let decision = routing.decide(&assertion.alert, &assertion.active, now)?;
    if assertion.at.is_none() && decision.depends_on_time() {
        return Err(RoutingError::Time);
    }
    let expected = &assertion.expect;
    let mut found = Vec::new();
    if let Some(receivers) = &expected.notified {
        found.extend(difference("notified", receivers, &decision.notified()));
    }
    if let Some(receivers) = &expected.muted {
        found.extend(difference("muted", receivers, &decision.muted()));
    }
    if let Some(inhibited) = expected.inhibited.filter(|it| *it != decision.inhibited.is_some()) {
        found.push(format!("inhibited: expected {inhibited}, is {}", !inhibited));
    }
    for (receiver, settings) in &expected.routes {
        found.extend(of_receiver(&decision, receiver, settings));
    }
    Ok(found)
}

/// The difference of two lists in any order.
fn difference(what: &str, expected: &[String], actual: &[&str]) -> Option<String> {
    let set: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    let list = |names: &mut dyn Iterator<Item = &str>| format!("[{}]", names.collect::<Vec<_>>().join(", "));
    (set != actual.iter().copied().collect()).then(|| {
        let expected = list(&mut expected.iter().map(String::as_str));
        format!("{what}: expected {expected}, is {}", list(&mut actual.iter().copied()))
    })
}

/// What differs in the settings of the routes to a receiver.
fn of_receiver(decision: &Decision, receiver: &str, expected: &RouteSettings) -> Vec<String> {
    let routes: Vec<_> = decision.routes.iter().filter(|taken| taken.route.receiver == receiver).collect();
    if routes.is_empty() {
        return vec![format!("routes: no route goes to {receiver}")];
    }
    let of = |route: &Route| {
        let group_by: Vec<&str> = route.group_by.iter().map(String::as_str).collect();
        let grouping = expected.group_by.as_ref().and_then(|it| difference("group_by", it, &group_by));
        let times = [
            ("group_wait", expected.group_wait, route.group_wait),
            ("group_interval", expected.group_interval, route.group_interval),
            ("repeat_interval", expected.repeat_interval, route.repeat_interval),
        ];
        let times = times.into_iter().filter_map(|(name, expected, actual)| {
            let expected = expected.filter(|it| *it != actual)?;
            Some(format!("{name}: expected {}, is {}", duration::format(expected), duration::format(actual)))
        });
        grouping.into_iter().chain(times).collect::<Vec<_>>()
    };
    let found = routes.iter().flat_map(|taken| {
        of(taken.route)
            .into_iter()
            .map(|difference| format!("routes.{receiver} ({}): {difference}", taken.path))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::assertions::file;

    const CONFIG: &str = r#"
route:
  receiver: default
  group_by: [alertname, job]
  routes:
    - {matchers: [severity="critical"], receiver: pager, group_wait: 10s}
    - {matchers: [team="web"], receiver: chat, mute_time_intervals: [nights]}
receivers: [{name: default}, {name: pager}, {name: chat}]
inhibit_rules: [{source_matchers: [alertname="Down"], target_matchers: [severity="warning"]}]
time_intervals: [{name: nights, time_intervals: [{times: [{start_time: "00:00", end_time: "06:00"}]}]}]
"#;

    fn differences_of(fields: &str) -> Result<Vec<String>, RoutingError> {
        let text = format!("assertions:\n  - {{name: a, {fields}}}\n");
        let assertion = file::parse(Path::new("a.yaml"), &text).unwrap().remove(0);
        differences(&Routing::parse(CONFIG).unwrap(), &assertion)
    }

    #[test]
    fn what_holds_has_no_difference() {
        for fields in [
            "alert: {severity: critical}, expect: {notified: [pager], muted: [], inhibited: false}",
            "alert: {severity: critical}, expect: {routes: {pager: {group_by: [job, alertname], group_wait: 10s}}}",
            "alert: {team: web}, at: 2026-11-30T03:00:00Z, expect: {notified: [], muted: [chat]}",
            "alert: {severity: warning}, active: [{alertname: Down}], expect: {notified: [], inhibited: true}",
        ] {
            assert_eq!(differences_of(fields).unwrap(), [""; 0], "{fields}");
        }
    }

    #[test]
    fn names_every_difference() {
        for (fields, expected) in [
            (
                "alert: {severity: critical}, expect: {notified: [chat], muted: [chat], inhibited: true}",
                &[
                    "notified: expected [chat], is [pager]",
                    "muted: expected [chat], is []",
                    "inhibited: expected true, is false",
                ][..],
            ),
            (
                "alert: {severity: critical}, expect: {routes: {pager: {group_by: [job], group_interval: 1m}, chat: {}}}",
                &[
                    "routes: no route goes to chat",
                    "routes.pager (route.routes[0]): group_by: expected [job], is [alertname, job]",
                    "routes.pager (route.routes[0]): group_interval: expected 1m, is 5m",
                ],
            ),
        ] {
            assert_eq!(differences_of(fields).unwrap(), expected, "{fields}");
        }
    }

    #[test]
    fn needs_a_time_where_a_time_interval_decides() {
        let found = differences_of("alert: {team: web}, expect: {notified: [chat]}");
        assert_eq!(found, Err(RoutingError::Time));
    }
}
