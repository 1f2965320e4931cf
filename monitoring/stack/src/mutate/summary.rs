//! The result of a mutation run, in lines of at most 80 columns.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};
use textwrap::{Options, WordSplitter};

use super::fate::{DrillResult, Fate};
use super::mutant::{Kind, Mutant};
use super::unnoticed;

/// Width of a line in columns.
const WIDTH: usize = 80;

/// The result of a mutant.
#[derive(Debug, Clone)]
pub struct MutantResult {
    /// The mutant.
    pub mutant: Mutant,
    /// The drill that noticed, or the last one that did not.
    pub drill: String,
    /// Its result.
    pub result: DrillResult,
    /// Its meaning for the mutant.
    pub fate: Fate,
}

/// A drill on the unchanged files.
#[derive(Debug, Clone)]
pub struct Control {
    /// Its name.
    pub drill: String,
    /// Its result.
    pub result: DrillResult,
}

impl Control {
    /// Whether the results of its mutants are valid.
    #[must_use]
    pub fn proven(&self) -> bool {
        self.result.verdict == "PROVEN"
    }
}

/// The lines of a finished mutant, with the drill's result below.
#[must_use]
pub fn line(results: &MutantResult) -> String {
    let MutantResult { mutant, drill, result, fate } = results;
    let fate = match fate {
        Fate::Killed => "killed  ",
        Fate::Survived => "SURVIVED",
        Fate::Unclear => "UNCLEAR ",
    };
    let head = wrap(&format!("{fate}  {}", mutant.title()));
    format!("{head}{}", wrap(&format!("          {drill}: {}: {}", result.verdict, result.reason)))
}

/// The line of a control drill.
#[must_use]
pub fn control(control: &Control) -> String {
    let word = if control.proven() { "unbroken" } else { "FAILED  " };
    wrap(&format!("{word}  {}: {}: {}", control.drill, control.result.verdict, control.result.reason))
}

/// The mutants that no drill can notice, each with the reason; empty if there are none.
#[must_use]
pub fn unnoticed(mutants: &[Mutant]) -> String {
    let line = |mutant: &Mutant| {
        let reason = unnoticed::reason(mutant).unwrap_or_default();
        format!("{}{}", wrap(&format!("not run   {}", mutant.title())), wrap(&format!("          {reason}")))
    };
    mutants.iter().map(line).collect()
}

/// The table and the line below it.
#[must_use]
pub fn table(results: &[MutantResult], controls: &[Control], unnoticed: &[Mutant], took: Duration) -> String {
    let mut text = format!("{:<18} {:>8} {:>8} {:>8}\n", "", "killed", "survived", "unclear");
    let count = |kind: Option<Kind>, fate: Fate| {
        results.iter().filter(|it| kind.is_none_or(|kind| it.mutant.kind == kind) && it.fate == fate).count()
    };
    let rows = Kind::ALL.iter().map(|kind| (kind.name(), Some(*kind))).chain([("all", None)]);
    for (name, kind) in
        rows.filter(|(_, kind)| kind.is_none() || results.iter().any(|it| Some(it.mutant.kind) == *kind))
    {
        let [killed, survived, unclear] =
            [Fate::Killed, Fate::Survived, Fate::Unclear].map(|fate| count(kind, fate));
        let _ = writeln!(text, "{name:<18} {killed:>8} {survived:>8} {unclear:>8}"); // writing to a String cannot fail
    }
    let killed = count(None, Fate::Killed);
    let proven = controls.iter().filter(|control| control.proven()).count();
    let _ = writeln!(
        text,
        "{killed} of {} mutants killed: {} %. {} not run. {proven} of {} unbroken drills PROVEN. {} min {} s",
        results.len(),
        killed * 100 / results.len().max(1),
        unnoticed.len(),
        controls.len(),
        took.as_secs() / 60,
        took.as_secs() % 60
    );
    text
}

