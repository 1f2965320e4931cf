//! Any content of the files gives a rendering or an error, never an abort.

use proptest::prelude::*;

use crate::damage::{any_text, damaged};
use crate::fixture::{files, scaled};

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

/// A file of the directory.
fn file() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["prometheus.yml", "alertmanager.yml", "alert_rules/api.yml"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_text_is_rendered_or_rejected(file in file(), text in any_text()) {
        render(file, text);
    }

    #[test]
    fn damaged_files_are_rendered_or_rejected(
        (file, text) in file().prop_flat_map(|file| (Just(file), damaged(files()[file].clone()))),
    ) {
        render(file, text);
    }
}
