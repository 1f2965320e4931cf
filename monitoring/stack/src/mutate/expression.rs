//! Broken expressions: each part of one in every applicable way.

use std::ops::Range;

use promql::Comparison;

use super::mutant::Kind;

/// One change to an expression.
#[derive(Debug, PartialEq)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// A description.
    pub what: String,
    /// What is replaced, and by what; the positions ascend.
    pub edits: Vec<(Range<usize>, String)>,
}

impl Change {
    /// Numbers the changes of one kind that read alike, from the left.
    fn numbered(changes: Vec<Self>) -> Vec<Self> {
        let whats: Vec<(Kind, String)> = changes.iter().map(|it| (it.kind, it.what.clone())).collect();
        let alike = |range: &[(Kind, String)], it: &Self| {
            range.iter().filter(|(kind, what)| *kind == it.kind && *what == it.what).count()
        };
        let number = |(index, mut it): (usize, Self)| {
            if alike(&whats, &it) > 1 {
                it.what = format!("{} (number {})", it.what, alike(&whats[..=index], &it));
            }
            it
        };
        changes.into_iter().enumerate().map(number).collect()
    }
}

/// Every way to break an expression of an alert.
///
/// # Errors
/// When it cannot be parsed.
pub fn of_alert(expr: &str) -> Result<Vec<Change>, promql::Error> {
    let parts = promql::parts(expr)?;
    let mut found = matchers(expr, &parts);
    for comparison in &parts.comparisons {
        let old = &expr[comparison.operator.start..comparison.value.end];
        let (high, low) = thresholds(expr, comparison);
        let at = comparison.operator.start..comparison.value.end;
        for (kind, new) in [(Kind::Threshold, high), (Kind::LowThreshold, low)] {
            if let Some(new) = new {
                found.push(Change { kind, what: format!("{old} -> {new}"), edits: vec![(at.clone(), new)] });
            }
        }
    }
    Ok(Change::numbered(found))
}

/// Every way to break an expression of a recording rule.
///
/// # Errors
/// When it cannot be parsed.
pub fn of_recording(expr: &str) -> Result<Vec<Change>, promql::Error> {
    let parts = promql::parts(expr)?;
    let mut found = matchers(expr, &parts);
    for metric in &parts.metrics {
        let old = &expr[metric.clone()];
        let edits = vec![(metric.end..metric.end, "x".to_owned())];
        found.push(Change { kind: Kind::Source, what: format!("{old} -> {old}x"), edits });
    }
    let edits = vec![(0..0, "(".to_owned()), (expr.len()..expr.len(), ") * 0.001".to_owned())];
    found.push(Change { kind: Kind::Factor, what: "x 0.001".to_owned(), edits });
    Ok(Change::numbered(found))
}

/// Misspelt matchers and removed branches.
fn matchers(expr: &str, parts: &promql::Parts) -> Vec<Change> {
    let mut found = Vec::new();
    for it in &parts.matchers {
        let [label, operator, value] = [&it.label, &it.operator, &it.value].map(|at| &expr[at.clone()]);
        // A misspelt value matches nothing. A negative matcher would then match as before, so its label is misspelt: no
        // series has it, and the matcher excludes nothing, or everything if the value is empty.
        let (new, at) = match operator.starts_with('!') {
            false => (format!("{label}{operator}\"{value}x\""), it.value.end),
            true => (format!("{label}x{operator}\"{value}\""), it.label.end),
        };
        let what = format!("{label}{operator}\"{value}\" -> {new}");
        found.push(Change { kind: Kind::Matcher, what, edits: vec![(at..at, "x".to_owned())] });
    }
    for branch in &parts.branches {
        let what = format!("without `{}`", joined(&expr[branch.clone()]));
        found.push(Change { kind: Kind::Branch, what, edits: vec![(branch.clone(), String::new())] });
    }
    found
}

