//! Finds the likeliest cause of a miss, without I/O.

use crate::record::case::Case;
use crate::timing::clock::number;
use jiff::Timestamp;

use crate::evidence::activation::Activation;
use crate::evidence::held::Held;
use crate::evidence::value::Value;
use crate::record::stage::Stage;
use crate::rule::{RuleUnderTest, write_labels};
use crate::timing::clock::{readable, seconds, time_of_day};
use clients::inbox::Channel;
use clients::prometheus::Labels;
use common::duration;

/// The facts from which the diagnosis is made.
#[derive(Debug, Clone)]
pub struct Signs<'a> {
    /// The phase that did not happen.
    pub missed: Stage,
    /// The rule under test.
    pub rule_under_test: &'a RuleUnderTest,
    /// The rule's value during the drill.
    pub value: &'a Value,
    /// Metrics of the expression without any series.
    pub unknown_metrics: &'a [String],
    /// Selectors of the expression without matching series although the metric exists.
    pub unmatched: &'a [String],
    /// The error of the rule's last evaluation; empty if there was none.
    pub rule_error: &'a str,
    /// Why the rule, or one that it reads, could not be evaluated while the cause was in effect.
    pub failure: Option<&'a str>,
    /// Why the rule may have no result now and then.
    pub short_range: Option<&'a str>,
    /// Labels of active alerts of this rule that lack labels the drill demands.
    pub unlike: &'a [Labels],
    /// Activations of the rule's alerts.
    pub activations: &'a [Activation],
    /// When the alert fired, for the later phases.
    pub firing: Option<Timestamp>,
    /// When the cause was lifted.
    pub lifted: Option<Timestamp>,
    /// When the alert resolved.
    pub resolved: Option<Timestamp>,
    /// The state of the alert in Alertmanager.
    pub held: Option<&'a Held>,
    /// Channels that did not receive the notification.
    pub missing: Vec<Channel>,
    /// Labels of the followed alert.
    pub labels: Option<&'a Labels>,
    /// Notifications of another alert with the same name, by channel, with their time.
    pub namesakes: Vec<(Channel, Timestamp, &'a Labels)>,
}

