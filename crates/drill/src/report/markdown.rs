//! The report as Markdown, for the summary page of a pipeline.

use std::fmt::Write;

use common::console::visible;

use crate::record::case::Case;
use crate::report::json::Run;
use crate::report::table::{COLUMNS, rows, story};

/// The report of a run: the table, the details of every drill that is not PROVEN, and the drills that were not run.
#[must_use]
pub fn report(run: &Run, records: &[Case]) -> String {
    let mut text = String::new();
    let mut line = |cells: [String; 7]| {
        let cells = cells.map(|cell| escaped(&cell));
        let _ = writeln!(text, "| {} |", cells.join(" | ")); // writing to a String cannot fail
    };
    line(COLUMNS.map(str::to_owned));
    line(["---", "---", "---:", "---:", "---:", "---:", "---:"].map(str::to_owned));
    rows(records).for_each(line);
    for story in records.iter().map(story).filter(|story| !story.is_empty()) {
        // Four spaces make a code block, in which nothing is markup.
        let block: String = visible(&story).lines().map(|line| format!("    {line}\n")).collect();
        let _ = write!(text, "\n{block}");
    }
    if !run.not_run.is_empty() {
        let _ = writeln!(text, "\nNot run: {}", escaped(&run.not_run.join(", ")));
    }
    text
}

/// The text with everything escaped that Markdown or HTML could take for markup.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in visible(text).chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\t' => out.push(' '),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' => out.extend(['\\', character]),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::judgement::{Judgement, Verdict};
    use crate::report::table::tests::{at, record};

    #[test]
    fn has_a_row_for_each_drill_and_details_of_failures() {
        let mut missed = record();
        missed.alert = "Slow|<b>".into();
        missed.judgement = Some(Judgement { verdict: Verdict::Missed, reason: "too <weak>".into() });
        let run = Run {
            started: at(0.0),
            finished: at(40.0),
            scale: 20.0,
            interrupted: None,
            not_run: vec!["next_one".into()],
        };
        let text = report(&run, &[record(), missed]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("| alert | verdict | pending | "), "{text}");
        assert!(lines[1].starts_with("| --- | --- | ---: | "), "{text}");
        assert!(lines[2].starts_with("| HighErrorRate | PROVEN | "), "{text}");
        assert!(lines[3].starts_with("| Slow\\|&lt;b> | MISSED | "), "{text}");
        assert_eq!((lines[4], lines[5]), ("", "    Slow|<b> (high-error-rate): MISSED"));
        assert!(lines.contains(&"      reason   too <weak>"), "{text}");
        assert_eq!(*lines.last().unwrap(), "Not run: next\\_one");
    }
}
