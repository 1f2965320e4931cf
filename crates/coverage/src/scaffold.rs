//! Writes templates of drill files for alerts that have none.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use heck::ToKebabCase;

use crate::cover::Covered;
use crate::error::{CoverageError, bad};
use clients::prometheus::Labels;
use drill::file::drill::Drill;
use drill::file::suite::Suite;

/// Maximum length of a name before a number is added. It leaves room for `.json.new` and the like below the 255 bytes
/// of file systems.
const LONGEST: usize = 80;

/// `HighErrorRate` becomes `high-error-rate`. Consecutive capitals stay together, and all characters except ASCII
/// letters and digits separate words. The name is `alert` if no letter or digit is left.
#[must_use]
pub fn file_name(alert: &str) -> String {
    let mut name = alert.replace(|it: char| !it.is_ascii_alphanumeric(), "-").to_kebab_case();
    name.truncate(LONGEST); // all of it is ASCII
    match name.trim_end_matches('-') {
        "" => "alert".to_owned(),
        name => name.to_owned(),
    }
}

/// `name`, or `name` with the first number that makes it unique.
fn unique(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !taken(name)).unwrap_or_else(|| name.to_owned()) // the numbers do not end
}

/// Text that YAML reads back unchanged: plain if it is an unambiguous word, otherwise quoted.
fn scalar(text: &str) -> String {
    const MEANT: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan"];
    let word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character))
        && !MEANT.iter().any(|meant| text.eq_ignore_ascii_case(meant));
    // Strings of JSON are double-quoted strings of YAML.
    if word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// The text of a drill file without a cause.
#[must_use]
pub fn text(name: &str, covered: &Covered) -> String {
    let quoted = |text: &String| serde_json::Value::from(text.as_str()).to_string();
    let labels: Vec<String> =
        covered.labels.iter().map(|(name, value)| format!("{}: {}", scalar(name), quoted(value))).collect();
    let labels =
        if labels.is_empty() { String::new() } else { format!(", labels: {{{}}}", labels.join(", ")) };
    format!(
        "drill: {}\n\
         proves: {{alert: {}{labels}}}\n\
         summary: what happens, and why it matters\n\
         # Healthy traffic, before the cause and through recovery; leave it out when there is none.\n\
         baseline: {{rate: 10/s, requests: [{{get: /}}]}}\n\
         # What trips the alert for real: one or several of\n\
         #   load: {{rate: 40/s, requests: [{{get: /path, expect: 500}}]}}   idle: true\n\
         #   stop: SERVICE   pause: SERVICE   restart: {{name: SERVICE, times: 3}}\n\
         #   run: {{start: [program, argument], undo: [program, argument]}}\n\
         #   fault: {{route: /path, delay: 200ms}}   inbox: {{slack: 500}}\n\
         cause: {{}}\n\
         # Time limits that the team promises, from the start of the cause, in production timing.\n\
         objective: {{notified: 10m, all_clear: 20m}}\n\
         expect: {{delivered: [webhook]}}\n",
        scalar(name),
        scalar(&covered.alert)
    )
}

/// Writes a file for each alert that has no drill, not even one without a cause; returns the files. Existing files are
/// not changed, and the names of drills in `suite` are not reused.
///
/// # Errors
/// A file cannot be written.
pub fn write_missing(dir: &Path, covered: &[Covered], suite: &Suite) -> Result<Vec<PathBuf>, CoverageError> {
    fs::create_dir_all(dir).map_err(bad(dir))?;
    let drills = suite.drills.iter().map(|(_, drill)| drill);
    let drills: Vec<&Drill> = drills.chain(suite.unfilled.iter().map(|it| &it.drill)).collect();
    // Rules that no label distinguishes would get a new file each time.
    let mut demanded: BTreeSet<(&str, &Labels)> =
        drills.iter().map(|drill| (drill.proves.alert.value.as_str(), &drill.proves.labels)).collect();
    let mut written = Vec::new();
    for it in covered.iter().filter(|it| it.drills.is_empty() && it.unfilled.is_empty()) {
        if !demanded.insert((&it.alert, &it.labels)) {
            continue;
        }
        let values: String = it.labels.values().map(|value| format!("-{value}")).collect();
        let path_of = |name: &str| dir.join(format!("{name}.yaml"));
        let name = unique(&file_name(&format!("{}{values}", it.alert)), |name| {
            drills.iter().any(|drill| drill.drill.value == name) || path_of(name).symlink_metadata().is_ok()
        });
        let path = path_of(&name);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(bad(&path))?;
        file.write_all(text(&name, it).as_bytes()).map_err(bad(&path))?;
        written.push(path);
    }
    Ok(written)
}

#[cfg(test)]
#[path = "scaffold_tests.rs"]
mod tests;
