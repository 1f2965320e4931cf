//! The drills and the alerts they prove.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::error::Error;

/// A drill that proves an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The alert it proves.
    pub alert: String,
    /// Labels it requires of the alert.
    pub labels: BTreeMap<String, String>,
    /// Its objective for the all-clear, in production timings; zero if it has none.
    pub promised: Duration,
}

#[derive(Deserialize)]
struct File {
    drill: Option<String>,
    #[serde(default)]
    proves: Proves,
    #[serde(default)]
    objective: Objective,
}

#[derive(Default, Deserialize)]
struct Proves {
    alert: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct Objective {
    all_clear: Option<String>,
}

/// The drills of a folder that prove an alert, by file name; excludes suite files and negative controls.
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
    let file: File = serde_saphyr::from_str(text)
        .map_err(|error| Error::Usage(format!("{}: {}", path.display(), error.without_snippet())))?;
    let Some((name, alert)) = file.drill.zip(file.proves.alert) else { return Ok(None) };
    let promised = file.objective.all_clear.as_deref().and_then(duration).unwrap_or_default();
    Ok(Some(Drill { name, path: path.to_owned(), alert, labels: file.proves.labels, promised }))
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
        for none in ["suite: s\nambient: []\n", "drill: q\nproves: {quiet: 10m}\n"] {
            assert_eq!(parse(Path::new("b.yaml"), none).unwrap(), None, "{none}");
        }
        let error = parse(Path::new("c.yaml"), "drill: [").unwrap_err().to_string();
        assert!(error.starts_with("c.yaml: "), "{error}");
    }

    #[test]
    fn distinguishes_rules_that_share_a_name() {
        let drill = |name: &str, burn: &str, minutes: u64| Drill {
            name: name.into(),
            path: PathBuf::new(),
            alert: "Burn".into(),
            labels: BTreeMap::from([("burn".into(), burn.into())]),
            promised: Duration::from_secs(60 * minutes),
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
