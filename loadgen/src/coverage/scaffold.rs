//! Drill files to begin with, for alerts that have none.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Covered;

/// `HighErrorRate` as `high-error-rate`; runs of capitals stay together.
#[must_use]
pub fn file_name(alert: &str) -> String {
    let characters: Vec<char> = alert.chars().collect();
    let mut name = String::new();
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(at + 1);
        let begins = character.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || after.is_some_and(|after| after.is_lowercase())
            });
        if begins && !name.ends_with('-') {
            name.push('-');
        }
        let plain = character.is_ascii_alphanumeric() || *character == '-';
        name.push(if plain { character.to_ascii_lowercase() } else { '-' });
    }
    name
}

/// The text of a drill file that has everything but its cause.
#[must_use]
pub fn text(name: &str, covered: &Covered) -> String {
    let labels: Vec<String> =
        covered.labels.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    let labels =
        if labels.is_empty() { String::new() } else { format!(", labels: {{{}}}", labels.join(", ")) };
    format!(
        "drill: {name}\n\
         proves: {{alert: {}{labels}}}\n\
         summary: what happens, and why that is to be told\n\
         # Healthy traffic, before the cause and through recovery; leave it out when there is none.\n\
         baseline: {{rate: 10/s, requests: [{{get: /}}]}}\n\
         # What trips the alert for real: one or several of\n\
         #   load: {{rate: 40/s, requests: [{{get: /path, expect: 500}}]}}   idle: true\n\
         #   stop: SERVICE   pause: SERVICE   restart: {{name: SERVICE, times: 3}}\n\
         #   run: {{start: [program, argument], undo: [program, argument]}}\n\
         #   fault: {{route: /path, delay: 200ms}}   inbox: {{slack: 500}}\n\
         cause: {{}}\n\
         # What the team promises from the start of the cause on, in production timing.\n\
         objective: {{notified: 10m, told_resolved: 20m}}\n\
         expect: {{delivered: [webhook]}}\n",
        covered.alert
    )
}

/// Writes a file for each alert without a drill; gives those written. A file that is there is left alone.
///
/// # Errors
/// The file that cannot be written.
pub fn write_missing(dir: &Path, covered: &[Covered]) -> Result<Vec<PathBuf>, String> {
    fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut written = Vec::new();
    for it in covered.iter().filter(|it| it.drills.is_empty()) {
        let values: String = it.labels.values().map(|value| format!("-{value}")).collect();
        let name = file_name(&format!("{}{values}", it.alert));
        let path = dir.join(format!("{name}.yaml"));
        match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let text = text(&name, it);
                file.write_all(text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
                written.push(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn names() {
        for (alert, name) in [
            ("HighErrorRate", "high-error-rate"),
            ("APIDown", "api-down"),
            ("ExcessiveHttp500", "excessive-http500"),
            ("KubePodCrashLooping", "kube-pod-crash-looping"),
            ("disk full!", "disk-full-"),
        ] {
            assert_eq!(file_name(alert), name);
        }
    }

    #[test]
    fn what_is_written_lacks_only_its_cause() {
        let dir = tempfile::tempdir().unwrap();
        let covered = Covered {
            alert: "Burn".into(),
            labels: BTreeMap::from([("severity".into(), "critical".into())]),
            origin: "slo.yml".into(),
            drills: Vec::new(),
            proven: BTreeMap::new(),
            ambiguous: Vec::new(),
            tested: true,
            runbook: true,
            last_proven: None,
        };
        let written = write_missing(dir.path(), std::slice::from_ref(&covered)).unwrap();
        assert_eq!(written, [dir.path().join("burn-critical.yaml")]);
        let text = fs::read_to_string(&written[0]).unwrap();
        let error = crate::drill::file::parse(&written[0], &text).unwrap_err().to_string();
        assert!(error.contains("the cause is empty"), "{error}");
        let done = text.replace("cause: {}", "cause: {stop: api}");
        let drill = crate::drill::file::parse(&written[0], &done).unwrap();
        assert_eq!(
            (drill.proves.alert.value.as_str(), drill.proves.labels["severity"].as_str()),
            ("Burn", "critical")
        );
        assert!(write_missing(dir.path(), &[covered]).unwrap().is_empty(), "it is left alone");
    }
}
