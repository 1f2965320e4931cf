// What holds for every monitoring directory that can be scaled. Shared by fuzz targets.

use std::collections::BTreeMap;

use alerting::scale::{Factor, Options, Rendered, Replacements, render};

/// A `prometheus.yml` for rule files and an `alertmanager.yml` beside it.
pub const PROMETHEUS: &str = "\
global: {scrape_interval: 15s, evaluation_interval: 15s}
scrape_configs: [{job_name: api}, {job_name: slow, scrape_interval: 2m}]
";

fn scale(files: &BTreeMap<String, String>, by: f64) -> Option<Rendered> {
    let options = Options { factor: Factor::new(by).expect("at least 1"), addresses: Replacements::default() };
    render(files, &options).ok()
}

/// Scales the files by 1 and by 20, checks the results, and returns those of 20; `None` if they cannot be scaled.
pub fn by_20(files: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let same = scale(&files, 1.0);
    let scaled = scale(&files, 20.0);
    let Some(Rendered { files: scaled, changes, .. }) = scaled else {
        return None;
    };
    // Only paths of rule files change without a factor: absolute ones are written relative to the rendering.
    let same = same.expect("what can be divided by 20 can be divided by 1");
    if same.changes.iter().chain(&changes).any(|it| it.field.starts_with("rule_files")) {
        return Some(scaled);
    }
    assert!(same.files == files && same.changes.is_empty(), "{:?}", same.changes);
    let again = scale(&scaled, 1.0).expect("a scaled file can be read");
    assert_eq!(again.files, scaled);
    let inserted = changes.iter().any(|it| it.from.ends_with("(default)"));
    for (name, text) in &files {
        let (before, after) = (without_durations(text), without_durations(&scaled[name]));
        let mut rest = after.chars();
        let kept = if inserted { before.chars().all(|it| rest.any(|other| other == it)) } else { before == after };
        assert!(kept, "{name}: more than durations differ:\n{text}\n{}", scaled[name]);
    }
    Some(scaled)
}

/// The text without its words that begin with a digit or a dot.
fn without_durations(text: &str) -> String {
    let in_word = |it: char| it.is_ascii_alphanumeric() || it == '.';
    let mut rest = String::with_capacity(text.len());
    let mut skips = false;
    let mut last = ' ';
    for character in text.chars() {
        let begins = !in_word(last) && (character.is_ascii_digit() || character == '.');
        skips = begins || (skips && in_word(character));
        if !skips {
            rest.push(character);
        }
        last = character;
    }
    rest
}
