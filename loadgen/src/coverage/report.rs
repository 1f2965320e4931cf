//! Coverage as a table and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Covered;
use crate::drill::subject::write_labels;

/// The table, and what is missing beneath it.
#[must_use]
pub fn table(covered: &[Covered]) -> String {
    let name = |it: &Covered| match it.labels.is_empty() {
        true => it.alert.clone(),
        false => format!("{} {}", it.alert, it.labels.values().cloned().collect::<Vec<_>>().join(" ")),
    };
    let width = covered.iter().map(|it| name(it).chars().count()).max().unwrap_or(0).max(5);
    let mut text = format!("{:width$}  drill  test  runbook  last proven\n", "alert");
    let yes = |it: bool| if it { "yes" } else { "NO" };
    for it in covered {
        let proven =
            it.last_proven.map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M").to_string());
        let _ = writeln!(
            text,
            "{:width$}  {:<5}  {:<4}  {:<7}  {proven}",
            name(it),
            yes(!it.drills.is_empty()),
            yes(it.tested),
            yes(it.runbook)
        ); // writing to a String cannot fail
    }
    let whole = covered.iter().filter(|it| it.whole()).count();
    let _ = writeln!(text, "{whole} of {} alerts are covered: {} %", covered.len(), percent(covered));
    for it in covered.iter().filter(|it| !it.whole()) {
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

/// What can be done of what is there.
fn drill_advice(it: &Covered) -> String {
    if it.ambiguous.is_empty() {
        return String::new();
    }
    let fits = if it.ambiguous.len() == 1 { "fits" } else { "fit" };
    let way_out = match it.labels.is_empty() {
        false => format!("have it demand {}", write_labels(&it.labels)),
        true => "give the rule a label that tells it apart, and have the drill demand it".to_owned(),
    };
    format!(" (`{}` {fits} another rule of this name as well: {way_out})", it.ambiguous.join("`, `"))
}

fn write_labels_or_none(it: &Covered) -> String {
    if it.labels.is_empty() { String::new() } else { write_labels(&it.labels) }
}

/// Whole percents, rounded down: 100 only when nothing is missing, and 0 of nothing.
#[must_use]
pub fn percent(covered: &[Covered]) -> usize {
    let whole = covered.iter().filter(|it| it.whole()).count();
    (whole * 100).checked_div(covered.len()).unwrap_or(0)
}

/// The same as JSON.
#[must_use]
pub fn json(covered: &[Covered]) -> Value {
    json!({"version": 1, "percent": percent(covered), "alerts": covered})
}
