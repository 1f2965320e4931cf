//! Last proofs: what was proven when, on disk, a file an alert and drill; and as metrics.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use prometheus::{Registry, TextEncoder, register_gauge_vec_with_registry};
use serde::{Deserialize, Serialize};

/// The last time a drill said PROVEN of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// The alert.
    pub alert: String,
    /// The drill, whose name is the file's, too.
    pub drill: String,
    /// When it ended.
    pub proven_at: Timestamp,
    /// By how much the stack's durations were divided.
    #[serde(default = "one")]
    pub scale: f64,
    /// How long each phase took and might have taken, in seconds.
    #[serde(default)]
    pub phases: BTreeMap<String, Took>,
}

/// One phase.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Took {
    /// Seconds it took.
    pub seconds: f64,
    /// Seconds it might have taken.
    pub bound_seconds: f64,
}

fn one() -> f64 {
    1.0
}

/// Keeps a proof in `dir`, in place of the drill's earlier one.
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

/// Whether proofs can be kept in `dir`: it is there, or can be made, and takes a file.
///
/// # Errors
/// Why they cannot.
pub fn check(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    let trial = dir.join(format!("trial-{}.new", std::process::id()));
    let written = fs::write(&trial, [b'\n'; 4096]);
    fs::remove_file(&trial).or_else(|error| if written.is_ok() { Err(error) } else { Ok(()) })?;
    written
}

/// Every proof kept in `dir`, by drill; files that are none are left out.
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

/// In Prometheus's text format: the last proof of each drill, so that one drill of an alert does not hide that another has
/// gone stale.
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
    let last = "When the drill last proved its alert, in seconds since 1970.";
    let last = gauge("drill_last_proven_timestamp_seconds", last, &["alert", "drill"]);
    let (took, bound) = (
        "How long the phase took in the last proof.",
        "How long the phase might have taken in the last proof.",
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
    fn what_is_kept_is_read_and_each_drills_last_proof_is_exported() {
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
        // Two files of one drill are one series.
        let twice = metrics(&[proof("a", 1), proof("a", 2)]);
        assert_eq!(twice.matches("last_proven_timestamp_seconds{").count(), 1, "{twice}");
        assert!(twice.contains("} 2\n"), "{twice}");
        assert!(read_all(Path::new("/nowhere")).is_empty());
    }

    #[test]
    fn a_folder_that_takes_no_file_is_found_out_before_there_is_a_proof() {
        let dir = tempfile::tempdir().unwrap();
        let proofs = dir.path().join("made/proofs");
        check(&proofs).unwrap();
        assert_eq!(fs::read_dir(&proofs).unwrap().count(), 0, "the trial is gone");
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(check(&dir.path().join("file")).is_err());
        // A file system that is full: every write fails.
        assert!(check(Path::new("/proc/self")).is_err());
    }
}
