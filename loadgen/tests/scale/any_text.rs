//! Any content of the files gives a rendering or an error, never an abort.

use proptest::prelude::*;

use crate::fixture::{files, scaled};

const PARTS: &[&str] = &[
    "groups:",
    "- ",
    "\n",
    "\n  ",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: ",
    "---\n",
    "...",
    "? ",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "\\",
    "#",
    "~",
    ": ",
    ",",
    "!!str ",
    "%YAML 1.2\n",
    "5m",
    "-5m",
    "9999999999y",
    "1e9",
    "kind: List\n",
    "kind: PrometheusRule\n",
    "items:",
    "spec:",
    "rules:",
    "expr: ",
    "for: ",
    "\t",
    "\r",
    "\u{0}",
    "\u{feff}",
    "ä",
];

/// Renders the small directory with one file replaced.
fn render(file: &str, text: String) {
    let mut files = files();
    files.insert(file.to_owned(), text);
    for by in [1.0, 20.0] {
        if let Err(error) = scaled(&files, by, &[]) {
            assert!(!error.reason.is_empty());
        }
    }
}

#[test]
fn rejects_excessive_nesting() {
    let deep = 200_000;
    for text in [
        "[".repeat(deep),
        "{a: ".repeat(deep),
        "- ".repeat(deep),
        format!("groups: {}{}", "[".repeat(deep), "]".repeat(deep)),
        format!(
            "groups: [{{name: g, rules: [{{alert: A, expr: '{}x{}'}}]}}]",
            "(".repeat(deep),
            ")".repeat(deep)
        ),
    ] {
        let mut files = files();
        files.insert("alert_rules/api.yml".into(), text);
        let reason = scaled(&files, 20.0, &[]).unwrap_err().to_string();
        assert!(reason.len() < 300, "{reason}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_text_is_rendered_or_rejected(
        text in ".{0,80}",
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..30),
        file in prop::sample::select(vec!["prometheus.yml", "alertmanager.yml", "alert_rules/api.yml"]),
    ) {
        render(file, text);
        render(file, parts.concat());
    }

    #[test]
    fn damaged_files_are_rendered_or_rejected(
        file in prop::sample::select(vec!["prometheus.yml", "alertmanager.yml", "alert_rules/api.yml"]),
        at in 0.0f64..1.0,
        taken in 0usize..12,
        part in prop::sample::select(PARTS),
    ) {
        let text = files()[file].clone();
        let boundary = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let from = boundary((at * text.len() as f64) as usize);
        let to = boundary((from + taken).min(text.len()));
        render(file, format!("{}{part}{}", &text[..from], &text[to..]));
        render(file, text[..from].to_owned());
    }
}
