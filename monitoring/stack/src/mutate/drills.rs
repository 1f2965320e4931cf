//! The drills and the alerts they prove.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::mutant::parsed;
use crate::error::Error;

/// A drill of an alert, or a negative control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The alert it proves; empty for a negative control.
    pub alert: String,
    /// Labels it requires of the alert.
    pub labels: BTreeMap<String, String>,
    /// Its objective for the all-clear, or the length of the control, in production timings; zero if it has none.
    pub promised: Duration,
    /// What it expects of other alerts.
    pub expect: Expect,
}

/// Alerts that a drill names in `expect`, and the grouping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Expect {
    /// Must stay silent.
    #[serde(default)]
    pub silent: Vec<String>,
    /// Must come near their thresholds and stay silent.
    #[serde(default)]
    pub near: Vec<String>,
    /// May fire too.
    #[serde(default)]
    pub also: Vec<String>,
    /// Must fire and be inhibited.
    #[serde(default)]
    pub inhibited: Vec<String>,
    /// The labels that notifications are grouped by, if it says so.
    #[serde(default)]
    pub grouped_by: Vec<String>,
}

impl Drill {
    /// Whether it notices that an alert fires or notifies which it does not prove.
    #[must_use]
    pub fn watches(&self, alert: &str) -> bool {
        let Expect { silent, near, inhibited, .. } = &self.expect;
        silent.iter().chain(near).chain(inhibited).any(|name| name == alert)
    }

    /// How many words of its name a text contains.
    #[must_use]
    pub fn words_in(&self, text: &str) -> usize {
        self.name.split('-').filter(|word| text.contains(*word)).count()
    }
}

#[derive(Deserialize)]
struct File {
    drill: Option<String>,
    #[serde(default)]
    proves: Proves,
    #[serde(default)]
    objective: Objective,
    #[serde(default)]
    expect: Expect,
}

#[derive(Default, Deserialize)]
struct Proves {
    #[serde(default)]
    alert: String,
    quiet: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct Objective {
    all_clear: Option<String>,
}

/// The drills of a folder, by name; excludes suite files.
///
/// # Errors
/// When a file cannot be read or is not valid YAML.
pub fn load(folder: &Path) -> Result<Vec<Drill>, Error> {
    let listing = || format!("listing {}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(listing()))? {
        let path = entry.map_err(Error::io(listing()))?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            found.extend(parse(&path, &read(&path)?)?);
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn parse(path: &Path, text: &str) -> Result<Option<Drill>, Error> {
    let file: File = parsed(&path.display().to_string(), text)?;
    let Some(name) = file.drill else { return Ok(None) };
    let Proves { alert, quiet, labels } = file.proves;
    let promised = file.objective.all_clear.or(quiet).as_deref().and_then(duration).unwrap_or_default();
    Ok(Some(Drill { name, path: path.to_owned(), alert, labels, promised, expect: file.expect }))
}

/// A duration with a single unit as in the monitoring files, such as `90s` or `10m`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let seconds = match &text[number.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?))
}

/// The drills of an alert whose rule sets these labels. If several rules share its name, only drills whose labels
/// match. The drill with the shortest objective comes first.
#[must_use]
pub fn of<'a>(drills: &'a [Drill], alert: &str, labels: &BTreeMap<String, String>) -> Vec<&'a Drill> {
    let meets = |drill: &Drill| {
        drill.labels.iter().all(|(name, value)| labels.get(name).is_none_or(|own| own == value))
    };
    let mut fitting: Vec<_> = drills.iter().filter(|drill| drill.alert == alert && meets(drill)).collect();
    fitting.sort_by_key(|drill| drill.promised);
    fitting
}

/// The text of a file.
///
/// # Errors
/// Names the file.
pub fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(Error::io(format!("reading {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_drill_proves() {
        let text = "drill: a\nproves: {alert: A, labels: {burn: slow}}\nobjective: {notified: 4m, all_clear: 8m}\n\
                    cause: {stop: api}\n";
        let drill = parse(Path::new("a.yaml"), text).unwrap().unwrap();
        assert_eq!((drill.name.as_str(), drill.alert.as_str()), ("a", "A"));
        assert_eq!(drill.labels["burn"], "slow");
        assert_eq!(drill.promised, Duration::from_secs(480));
        let suite = "suite: s\nambient: []\n";
        assert_eq!(parse(Path::new("b.yaml"), suite).unwrap(), None);
        let text = "drill: q\nproves: {quiet: 10m}\nexpect: {near: [A], silent: [B], grouped_by: [c]}\n";
        let control = parse(Path::new("b.yaml"), text).unwrap().unwrap();
        assert_eq!((control.alert.as_str(), control.promised), ("", Duration::from_secs(600)));
        assert!(control.watches("A") && control.watches("B") && !control.watches("c"));
        let error = parse(Path::new("c.yaml"), "drill: c\nproves: x\n").unwrap_err().to_string();
        assert_eq!(error, "c.yaml:2:9: expected fields with their values, such as {name: value}");
    }

    #[test]
    fn distinguishes_rules_that_share_a_name() {
        let drill = |name: &str, burn: &str, minutes: u64| Drill {
            name: name.into(),
            path: PathBuf::new(),
            alert: "Burn".into(),
            labels: BTreeMap::from([("burn".into(), burn.into())]),
            promised: Duration::from_secs(60 * minutes),
            expect: Expect::default(),
        };
        let drills = [drill("one", "fast", 9), drill("three", "slow", 9), drill("two", "slow", 5)];
        let labels = |burn: &str| BTreeMap::from([("burn".to_owned(), burn.to_owned())]);
        let names = |alert: &str, burn: &str| -> Vec<String> {
            of(&drills, alert, &labels(burn)).into_iter().map(|it| it.name.clone()).collect()
        };
        assert_eq!(names("Burn", "slow"), ["two", "three"]);
        assert!(names("Burn", "never").is_empty() && names("Other", "slow").is_empty());
    }

    #[test]
    fn durations() {
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Some(Duration::from_secs(7_200)));
        for bad in ["", "5", "m", "1h30m", "-5m", "5w"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
