//! Any text gives a result or an error, never an abort.

use std::time::Duration;

use proptest::prelude::*;

/// Calls every function that parses an expression. Returns whether it is valid.
fn read(expr: &str) -> bool {
    let found = promql::durations(expr);
    let _ = (promql::stays(expr), promql::reads(expr, Duration::from_secs(60)), promql::threshold(expr));
    let _ = promql::parts(expr);
    if let Ok((text, changes)) = promql::rewrite_durations(expr, |it| it.from.max(Duration::from_millis(1))) {
        assert_eq!(text, expr, "{changes:?}");
    }
    found.is_ok()
}

#[test]
fn rejects_expressions_that_would_overflow_the_stack() {
    let refused = |expr: &str| {
        read(expr);
        promql::durations(expr).is_err_and(|error| error.to_string().contains("operators and brackets"))
    };
    for (before, after) in
        [("(", ")"), ("-", ""), ("abs(", ")"), ("-(", ")"), ("2^", ""), ("", "+1"), ("", "[5m:1m]")]
    {
        let nested = |count: usize| format!("{}x{}", before.repeat(count), after.repeat(count));
        assert!(!refused(&nested(1_000)), "{before} {after}");
        assert!(refused(&nested(4_100)), "{before} {after}");
    }
    assert!(refused(&format!("{}x{}", "(".repeat(200_000), ")".repeat(200_000))));
}

#[test]
fn rejects_long_invalid_text() {
    for part in ["{", "[", "\"", "a b", "\\"] {
        assert!(!read(&part.repeat(50_000)), "{part}");
    }
}

#[test]
fn parses_utf_8_names() {
    for expr in [
        r#"{"größe.gesamt", "label.dots"="ä"} > 1"#,
        r#"sum by ("label.dots") (rate({"größe.gesamt"}[5m]))"#,
        r#"x{"label.dots"=~"a|ö"} offset 5m"#,
    ] {
        assert!(read(expr), "{expr}");
    }
}

const PARTS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "5m",
    "1h30m",
    "offset",
    "x",
    "rate",
    "sum by",
    "-",
    "+",
    "^",
    ":",
    ",",
    "\"",
    "'",
    "`",
    "\\",
    "1e9",
    "0x",
    "@",
    "start()",
    "ä",
    "\u{0}",
    "#",
    "\n",
    "=~",
    "!=",
    "bool",
    "or",
    "999999999y",
    "on",
    "{\"a.b\"",
    "1_0",
    "inf",
    ".",
];

proptest! {
    #[test]
    fn any_text_is_parsed_or_rejected(text in ".{0,60}") {
        read(&text);
    }

    #[test]
    fn any_parts_are_parsed_or_rejected(parts in prop::collection::vec(prop::sample::select(PARTS), 0..24)) {
        read(&parts.concat());
        read(&parts.join(" "));
    }

    #[test]
    fn damaged_expressions_are_parsed_or_rejected(at in 0usize..90, part in prop::sample::select(PARTS)) {
        let mut expr = r#"sum by (job) (rate(x{job="a"}[5m] offset 1m)) / max_over_time((y > 2)[1h:1m]) > bool 0.5"#.to_owned();
        let at = at.min(expr.len());
        expr.insert_str(at, part);
        read(&expr);
        expr.truncate(at);
        read(&expr);
    }
}
