//! What a run of mutations came to, in lines of at most 80 columns.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};
use textwrap::{Options, WordSplitter};

use super::fate::{Fate, Said};
use super::mutant::{Kind, Mutant};

/// Columns of a line.
const WIDTH: usize = 80;

/// A mutant's end.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The mutant.
    pub mutant: Mutant,
    /// The drill that noticed, or the last that did not.
    pub drill: String,
    /// What it said.
    pub said: Said,
    /// What that means.
    pub fate: Fate,
}

/// A drill on the unbroken files.
#[derive(Debug, Clone)]
pub struct Control {
    /// Its name.
    pub drill: String,
    /// What it said.
    pub said: Said,
}

impl Control {
    /// Whether its mutants' ends mean anything.
    #[must_use]
    pub fn proven(&self) -> bool {
        self.said.verdict == "PROVEN"
    }
}

/// A line for a mutant that has come to its end, with the drill's word below.
#[must_use]
pub fn line(judged: &Judged) -> String {
    let Judged { mutant, drill, said, fate } = judged;
    let fate = match fate {
        Fate::Killed => "killed  ",
        Fate::Survived => "SURVIVED",
        Fate::Unclear => "UNCLEAR ",
    };
    let head = wrap(&format!("{fate}  {}: {}, {}", mutant.of, mutant.kind.name(), mutant.change));
    format!("{head}{}", wrap(&format!("          {drill}: {}: {}", said.verdict, said.reason)))
}

/// A line for an unbroken drill.
#[must_use]
pub fn control(control: &Control) -> String {
    let word = if control.proven() { "unbroken" } else { "FAILED  " };
    wrap(&format!("{word}  {}: {}: {}", control.drill, control.said.verdict, control.said.reason))
}

/// The table and the sentence below it.
#[must_use]
pub fn table(judged: &[Judged], controls: &[Control], took: Duration) -> String {
    let mut text = format!("{:<18} {:>8} {:>8} {:>8}\n", "", "killed", "survived", "unclear");
    let count = |kind: Option<Kind>, fate: Fate| {
        judged.iter().filter(|it| kind.is_none_or(|kind| it.mutant.kind == kind) && it.fate == fate).count()
    };
    let rows = Kind::ALL.iter().map(|kind| (kind.name(), Some(*kind))).chain([("all", None)]);
    for (name, kind) in
        rows.filter(|(_, kind)| kind.is_none() || judged.iter().any(|it| Some(it.mutant.kind) == *kind))
    {
        let [killed, survived, unclear] =
            [Fate::Killed, Fate::Survived, Fate::Unclear].map(|fate| count(kind, fate));
        let _ = writeln!(text, "{name:<18} {killed:>8} {survived:>8} {unclear:>8}"); // writing to a String cannot fail
    }
    let killed = count(None, Fate::Killed);
    let proven = controls.iter().filter(|control| control.proven()).count();
    let _ = writeln!(
        text,
        "{killed} of {} mutants killed: {} %. {proven} of {} unbroken drills PROVEN. {} min {} s",
        judged.len(),
        killed * 100 / judged.len().max(1),
        controls.len(),
        took.as_secs() / 60,
        took.as_secs() % 60
    );
    text
}

/// Whether every mutant was killed by a drill that is proven without it.
#[must_use]
pub fn whole(judged: &[Judged], controls: &[Control]) -> bool {
    judged.iter().all(|it| it.fate == Fate::Killed) && controls.iter().all(Control::proven)
}

/// The same for programs.
#[must_use]
pub fn report(judged: &[Judged], controls: &[Control]) -> Value {
    let said = |said: &Said| json!({"verdict": said.verdict, "reason": said.reason, "phases": said.phases});
    let mutants = judged.iter().map(|it| {
        json!({
            "of": it.mutant.of,
            "kind": it.mutant.kind.name(),
            "change": it.mutant.change,
            "file": it.mutant.file,
            "alert": it.mutant.alert,
            "drill": it.drill,
            "fate": format!("{:?}", it.fate).to_lowercase(),
            "said": said(&it.said),
        })
    });
    let controls = controls.iter().map(|it| json!({"drill": it.drill, "said": said(&it.said)}));
    json!({"mutants": mutants.collect::<Vec<_>>(), "controls": controls.collect::<Vec<_>>()})
}

/// Broken between words, what follows the first line set in by ten columns.
fn wrap(text: &str) -> String {
    let options = Options::new(WIDTH).subsequent_indent("          ").break_words(false);
    format!("{}\n", textwrap::fill(text, options.word_splitter(WordSplitter::NoHyphenation)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(kind: Kind, fate: Fate) -> Judged {
        let mutant = Mutant {
            kind,
            of: "HighErrorRate".into(),
            change: "0.05 -> 50".into(),
            alert: "HighErrorRate".into(),
            drills: vec!["high-error-rate".into()],
            file: "api.yml".into(),
            text: String::new(),
        };
        let reason =
            "the rule's value reached 0.08 of the 50 it needs: the cause is too weak, and so on".to_owned();
        let said = Said { verdict: "MISSED".into(), reason, ..Said::default() };
        Judged { mutant, drill: "high-error-rate".into(), said, fate }
    }

    fn control_of(verdict: &str) -> Control {
        Control { drill: "a".into(), said: Said { verdict: verdict.into(), ..Said::default() } }
    }

    #[test]
    fn lines_fit_eighty_columns() {
        let text = line(&judged(Kind::Threshold, Fate::Killed));
        assert_eq!(
            text,
            "killed    HighErrorRate: threshold x 1000, 0.05 -> 50\n          \
             high-error-rate: MISSED: the rule's value reached 0.08 of the 50 it\n          \
             needs: the cause is too weak, and so on\n"
        );
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn one_survivor_or_one_unproven_control_spoils_it() {
        let killed = [judged(Kind::Threshold, Fate::Killed), judged(Kind::Hold, Fate::Killed)];
        let other = |fate| [killed[0].clone(), judged(Kind::Hold, fate)];
        assert!(whole(&killed, &[control_of("PROVEN")]));
        assert!(!whole(&killed, &[control_of("PROVEN"), control_of("LATE")]));
        assert!(!whole(&other(Fate::Survived), &[control_of("PROVEN")]));
        assert!(!whole(&other(Fate::Unclear), &[control_of("PROVEN")]));
        let text = table(&other(Fate::Survived), &[control_of("PROVEN")], Duration::from_secs(125));
        assert_eq!(
            text,
            "                     killed survived  unclear\n\
             threshold x 1000          1        0        0\n\
             for x 20, or 1h           0        1        0\n\
             all                       1        1        0\n\
             1 of 2 mutants killed: 50 %. 1 of 1 unbroken drills PROVEN. 2 min 5 s\n"
        );
    }
}