/// The comparison with a threshold that nothing reaches, and with one that healthy values reach.
fn thresholds(expr: &str, comparison: &Comparison) -> (Option<String>, Option<String>) {
    let operator = &expr[comparison.operator.clone()];
    let Ok(number) = expr[comparison.value.clone()].parse::<f64>() else { return (None, None) };
    match (operator, number > 0.0) {
        (">" | ">=", true) => {
            (Some(format!("{operator} {}", number * 1e3)), Some(format!("{operator} {}", number / 1e3)))
        }
        (">", false) => (Some("> 1e15".to_owned()), Some(">= 0".to_owned())),
        ("<" | "<=", true) => {
            (Some(format!("{operator} {}", number / 1e3)), Some(format!("{operator} {}", number * 1e3)))
        }
        ("==", _) => (Some(format!("== {}", number + 1.0)), None),
        _ => (None, None),
    }
}

/// A text on one line.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(expr: &str, changes: Vec<Change>) -> Vec<(Kind, String)> {
        let apply = |change: Change| {
            let mut text = expr.to_owned();
            for (at, new) in change.edits.iter().rev() {
                text.replace_range(at.clone(), new);
            }
            (change.kind, text)
        };
        changes.into_iter().map(apply).collect()
    }

    #[test]
    fn breaks_every_part_of_an_alert() {
        let expr = r#"up{job="a",x!~"b|c"} == 0 or absent(up{n!=""}) and y > 0.5"#;
        let expected = [
            (Kind::Matcher, r#"up{job="ax",x!~"b|c"} == 0 or absent(up{n!=""}) and y > 0.5"#),
            (Kind::Matcher, r#"up{job="a",xx!~"b|c"} == 0 or absent(up{n!=""}) and y > 0.5"#),
            (Kind::Matcher, r#"up{job="a",x!~"b|c"} == 0 or absent(up{nx!=""}) and y > 0.5"#),
            (Kind::Branch, r#"absent(up{n!=""}) and y > 0.5"#),
            (Kind::Branch, r#"up{job="a",x!~"b|c"} == 0"#),
            (Kind::Threshold, r#"up{job="a",x!~"b|c"} == 1 or absent(up{n!=""}) and y > 0.5"#),
            (Kind::Threshold, r#"up{job="a",x!~"b|c"} == 0 or absent(up{n!=""}) and y > 500"#),
            (Kind::LowThreshold, r#"up{job="a",x!~"b|c"} == 0 or absent(up{n!=""}) and y > 0.0005"#),
        ];
        assert_eq!(made(expr, of_alert(expr).unwrap()), expected.map(|(kind, text)| (kind, text.to_owned())));
    }

    #[test]
    fn breaks_thresholds_in_both_directions() {
        let both =
            |expr: &str| -> Vec<String> { of_alert(expr).unwrap().into_iter().map(|it| it.what).collect() };
        assert_eq!(both("x > 0"), ["> 0 -> > 1e15", "> 0 -> >= 0"]);
        assert_eq!(both("x < 15"), ["< 15 -> < 0.015", "< 15 -> < 15000"]);
        assert_eq!(both("x >= 2"), [">= 2 -> >= 2000", ">= 2 -> >= 0.002"]);
        assert_eq!(both("x == 1"), ["== 1 -> == 2"]);
        assert_eq!(both("x < y"), [""; 0]);
        assert_eq!(both("x == 0 or y == 0")[2..], ["== 0 -> == 1 (number 1)", "== 0 -> == 1 (number 2)"]);
    }

    #[test]
    fn breaks_every_part_of_a_recording_rule() {
        let expr = "sum by (job) (rate(a{job=\"b\"}[5m]))\n  / c:d";
        let expected = [
            (Kind::Matcher, "sum by (job) (rate(a{job=\"bx\"}[5m]))\n  / c:d"),
            (Kind::Source, "sum by (job) (rate(ax{job=\"b\"}[5m]))\n  / c:d"),
            (Kind::Source, "sum by (job) (rate(a{job=\"b\"}[5m]))\n  / c:dx"),
            (Kind::Factor, "(sum by (job) (rate(a{job=\"b\"}[5m]))\n  / c:d) * 0.001"),
        ];
        assert_eq!(
            made(expr, of_recording(expr).unwrap()),
            expected.map(|(kind, text)| (kind, text.to_owned()))
        );
    }
}
