//! The text report: the table, and the details of every drill that is not PROVEN.

use std::fmt::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Row, Table};

use crate::record::case::Case;
use crate::record::judgement::Verdict;
use crate::report::timeline;
use crate::timing::clock::precise_time_of_day;
use crate::timing::phases::Measured;

/// Maximum length of a name; longer ones are shortened.
const NAME: usize = 30;

/// Seconds from which durations are shown in hours.
const LONG: f64 = 36_000.0;

/// `9.1/11.4s` or `12.0s/36h`: duration and bound; `-` for a phase that did not end.
#[must_use]
pub fn cell(phase: Measured) -> String {
    let write = |seconds: Option<f64>| match seconds {
        None => "-".to_owned(),
        Some(seconds) if seconds.abs() < 100.0 => format!("{seconds:.1}"),
        Some(seconds) => format!("{seconds:.0}"),
    };
    let (took, bound) = (phase.seconds, phase.bound_seconds);
    if took.is_none() && bound.is_none() {
        return "-".to_owned();
    }
    if [took, bound].into_iter().flatten().all(|seconds| seconds < LONG) {
        return format!("{}/{}s", write(took), write(bound));
    }
    let with_unit = |seconds: Option<f64>| match seconds {
        Some(seconds) if seconds >= LONG => format!("{:.0}h", seconds / 3_600.0),
        Some(_) => format!("{}s", write(seconds)),
        None => "-".to_owned(),
    };
    format!("{}/{}", with_unit(took), with_unit(bound))
}

/// The columns of the table.
pub(super) const COLUMNS: [&str; 7] =
    ["alert", "verdict", "pending", "firing", "notified", "resolved", "all_clear"];

/// The table: one line per drill, each phase with its bound.
#[must_use]
pub fn table(records: &[Case]) -> String {
    plain(std::iter::once(COLUMNS.map(str::to_owned)).chain(rows(records)), 2, 2, None)
}

/// One row per drill.
pub(super) fn rows(records: &[Case]) -> impl Iterator<Item = [String; 7]> {
    records.iter().map(|record| {
        let ambiguous = records.iter().filter(|other| other.alert == record.alert).count() > 1;
        let name = if ambiguous { &record.drill } else { record.title() };
        let verdict = record.judgement.as_ref().map_or("", |judgement| judgement.verdict.name());
        let [pending, firing, notified, resolved, all_clear] =
            record.phases().named().map(|(_, phase)| cell(phase));
        [shortened(name), verdict.to_owned(), pending, firing, notified, resolved, all_clear]
    })
}

/// A table without borders. Columns are separated by `gap` blanks and right-aligned from `numbers` on. If a row is
/// longer than `width`, its longest cells are truncated.
#[must_use]
pub fn plain<const N: usize>(
    rows: impl Iterator<Item = [String; N]>,
    gap: u16,
    numbers: usize,
    width: Option<u16>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_truncation_indicator("…");
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for row in rows {
        let mut row = Row::from(row);
        row.max_height(1);
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, gap));
        column.set_cell_alignment(if index < numbers { CellAlignment::Left } else { CellAlignment::Right });
    }
    table.trim_fmt() + "\n"
}

/// A name, shortened if necessary.
#[must_use]
pub fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

