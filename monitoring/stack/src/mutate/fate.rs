//! What a drill's word means for a mutant.
//!
//! A kill must be the mutation's doing and not a busy machine's: a phase that took a second too long is none, nor is an
//! alert of something else that came between. The same drill on the unbroken files, run beside, has to be PROVEN.

use std::collections::BTreeMap;

use super::mutant::{Kind, Mutant};

/// What a drill said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// `PROVEN`, `MISSED`, …; `INVALID` when it refused its file, `NONE` when it said nothing.
    pub verdict: String,
    /// Its reason, or what went wrong instead.
    pub reason: String,
    /// Phase → seconds it took and seconds it may take.
    pub phases: BTreeMap<String, (f64, f64)>,
}

/// What becomes of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Its drill noticed.
    Killed,
    /// Its drill said PROVEN.
    Survived,
    /// The drill failed for a reason that need not be the mutation.
    Unclear,
}

/// A phase is late by the mutation's doing when it took more than this many times what the unbroken rule may take, …
const TIMES: f64 = 2.0;
/// … and this many seconds more.
const SECONDS: f64 = 5.0;

/// Judges what the drill said of a mutant; `control` is what it said of the unbroken files.
#[must_use]
pub fn judge(mutant: &Mutant, said: &Said, control: &Said) -> Fate {
    let named = said.reason.contains(&mutant.alert);
    let killed = match said.verdict.as_str() {
        "PROVEN" => return Fate::Survived,
        "MISSED" => true,
        // Of the alert itself: on a channel that is not its own, or at a time that is not. Where another alert came
        // between, the times are as good as without it.
        "UNEXPECTED" => named || slow(said, control),
        // Inconclusive by times that do not go together: the heartbeat told of it long before the rule did.
        "LATE" | "INCONCLUSIVE" => slow(said, control),
        // It was active before its cause, or the heartbeat was led astray.
        "REFUSED" => named || (mutant.alert == "Watchdog" && said.reason.contains("heartbeat is")),
        // Its labels are not those that the drill demands.
        "INVALID" => mutant.kind == Kind::Severity && named && said.reason.contains("has the labels"),
        _ => false,
    };
    if killed { Fate::Killed } else { Fate::Unclear }
}

/// Whether a phase took far longer than the unbroken rule may take.
fn slow(said: &Said, control: &Said) -> bool {
    said.phases.iter().any(|(phase, (took, _))| {
        control.phases.get(phase).is_some_and(|(_, bound)| *took > bound * TIMES + SECONDS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(verdict: &str, reason: &str, firing: f64) -> Said {
        let phases = BTreeMap::from([("firing".to_owned(), (firing, 3.0))]);
        Said { verdict: verdict.into(), reason: reason.into(), phases }
    }

    fn mutant(kind: Kind, alert: &str) -> Mutant {
        let text = String::new;
        Mutant {
            kind,
            of: text(),
            change: text(),
            alert: alert.into(),
            drills: Vec::new(),
            file: text(),
            text: text(),
        }
    }

    #[test]
    fn a_kill_is_the_mutations_doing() {
        let control = said("PROVEN", "every phase within its bound", 3.0);
        for (kind, alert, verdict, reason, firing, fate) in [
            (Kind::Threshold, "A", "PROVEN", "every phase within its bound", 3.0, Fate::Survived),
            (Kind::Threshold, "A", "MISSED", "the cause is too weak", 0.0, Fate::Killed),
            (Kind::Receiver, "A", "UNEXPECTED", "A arrived at pagerduty", 3.0, Fate::Killed),
            (Kind::Receiver, "A", "UNEXPECTED", "HostHighCpu fired", 3.0, Fate::Unclear),
            (Kind::Hold, "A", "UNEXPECTED", "HostHighCpu fired", 60.0, Fate::Killed),
            (Kind::Hold, "A", "LATE", "firing took 11.1 s", 11.1, Fate::Killed),
            (Kind::Hold, "A", "LATE", "firing took 4 s, bound 3 s", 4.0, Fate::Unclear),
            (Kind::Matcher, "A", "REFUSED", "A is already firing", 0.0, Fate::Killed),
            (Kind::Matcher, "A", "REFUSED", "Prometheus does not answer", 0.0, Fate::Unclear),
            (Kind::Route, "Watchdog", "REFUSED", "the inbox's heartbeat is silent", 0.0, Fate::Killed),
            (Kind::Severity, "A", "INVALID", "the rule `A` has the labels {}, not {}", 0.0, Fate::Killed),
            (Kind::Matcher, "A", "INVALID", "the rule `A` has the labels {}, not {}", 0.0, Fate::Unclear),
            (Kind::Hold, "A", "INCONCLUSIVE", "`notified` ended 51.8 s before it began", 60.0, Fate::Killed),
            (Kind::Hold, "A", "INCONCLUSIVE", "the cause was not applied as stated", 0.0, Fate::Unclear),
            (Kind::Hold, "A", "NONE", "the stack did not start", 0.0, Fate::Unclear),
        ] {
            let found = judge(&mutant(kind, alert), &said(verdict, reason, firing), &control);
            assert_eq!(found, fate, "{kind:?} {verdict}: {reason}");
        }
    }
}
