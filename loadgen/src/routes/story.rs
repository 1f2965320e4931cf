//! What Alertmanager does with an alert, as text for a terminal and as JSON.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};

use alerting::assertions::file::Assertion;
use alerting::routing::decision::{Decision, Taken};
use clients::prometheus::Labels;
use common::duration;
use drill::rule::write_labels;

/// One alert as text.
#[must_use]
pub fn text(alert: &Labels, at: Timestamp, decision: &Decision) -> String {
    let mut out = format!("{}\n", write_labels(alert));
    // Writing to a String cannot fail.
    let _ = match decision.notified().as_slice() {
        [] => writeln!(out, "  notifies nobody"),
        receivers => writeln!(out, "  notifies {}", receivers.join(", ")),
    };
    if let Some((rule, source)) = decision.inhibited {
        let _ =
            writeln!(out, "  inhibited by inhibit_rules[{rule}], because of\n    {}", write_labels(source));
    }
    for taken in &decision.routes {
        let _ = writeln!(out, "  {}: {}", taken.route.receiver, integrations(taken));
        let matchers: Vec<_> = taken.matchers.iter().map(ToString::to_string).collect();
        let matchers = if matchers.is_empty() { "every alert".to_owned() } else { matchers.join(", ") };
        let _ = writeln!(out, "    route  {}: {matchers}", taken.path);
        if let Some(reason) = &taken.muted {
            let _ = writeln!(out, "    muted  {} at {at}", reason.strip_prefix("muted ").unwrap_or(reason));
        }
        let _ = writeln!(out, "    group  {}", write_labels(&taken.group));
        let [wait, interval, repeat] = waits(taken);
        let _ = writeln!(
            out,
            "    waits  {wait} before the first, {interval} between changes, {repeat} to repeat"
        );
    }
    out
}

fn integrations(taken: &Taken) -> String {
    if taken.kinds.is_empty() {
        "no integration, so the alert is discarded".to_owned()
    } else {
        taken.kinds.join(", ")
    }
}

fn waits(taken: &Taken) -> [String; 3] {
    let route = taken.route;
    [route.group_wait, route.group_interval, route.repeat_interval].map(duration::format)
}

/// One alert as JSON.
#[must_use]
pub fn json(alert: &Labels, at: Timestamp, decision: &Decision) -> Value {
    let routes = decision.routes.iter().map(|taken| {
        let [group_wait, group_interval, repeat_interval] = waits(taken);
        json!({
            "path": taken.path,
            "matchers": taken.matchers.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "receiver": taken.route.receiver,
            "integrations": taken.kinds,
            "group_by": taken.route.group_by,
            "group": taken.group,
            "group_wait": group_wait,
            "group_interval": group_interval,
            "repeat_interval": repeat_interval,
            "muted": taken.muted,
        })
    });
    json!({
        "alert": alert,
        "at": at.to_string(),
        "notified": decision.notified(),
        "inhibited_by": decision.inhibited.map(|(rule, source)| json!({"rule": rule, "alert": source})),
        "routes": routes.collect::<Vec<_>>(),
    })
}

/// The result of assertions as text: those that do not hold with what differs, then a count.
#[must_use]
pub fn text_of_assertions(checked: &[(Assertion, Vec<String>)], configuration: &str) -> String {
    let mut out = String::new();
    for (assertion, differences) in checked.iter().filter(|(_, differences)| !differences.is_empty()) {
        let _ = writeln!(out, "FAILED {}: {}", assertion.name, write_labels(&assertion.alert));
        for difference in differences {
            let _ = writeln!(out, "  {difference}");
        }
    }
    let held = checked.iter().filter(|(_, differences)| differences.is_empty()).count();
    let _ = writeln!(out, "{held} of {} assertions hold for {configuration}", checked.len());
    out
}

/// The result of assertions as JSON.
#[must_use]
pub fn json_of_assertions(checked: &[(Assertion, Vec<String>)]) -> Value {
    let all = checked.iter().map(|(assertion, differences)| {
        json!({"name": assertion.name, "holds": differences.is_empty(), "differences": differences})
    });
    Value::Array(all.collect())
}
