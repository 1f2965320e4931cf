//! Proofs: the last time each drill was PROVEN, stored as one file per drill and exported as metrics.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use prometheus::{Registry, TextEncoder, register_gauge_vec_with_registry};
use serde::{Deserialize, Serialize};

/// The last time a drill proved its alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// The alert.
    pub alert: String,
    /// The drill; also the name of the file.
    pub drill: String,
    /// When it ended.
    pub proven_at: Timestamp,
    /// The factor by which the stack's durations were divided.
    #[serde(default = "one")]
    pub scale: f64,
    /// The duration and the bound of each phase.
    #[serde(default)]
    pub phases: BTreeMap<String, Took>,
}

/// The duration of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Took {
    /// Duration in seconds.
    pub seconds: f64,
    /// Upper bound in seconds.
    pub bound_seconds: f64,
}

fn one() -> f64 {
    1.0
}

/// Stores a proof in `dir`, replacing the drill's earlier one.
///
/// # Errors
/// When the directory or file cannot be written.
pub fn keep(dir: &Path, proof: &Proof) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    let (new, path) =
        (dir.join(format!("{}.json.new", proof.drill)), dir.join(format!("{}.json", proof.drill)));
    fs::write(&new, format!("{:#}\n", serde_json::to_value(proof)?))?;
    fs::rename(new, path)
}

/// Checks that proofs can be stored in `dir`: it exists or can be created, and is writable.
///
/// # Errors
/// When they cannot.
pub fn check(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    let trial = dir.join(format!("trial-{}.new", std::process::id()));
    let written = fs::write(&trial, [b'\n'; 4096]);
    fs::remove_file(&trial).or_else(|error| if written.is_ok() { Err(error) } else { Ok(()) })?;
    written
}

/// Every proof in `dir`, ordered by drill. Other files are ignored.
#[must_use]
pub fn read_all(dir: &Path) -> Vec<Proof> {
    let files = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let texts = files
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .filter_map(|path| fs::read(path).ok());
    let mut proofs: Vec<Proof> = texts.filter_map(|text| serde_json::from_slice(&text).ok()).collect();
    proofs.sort_by(|one, other| one.drill.cmp(&other.drill));
    proofs
}

/// The last proof of each drill in the Prometheus text format. Drills are separate, so that a recent proof of one does
/// not hide a stale proof of another drill of the same alert.
#[must_use]
pub fn metrics(proofs: &[Proof]) -> String {
    let mut latest: BTreeMap<(&str, &str), &Proof> = BTreeMap::new();
    for proof in proofs {
        let held = latest.entry((&proof.alert, &proof.drill)).or_insert(proof);
        if held.proven_at < proof.proven_at {
            *held = proof;
        }
    }
    let registry = Registry::new();
    let gauge = |name: &str, help: &str, labels: &[&str]| {
        register_gauge_vec_with_registry!(name, help, labels, registry).expect("valid constants")
    };
    let last = "Unix time of the last PROVEN verdict of the drill.";
    let last = gauge("drill_last_proven_timestamp_seconds", last, &["alert", "drill"]);
    let (took, bound) = (
        "Duration of the phase in the last proof, in seconds.",
        "Upper bound of the phase in the last proof, in seconds.",
    );
    let [took, bound] = [("drill_phase_seconds", took), ("drill_bound_seconds", bound)]
        .map(|(name, help)| gauge(name, help, &["alert", "drill", "phase"]));
    for proof in latest.into_values() {
        last.with_label_values(&[&proof.alert, &proof.drill]).set(proof.proven_at.as_second() as f64);
        for (phase, Took { seconds, bound_seconds }) in &proof.phases {
            let labels = [&proof.alert, &proof.drill, phase];
            took.with_label_values(&labels).set(*seconds);
            bound.with_label_values(&labels).set(*bound_seconds);
        }
    }
    TextEncoder::new().encode_to_string(&registry.gather()).expect("gauges with valid names")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(drill: &str, second: i64) -> Proof {
        let took = Took { seconds: 9.5, bound_seconds: 11.4 };
        Proof {
            alert: "HighErrorRate".into(),
            drill: drill.into(),
            proven_at: Timestamp::from_second(second).unwrap(),
            scale: 20.0,
            phases: BTreeMap::from([("pending".to_owned(), took)]),
        }
    }

    #[test]
    fn stores_reads_and_exports_the_last_proof_of_each_drill() {
        let dir = tempfile::tempdir().unwrap();
        for kept in [proof("a", 1_800_000_000), proof("b", 1_700_000_000), proof("a", 1_900_000_000)] {
            keep(&dir.path().join("proofs"), &kept).unwrap();
        }
        fs::write(dir.path().join("proofs/c.json"), "{}").unwrap();
        let read = read_all(&dir.path().join("proofs"));
        assert_eq!(read, [proof("a", 1_900_000_000), proof("b", 1_700_000_000)]);
        let text = metrics(&[&read[..], &[Proof { alert: "a \"b\"\\\n".into(), ..proof("c", 5) }]].concat());
        for line in [
            "drill_last_proven_timestamp_seconds{alert=\"HighErrorRate\",drill=\"a\"} 1900000000",
            "drill_last_proven_timestamp_seconds{alert=\"HighErrorRate\",drill=\"b\"} 1700000000",
            "drill_last_proven_timestamp_seconds{alert=\"a \\\"b\\\"\\\\\\n\",drill=\"c\"} 5",
            "drill_phase_seconds{alert=\"HighErrorRate\",drill=\"a\",phase=\"pending\"} 9.5",
            "drill_bound_seconds{alert=\"HighErrorRate\",drill=\"b\",phase=\"pending\"} 11.4",
        ] {
            assert_eq!(text.lines().filter(|it| *it == line).count(), 1, "{line}\n{text}");
        }
        // Two proofs of one drill are one series.
        let twice = metrics(&[proof("a", 1), proof("a", 2)]);
        assert_eq!(twice.matches("last_proven_timestamp_seconds{").count(), 1, "{twice}");
        assert!(twice.contains("} 2\n"), "{twice}");
        assert!(read_all(Path::new("/nowhere")).is_empty());
    }

    #[test]
    fn check_detects_an_unwritable_directory() {
        let dir = tempfile::tempdir().unwrap();
        let proofs = dir.path().join("made/proofs");
        check(&proofs).unwrap();
        assert_eq!(fs::read_dir(&proofs).unwrap().count(), 0, "the test file is removed");
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(check(&dir.path().join("file")).is_err());
        // Every write fails here, as on a full file system.
        assert!(check(Path::new("/proc/self")).is_err());
    }
}
