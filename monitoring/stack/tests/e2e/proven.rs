//! The shipped drills prove their alerts, each phase within its bound, on isolated stacks.

use std::time::Duration;

use crate::support::{self, Finished};

/// More stacks than cores, because a drill mostly waits.
const SHARDS: &str = "6";

#[tokio::test]
async fn every_shipped_drill_is_proven_within_its_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report.json");
    let page = dir.path().join("report.html");
    let mut command = support::stack();
    command
        .args(["run", "--scale", "20", "--shards", SHARDS, "--dir"])
        .arg(dir.path().join("stacks"))
        .arg("--");
    command
        .arg(process::program::own("loadgen").unwrap())
        .args(["drill", "--json"])
        .arg(&report)
        .arg("--html")
        .arg(&page);
    command.arg("--leftovers").arg(dir.path().join("leftovers"));
    command.arg("--proofs").arg(dir.path().join("proofs")).arg(support::drills());
    let output = support::finish(command, Duration::from_secs(900)).await;
    let finished = Finished::new(&output, &report);
    assert_eq!(finished.code, Some(0), "{}", finished.text);

    let drills = finished.report["drills"].as_array().unwrap();
    let entries = std::fs::read_dir(support::drills()).unwrap();
    let files = entries.filter(|entry| entry.as_ref().unwrap().path().is_file()).count() - 1; // one is the suite file
    assert_eq!(drills.len(), files, "{}", finished.text);
    for drill in drills {
        assert_eq!(drill["verdict"], "PROVEN", "{drill:#}");
        let phases = match (drill["alert"].as_str(), drill["drill"].as_str()) {
            (Some(""), _) => {
                assert!(drill["reason"].as_str().unwrap().starts_with("nothing fired in"), "{drill:#}");
                &[][..] // a negative control
            }
            (_, Some("watchdog")) => &["notified", "all_clear"],
            _ => &["pending", "firing", "notified", "resolved", "all_clear"],
        };
        for phase in phases {
            let figure = |name: &str| {
                drill["phases"][phase][name].as_f64().unwrap_or_else(|| panic!("{phase} {drill:#}"))
            };
            let (seconds, bound) = (figure("seconds"), figure("bound_seconds"));
            // Times are rounded to milliseconds.
            assert!(
                (-0.002..=bound + 0.002).contains(&seconds),
                "{phase}: {seconds} of {bound} in {drill:#}"
            );
        }
    }

    // For a drill whose cause is traffic the page shows the cause and the baseline.
    let page = std::fs::read_to_string(page).unwrap();
    let section =
        page.split("<section id=").find(|section| section.starts_with("\"high-error-rate\"")).unwrap();
    for part in ["baseline, expected responses: up to", "cause, expected responses: up to"] {
        assert!(section.contains(part), "{part} in {section}");
    }

    // With these proofs the coverage of the repository's rules is 100 %.
    let mut coverage = support::loadgen();
    coverage.current_dir(process::program::repository()).args(["coverage", "--json", "--proofs"]);
    coverage.arg(dir.path().join("proofs"));
    let output = support::finish(coverage, Duration::from_secs(30)).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let coverage: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for alert in coverage["alerts"].as_array().unwrap() {
        assert!(alert["last_proven"].is_string(), "{alert:#}");
    }
}
