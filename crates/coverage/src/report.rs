//! Coverage as a table and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::cover::Covered;
use drill::report::table::plain;
use drill::rule::write_labels;

/// The table with one line per drill, followed by what is missing.
#[must_use]
pub fn table(covered: &[Covered]) -> String {
    let header = ["alert", "drill", "proven", "test", "runbook"].map(str::to_owned);
    let mut text = plain(std::iter::once(header).chain(covered.iter().flat_map(rows)), 1, 5, Some(WIDTH));
    let complete = covered.iter().filter(|it| it.is_complete()).count();
    let _ = writeln!(text, "{complete} of {} alerts are covered: {} %", covered.len(), percent(covered));
    for it in covered.iter().filter(|it| !it.is_complete()) {
        let lacks = [
            ("a drill", !it.drills.is_empty(), drill_advice(it)),
            ("a unit test", it.tested, String::new()),
            ("a runbook", it.runbook, String::new()),
        ];
        let lacks =
            lacks.into_iter().filter(|(_, has, _)| !has).map(|(what, _, advice)| format!("{what}{advice}"));
        let lacks = lacks.collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "{}{} ({}) lacks {lacks}", it.alert, write_labels_or_none(it), it.origin);
    }
    text
}

/// Minimum terminal width.
const WIDTH: u16 = 80;

/// One line per drill. The first line of an alert also has its name, test and runbook.
fn rows(it: &Covered) -> Vec<[String; 5]> {
    let yes = |it: bool| if it { "yes" } else { "NO" }.to_owned();
    let labels = it.labels.values().map(|value| format!(" {value}")).collect::<String>();
    let row = |drill: &str| {
        let day = it.proven.get(drill).map(|at| at.strftime("%Y-%m-%d").to_string());
        // Padded to the width of a date.
        let proven = format!("{:<10}", day.as_deref().unwrap_or("never"));
        [String::new(), drill.to_owned(), proven, String::new(), String::new()]
    };
    let none = if it.unfilled.is_empty() { "NO" } else { "no cause yet" };
    let mut rows: Vec<_> = it.drills.iter().map(|drill| row(drill)).collect();
    if rows.is_empty() {
        rows.push(row(none));
    }
    rows[0][0] = format!("{}{labels}", it.alert);
    (rows[0][3], rows[0][4]) = (yes(it.tested), yes(it.runbook));
    rows
}

/// How to complete the existing drills.
fn drill_advice(it: &Covered) -> String {
    if !it.unfilled.is_empty() {
        let has = if it.unfilled.len() == 1 { "has" } else { "have" };
        return format!(" (`{}` {has} no cause yet)", it.unfilled.join("`, `"));
    }
    if it.ambiguous.is_empty() {
        return String::new();
    }
    let fits = if it.ambiguous.len() == 1 { "matches" } else { "match" };
    let remedy = match it.labels.is_empty() {
        false => format!("add {} to `proves.labels` in the drill", write_labels(&it.labels)),
        true => "add a distinguishing label to the rule, and to `proves.labels` in the drill".to_owned(),
    };
    format!(" (`{}` also {fits} another rule of this name: {remedy})", it.ambiguous.join("`, `"))
}

fn write_labels_or_none(it: &Covered) -> String {
    if it.labels.is_empty() { String::new() } else { write_labels(&it.labels) }
}

/// The percentage rounded down, so that 100 means nothing is missing; 0 without alerts.
#[must_use]
pub fn percent(covered: &[Covered]) -> usize {
    let complete = covered.iter().filter(|it| it.is_complete()).count();
    (complete * 100).checked_div(covered.len()).unwrap_or(0)
}

/// The coverage as JSON.
#[must_use]
pub fn json(covered: &[Covered]) -> Value {
    json!({"version": 1, "percent": percent(covered), "alerts": covered})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn covered(alert: &str, drills: &[&str]) -> Covered {
        let drills: Vec<String> = drills.iter().map(|drill| (*drill).to_owned()).collect();
        let proven =
            drills.first().map(|drill| (drill.clone(), jiff::Timestamp::from_second(1_800_000_000).unwrap()));
        Covered {
            alert: alert.into(),
            labels: BTreeMap::new(),
            origin: "a.yml".into(),
            last_proven: proven.as_ref().map(|(_, at)| *at),
            proven: proven.into_iter().collect(),
            drills,
            ambiguous: Vec::new(),
            unfilled: Vec::new(),
            tested: true,
            runbook: false,
        }
    }

    #[test]
    fn each_drill_has_its_own_line_and_proof() {
        let text = table(&[covered("Down", &["down", "gone"]), covered("Burn", &[])]);
        let lines: Vec<_> = text.lines().take(4).collect();
        assert_eq!(
            lines,
            [
                "alert drill proven     test runbook",
                "Down  down  2027-01-15 yes  NO",
                "      gone  never",
                "Burn  NO    never      yes  NO",
            ]
        );
        let json = json(&[covered("Down", &["down", "gone"])]);
        assert_eq!(json["alerts"][0]["drills"], json!(["down", "gone"]));
        assert_eq!(json["alerts"][0]["proven"], json!({"down": "2027-01-15T08:00:00Z"}));
    }

    #[test]
    fn marks_a_drill_without_a_cause() {
        let scaffold = Covered { unfilled: vec!["burn".into()], ..covered("Burn", &[]) };
        let text = table(&[scaffold]);
        assert!(text.contains("\nBurn  no cause yet never      yes  NO\n"), "{text}");
        assert!(text.contains("lacks a drill (`burn` has no cause yet), a runbook"), "{text}");
    }

    #[test]
    fn lines_fit_the_terminal() {
        let (short, long) = ("Down", "L".repeat(60));
        for (alert, drill, shown) in
            [(short, &*long, short), (&*long, short, short), (&*long, &*long, "…"), (short, short, short)]
        {
            let text = table(&[covered(alert, &[drill])]);
            let line = text.lines().nth(1).unwrap();
            assert!(line.chars().count() <= usize::from(WIDTH) && line.contains(shown), "{line}");
        }
    }
}
