//! What the result of a drill means for a mutant.
//!
//! A kill must be caused by the mutation, not by a busy machine: neither a phase that is a second late nor an unrelated
//! alert counts. The same drill on the unchanged files must be PROVEN.

use std::collections::BTreeMap;

use super::mutant::{Kind, Mutant};

/// Result of a drill.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DrillResult {
    /// `PROVEN`, `MISSED`, …; `INVALID` if it rejected its file, `NONE` without a result.
    pub verdict: String,
    /// Its reason, or the error.
    pub reason: String,
    /// Phase → its duration and its bound, in seconds.
    pub phases: BTreeMap<String, (f64, f64)>,
}

/// Outcome of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The drill noticed the mutation.
    Killed,
    /// The drill was PROVEN.
    Survived,
    /// The drill failed for a reason that may not be the mutation.
    Unclear,
}

/// The mutation counts as the cause of a late phase if it took more than this many times the bound of the unchanged
/// rule …
const TIMES: f64 = 2.0;
/// … plus this many seconds.
const SECONDS: f64 = 5.0;

/// The outcome of a mutant by its drill's result; `control` is the result on the unchanged files.
#[must_use]
pub fn evaluate(mutant: &Mutant, result: &DrillResult, control: &DrillResult) -> Fate {
    let named = mutant.alerts.iter().any(|alert| result.reason.contains(alert));
    let killed = match result.verdict.as_str() {
        "PROVEN" => return Fate::Survived,
        "MISSED" => true,
        // About the alert itself: on a wrong channel or at a wrong time. If another alert was the cause, the durations
        // still count.
        "UNEXPECTED" => named || slow(result, control),
        // INCONCLUSIVE because of contradicting times: the heartbeat reported it long before the rule did.
        "LATE" | "INCONCLUSIVE" => slow(result, control),
        // The alert was active before its cause, its route leads to a receiver without the expected channel, or the heartbeat
        // was misrouted.
        "REFUSED" => {
            let heartbeat = mutant.alerts.iter().any(|alert| alert == "Watchdog");
            // No route, receiver or inhibit rule makes an alert fire.
            (named && (mutant.kind.of_a_rule() || result.reason.contains("its route sends to receiver")))
                || (heartbeat && result.reason.contains("heartbeat is"))
        }
        // Its labels differ from those that the drill requires.
        "INVALID" => mutant.kind == Kind::Severity && named && result.reason.contains("has the labels"),
        _ => false,
    };
    if killed { Fate::Killed } else { Fate::Unclear }
}

/// Whether a phase took far longer than the bound of the unchanged rule.
fn slow(result: &DrillResult, control: &DrillResult) -> bool {
    result.phases.iter().any(|(phase, (took, _))| {
        control.phases.get(phase).is_some_and(|(_, bound)| *took > bound * TIMES + SECONDS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(verdict: &str, reason: &str, firing: f64) -> DrillResult {
        let phases = BTreeMap::from([("firing".to_owned(), (firing, 3.0))]);
        DrillResult { verdict: verdict.into(), reason: reason.into(), phases }
    }

    fn mutant(kind: Kind, alert: &str) -> Mutant {
        let text = String::new;
        Mutant {
            kind,
            of: text(),
            change: text(),
            alerts: vec![alert.into()],
            drills: Vec::new(),
            file: text(),
            text: text(),
        }
    }

    #[test]
    fn a_kill_is_caused_by_the_mutation() {
        let control = result("PROVEN", "every phase was within its bound", 3.0);
        for (kind, alert, verdict, reason, firing, fate) in [
            (Kind::Threshold, "A", "PROVEN", "every phase was within its bound", 3.0, Fate::Survived),
            (Kind::Threshold, "A", "MISSED", "the cause is too weak", 0.0, Fate::Killed),
            (Kind::Receiver, "A", "UNEXPECTED", "A arrived at pagerduty", 3.0, Fate::Killed),
            (Kind::Receiver, "A", "UNEXPECTED", "HostHighCpu fired", 3.0, Fate::Unclear),
            (Kind::Hold, "A", "UNEXPECTED", "HostHighCpu fired", 60.0, Fate::Killed),
            (Kind::Hold, "A", "LATE", "firing took 11.1 s", 11.1, Fate::Killed),
            (Kind::Hold, "A", "LATE", "firing took 4 s, more than its bound of 3 s", 4.0, Fate::Unclear),
            (Kind::Matcher, "A", "REFUSED", "A is already firing", 0.0, Fate::Killed),
            (Kind::Matcher, "A", "REFUSED", "Prometheus does not respond", 0.0, Fate::Unclear),
            (
                Kind::Receiver,
                "A",
                "REFUSED",
                "A is expected on slack, but its route sends to receiver `b`, which has no slack_configs",
                0.0,
                Fate::Killed,
            ),
            (Kind::Equal, "A", "REFUSED", "A is already firing", 0.0, Fate::Unclear),
            (Kind::Route, "Watchdog", "REFUSED", "the inbox's heartbeat is silent", 0.0, Fate::Killed),
            (Kind::Severity, "A", "INVALID", "the rule `A` has the labels {}, not {}", 0.0, Fate::Killed),
            (Kind::Matcher, "A", "INVALID", "the rule `A` has the labels {}, not {}", 0.0, Fate::Unclear),
            (Kind::Hold, "A", "INCONCLUSIVE", "`notified` ended 51.8 s before it began", 60.0, Fate::Killed),
            (Kind::Hold, "A", "INCONCLUSIVE", "the cause was not applied as stated", 0.0, Fate::Unclear),
            (Kind::Hold, "A", "NONE", "the stack did not start", 0.0, Fate::Unclear),
        ] {
            let found = evaluate(&mutant(kind, alert), &result(verdict, reason, firing), &control);
            assert_eq!(found, fate, "{kind:?} {verdict}: {reason}");
        }
    }
}