impl<'a> Signs<'a> {
    /// The facts of a drill that missed a phase, if the rule and its value are known.
    #[must_use]
    pub fn of(case: &'a Case, missed: Stage) -> Option<Signs<'a>> {
        let (expectation, instants) = (&case.expectation, &case.instants);
        let (rule_under_test, evidence) = expectation.rule_under_test.as_ref().zip(case.evidence.as_ref())?;
        let received = if missed == Stage::AllClear { &instants.all_clear } else { &instants.notified };
        let missing = expectation.channels.iter().filter(|channel| !received.contains_key(channel));
        Some(Signs {
            missed,
            rule_under_test,
            value: &evidence.value,
            unknown_metrics: &evidence.unknown_metrics,
            unmatched: &evidence.unmatched,
            rule_error: &evidence.rule_error,
            failure: case.failure.as_deref(),
            short_range: expectation.short_range.as_deref(),
            unlike: &evidence.unlike,
            activations: &case.activations,
            firing: instants.firing,
            lifted: instants.lifted,
            resolved: instants.resolved,
            held: case.held.as_ref(),
            missing: missing.copied().collect(),
            labels: case.labels.as_ref(),
            namesakes: case.namesakes.iter().map(|(channel, (at, labels))| (*channel, *at, labels)).collect(),
        })
    }
}

/// The likeliest cause, in one or two clauses.
#[must_use]
pub fn likeliest(signs: &Signs<'_>) -> String {
    let reason = of_stage(signs);
    match signs.short_range.filter(|_| signs.missed <= Stage::Firing) {
        Some(short) => format!("{reason}; in addition, {short}"),
        None => reason,
    }
}

fn of_stage(signs: &Signs<'_>) -> String {
    if let Some(failure) = signs.failure.filter(|_| signs.missed <= Stage::Firing) {
        return failure.to_owned();
    }
    match signs.missed {
        Stage::Firing => not_fired(signs),
        Stage::Notified => not_notified(signs),
        Stage::Resolved => not_resolved(signs),
        Stage::AllClear => no_all_clear(signs),
        Stage::Preflight | Stage::Baseline | Stage::Pending | Stage::Quiet => not_pending(signs),
    }
}

fn not_pending(signs: &Signs<'_>) -> String {
    if !signs.rule_error.is_empty() {
        return format!("the rule cannot be evaluated: {}", signs.rule_error);
    }
    if let Some(other) = signs.unlike.first() {
        let wanted = &signs.rule_under_test.wanted;
        let known = |name: &&String| other.contains_key(*name);
        let (differing, absent): (Vec<_>, Vec<_>) = wanted
            .iter()
            .filter(|(name, value)| other.get(*name) != Some(*value))
            .map(|(name, _)| name)
            .partition(known);
        let why = if absent.is_empty() {
            format!(
                "check the value of {} in `proves.labels`",
                listed(differing.iter().map(|name| name.as_str()))
            )
        } else {
            format!(
                "check the spelling of {} in `proves.labels`",
                listed(absent.iter().map(|name| name.as_str()))
            )
        };
        return format!(
            "the rule was active, but for an alert with the labels {}, not {}: {why}",
            write_labels(other),
            write_labels(wanted)
        );
    }
    let misspelt = misspelt(signs);
    let Some(best) = signs.value.best() else {
        let why = misspelt.unwrap_or_else(|| match signs.unmatched {
            [] => "its metrics have series; check that the labels on both sides of each operator match"
                .to_owned(),
            unmatched => format!("no series matches {}", unmatched.join(" or ")),
        });
        return format!("the expression returned no series: {why}");
    };
    let message = match &signs.rule_under_test.threshold {
        Some(threshold) if signs.value.crossed() => format!(
            "the rule's value reached {}, which meets {} {}, but the rule stayed inactive: another condition of its \
             expression was not met",
            number(best),
            threshold.operator,
            number(threshold.value)
        ),
        Some(threshold) if matches!(threshold.operator.as_str(), "==" | "!=") => {
            let values = || signs.value.points.iter().map(|(_, value)| *value);
            let (low, high) = (values().fold(best, f64::min), values().fold(best, f64::max));
            let stayed = if low == high {
                format!("stayed at {}", number(low))
            } else {
                format!("was between {} and {}", number(low), number(high))
            };
            format!(
                "the rule's value {stayed}, but it must be {} {}: the cause did not affect the metrics of the rule as needed",
                threshold.operator,
                number(threshold.value)
            )
        }
        Some(threshold) if threshold.value <= 0.0 && !threshold.operator.starts_with('<') => format!(
            "the rule's value reached {}, but it must be {} {}: the cause did not affect the metrics of the rule as needed",
            number(best),
            threshold.operator,
            number(threshold.value)
        ),
        Some(threshold) if threshold.operator.starts_with('<') => format!(
            "the rule's value only fell to {}, but it must be {} {}: the cause is too weak",
            number(best),
            threshold.operator,
            number(threshold.value)
        ),
        Some(threshold) => {
            format!(
                "the rule's value reached {} of the {} it needs: the cause is too weak",
                number(best),
                number(threshold.value)
            )
        }
        None => format!("the expression's value reached {}, but the rule stayed inactive", number(best)),
    };
    misspelt.map_or(message.clone(), |misspelt| format!("{message}; {misspelt}"))
}

fn misspelt(signs: &Signs<'_>) -> Option<String> {
    let names: Vec<_> = signs.unknown_metrics.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "Prometheus has no series of {}: check the spelling of metrics and labels",
            names.join(" or ")
        )
    })
}