/// The details of a drill that is not PROVEN: reason, rule, value, timeline. Empty for a PROVEN drill.
#[must_use]
pub fn story(record: &Case) -> String {
    let Some(judgement) = record.judgement.as_ref().filter(|judgement| judgement.verdict != Verdict::Proven)
    else {
        return String::new();
    };
    let mut text = format!("{} ({}): {}\n", record.title(), record.drill, judgement.verdict.name());
    let mut line = |name: &str, what: &str| {
        let _ = writeln!(text, "  {name:<8} {what}");
    };
    line("reason", &judgement.reason);
    if let Some(rule) = timeline::rule(record) {
        line("rule", &rule);
    }
    if let Some(value) = timeline::value(record) {
        line("value", &value);
    }
    if record.gaps.failed > 0 {
        line("gaps", &format!("{} of {} queries failed", record.gaps.failed, record.gaps.queries));
    }
    for (index, event) in timeline::of(record).iter().enumerate() {
        let name = if index == 0 { "UTC" } else { "" };
        line(name, &format!("{}  {}", precise_time_of_day(event.at), event.what));
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::evidence::value::Evidence;
    use crate::evidence::value::Value;
    use crate::file::drill;
    pub use crate::judge::fixture::at;
    use crate::judge::fixture::{bounds, proven};
    use crate::record::judgement::Judgement;
    use crate::timing::bounds::Bounds;
    use crate::timing::phases::Instants;

    /// A PROVEN drill: pending 9 s, firing 6 s, notified 4 s, resolved 10 s, all-clear 5 s.
    pub fn record() -> Case {
        let text = "drill: high-error-rate\nproves: {alert: HighErrorRate}\nsummary: too many <errors>\n\
                    baseline: {rate: 1/s, requests: [{get: /}]}\ncause: {load: {rate: 1/s, requests: [{get: /}]}}\n\
                    expect: {delivered: [webhook, slack]}\n";
        let mut record = Case::new(&drill::parse(Path::new("a.yaml"), text).unwrap(), 20.0);
        record.started = at(-9.0);
        record.instants = proven();
        record.expectation.bounds = Some(Bounds { pending: Duration::from_millis(11_400), ..bounds() });
        let value = Value {
            expr: "x".into(),
            operator: Some(">".into()),
            threshold: Some(0.05),
            points: vec![(at(0.0), 0.0), (at(1.0), 0.04), (at(2.0), 0.08)],
        };
        record.evidence = Some(Evidence { value, ..Evidence::default() });
        record.judgement =
            Some(Judgement { verdict: Verdict::Proven, reason: "every phase was within its bound".into() });
        record
    }

    #[test]
    fn shows_each_phase_with_its_bound() {
        let mut missed = record();
        missed.alert = "RateLimitHits".into();
        missed.judgement = Some(Judgement { verdict: Verdict::Missed, reason: "too weak".into() });
        missed.instants = Instants { cause: Some(at(0.0)), ..Instants::default() };
        let mut refused = record();
        refused.alert = "A".repeat(40);
        refused.judgement = Some(Judgement { verdict: Verdict::Refused, reason: "gone".into() });
        refused.instants = Instants::default();
        refused.expectation.bounds = None;
        let text = table(&[record(), missed, refused]);
        let expected = "\
alert                           verdict     pending    firing  notified   resolved  all_clear
HighErrorRate                   PROVEN   9.0/11.4s  6.0/6.0s  4.0/5.0s  10.0/17.0s  5.0/17.0s
RateLimitHits                   MISSED     -/11.4s    -/6.0s    -/5.0s     -/17.0s    -/17.0s
AAAAAAAAAAAAAAAAAAAAAAAAAAAAA…  REFUSED          -         -         -          -          -
";
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&text), squeezed(expected));
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let ends: Vec<_> = text.lines().take(3).map(|line| line.chars().count()).collect();
        assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "columns are aligned: {text}");
    }

    #[test]
    fn drills_of_one_alert_are_listed_by_drill_name() {
        let mut other = record();
        other.drill = "at-night".into();
        let text = table(&[record(), other]);
        assert!(
            text.contains("high-error-rate") && text.contains("at-night") && !text.contains("HighErrorRate")
        );
    }

    #[test]
    fn negative_control_is_listed_by_drill_name() {
        let mut control = record();
        control.alert = String::new();
        control.drill = "quiet".into();
        assert!(table(&[control, record()]).lines().nth(1).unwrap().starts_with("quiet "));
    }

    #[test]
    fn formats_cells() {
        let measured = |seconds, bound_seconds| Measured { seconds, bound_seconds };
        for (phase, text) in [
            (measured(Some(9.12), Some(11.4)), "9.1/11.4s"),
            (measured(Some(217.4), Some(330.0)), "217/330s"),
            (measured(None, Some(5.0)), "-/5.0s"),
            (measured(Some(5.0), None), "5.0/-s"),
            (measured(None, None), "-"),
            (measured(Some(12.0), Some(129_602.0)), "12.0s/36h"),
            (measured(None, Some(129_602.0)), "-/36h"),
        ] {
            assert_eq!(cell(phase), text);
        }
    }

    #[test]
    fn details_only_for_drills_that_are_not_proven() {
        assert_eq!(story(&record()), "");
        let mut missed = record();
        missed.judgement = Some(Judgement { verdict: Verdict::Missed, reason: "too weak".into() });
        let text = story(&missed);
        for part in [
            "HighErrorRate (high-error-rate): MISSED\n",
            "  reason   too weak\n",
            "  value    ▁▅█ 0 to 0.08, threshold > 0.05",
            "  UTC      07:59:51.000  preflight begins\n",
            "           08:00:15.000  firing\n",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }
}