/// Whether every mutant was killed by a drill that is PROVEN without it.
#[must_use]
pub fn all_killed(results: &[MutantResult], controls: &[Control]) -> bool {
    results.iter().all(|it| it.fate == Fate::Killed) && controls.iter().all(Control::proven)
}

/// The report as JSON.
#[must_use]
pub fn report(results: &[MutantResult], controls: &[Control], unnoticed: &[Mutant]) -> Value {
    let result = |result: &DrillResult| json!({"verdict": result.verdict, "reason": result.reason, "phases": result.phases});
    let mutants = results.iter().map(|it| {
        json!({
            "of": it.mutant.of,
            "kind": it.mutant.kind.name(),
            "change": it.mutant.change,
            "file": it.mutant.file,
            "alerts": it.mutant.alerts,
            "drill": it.drill,
            "fate": format!("{:?}", it.fate).to_lowercase(),
            "said": result(&it.result),
        })
    });
    let controls = controls.iter().map(|it| json!({"drill": it.drill, "said": result(&it.result)}));
    let unnoticed = unnoticed.iter().map(|it| {
        json!({
            "of": it.of,
            "kind": it.kind.name(),
            "change": it.change,
            "file": it.file,
            "reason": unnoticed::reason(it),
        })
    });
    json!({
        "mutants": mutants.collect::<Vec<_>>(),
        "controls": controls.collect::<Vec<_>>(),
        "not_run": unnoticed.collect::<Vec<_>>(),
    })
}

/// Wraps between words, with further lines indented by ten columns.
fn wrap(text: &str) -> String {
    let options = Options::new(WIDTH).subsequent_indent("          ").break_words(false);
    format!("{}\n", textwrap::fill(text, options.word_splitter(WordSplitter::NoHyphenation)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(kind: Kind, fate: Fate) -> MutantResult {
        let mutant = Mutant {
            kind,
            of: "HighErrorRate".into(),
            change: "0.05 -> 50".into(),
            alerts: vec!["HighErrorRate".into()],
            drills: vec!["high-error-rate".into()],
            file: "api.yml".into(),
            text: String::new(),
        };
        let reason =
            "the rule's value reached 0.08 of the 50 it needs: the cause is too weak, and so on".to_owned();
        let result = DrillResult { verdict: "MISSED".into(), reason, ..DrillResult::default() };
        MutantResult { mutant, drill: "high-error-rate".into(), result, fate }
    }

    fn control_of(verdict: &str) -> Control {
        Control {
            drill: "a".into(),
            result: DrillResult { verdict: verdict.into(), ..DrillResult::default() },
        }
    }

    #[test]
    fn lines_fit_eighty_columns() {
        let text = line(&results(Kind::Threshold, Fate::Killed));
        assert_eq!(
            text,
            "killed    HighErrorRate: threshold too high, 0.05 -> 50\n          \
             high-error-rate: MISSED: the rule's value reached 0.08 of the 50 it\n          \
             needs: the cause is too weak, and so on\n"
        );
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn a_survivor_or_an_unproven_control_is_a_failure() {
        let killed = [results(Kind::Threshold, Fate::Killed), results(Kind::Hold, Fate::Killed)];
        let other = |fate| [killed[0].clone(), results(Kind::Hold, fate)];
        assert!(all_killed(&killed, &[control_of("PROVEN")]));
        assert!(!all_killed(&killed, &[control_of("PROVEN"), control_of("LATE")]));
        assert!(!all_killed(&other(Fate::Survived), &[control_of("PROVEN")]));
        assert!(!all_killed(&other(Fate::Unclear), &[control_of("PROVEN")]));
        let text = table(&other(Fate::Survived), &[control_of("PROVEN")], &[], Duration::from_secs(125));
        assert_eq!(
            text,
            "                     killed survived  unclear\n\
             threshold too high        1        0        0\n\
             for x 20, or 1h           0        1        0\n\
             all                       1        1        0\n\
             1 of 2 mutants killed: 50 %. 0 not run. 1 of 1 unbroken drills PROVEN. 2 min 5 s\n"
        );
    }
}