fn not_fired(signs: &Signs<'_>) -> String {
    let needed = duration::format(signs.rule_under_test.hold);
    let Some(activation) =
        signs.activations.iter().max_by_key(|activation| (activation.last, activation.began))
    else {
        return not_pending(signs);
    };
    let since = time_of_day(activation.began);
    let evaluation = signs.rule_under_test.evaluation.as_secs_f64();
    let open = signs.lifted.is_none_or(|lifted| seconds(activation.last, lifted) <= 2.0 * evaluation);
    if open {
        return format!("pending since {since}, but the cause was lifted before `for: {needed}` had passed");
    }
    format!(
        "pending from {since} to {}, {} of the required `for: {needed}`: the condition ended too early",
        time_of_day(activation.last),
        readable(seconds(activation.began, activation.last))
    )
}

fn not_notified(signs: &Signs<'_>) -> String {
    let since = signs.firing.map_or_else(String::new, |at| format!("firing since {}, but ", time_of_day(at)));
    let received = signs.namesakes.iter().find(|(channel, ..)| signs.missing.contains(channel));
    if let Some((channel, at, labels)) = received {
        return format!(
            "{since}the notification on `{channel}` at {} is about another alert of the same name, {}, not {}: check whether \
             a label changes or relabelling sets one",
            time_of_day(*at),
            write_labels(labels),
            signs.labels.map_or_else(String::new, write_labels)
        );
    }
    let channels = listed(signs.missing.iter().map(|channel| channel.name()));
    let nothing = match signs.missing.is_empty() {
        true => format!("{since}the alert was not notified"),
        false => format!("{since}no notification reached {channels}"),
    };
    let Some(held) = signs.held else {
        return format!(
            "{nothing}: Alertmanager does not have the alert; check that Prometheus sends to this Alertmanager and \
             that relabelling does not drop the alert"
        );
    };
    if !held.silenced_by.is_empty() {
        return format!("{nothing}: silenced by {}", listed(held.silenced_by.iter().map(String::as_str)));
    }
    if !held.inhibited_by.is_empty() {
        return format!("{nothing}: inhibited by {}", listed(held.inhibited_by.iter().map(String::as_str)));
    }
    if !held.muted_by.is_empty() {
        return format!("{nothing}: {}", held.muted_by.join(" and "));
    }
    let receivers = listed(held.receivers.iter().map(|receiver| receiver.name.as_str()));
    let without: Vec<_> = signs
        .missing
        .iter()
        .filter(|channel| !held.receivers.iter().any(|receiver| receiver.has(**channel)))
        .collect();
    if without.is_empty() {
        return format!(
            "{nothing}: the alert is routed to receiver {receivers}, which has {}; check that its URL points to this \
             inbox, and look for failures in Alertmanager's log",
            signs
                .missing
                .iter()
                .map(|channel| format!("{channel}_configs"))
                .collect::<Vec<_>>()
                .join(" and ")
        );
    }
    let kinds =
        without.iter().map(|channel| format!("{channel}_configs")).collect::<Vec<_>>().join(" and no ");
    format!("{nothing}: the alert is routed to receiver {receivers}, which has no {kinds}")
}

fn not_resolved(signs: &Signs<'_>) -> String {
    let lifted = signs.lifted.map_or_else(String::new, |at| format!(" at {}", time_of_day(at)));
    let value = signs.value.points.last().map_or_else(String::new, |(_, value)| {
        let needs = signs.rule_under_test.threshold.as_ref().map_or_else(String::new, |threshold| {
            format!(", threshold {} {}", threshold.operator, number(threshold.value))
        });
        format!(": the rule's value is {}{needs}", number(*value))
    });
    format!("still firing although the cause was lifted{lifted}{value}")
}

fn no_all_clear(signs: &Signs<'_>) -> String {
    let since =
        signs.resolved.map_or_else(String::new, |at| format!("resolved at {}, but ", time_of_day(at)));
    let channels = listed(signs.missing.iter().map(|channel| channel.name()));
    let hint = if signs.missing.contains(&Channel::Slack) {
        "check that its receiver sets `send_resolved: true`; the default for Slack is false"
    } else {
        "check that its receiver does not set `send_resolved: false`, and look for failures in Alertmanager's log"
    };
    format!("{since}{channels} received no all-clear: {hint}")
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}

#[cfg(test)]
#[path = "diagnosis_tests.rs"]
pub(super) mod tests;
