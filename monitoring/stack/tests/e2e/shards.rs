//! `loadgen drill --shards N` starts N stacks and distributes the drills over them.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::{self, Finished};

#[tokio::test]
async fn starts_isolated_stacks_and_stops_them_after_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let ambient = "suite: s\nambient: [{alert: Watchdog, reason: always}]\n";
    std::fs::write(path("suite.yaml"), ambient).unwrap();
    for name in ["a", "b"] {
        // Long enough that one stack could not have run both.
        let note = format!("echo \"$PROMETHEUS_URL $TIME_SCALE\" > {}", path(name).display());
        let drill =
            format!("drill: {name}\nproves: {{quiet: 10m}}\ncause: {{run: {{start: [sh, -c, '{note}']}}}}\n");
        std::fs::write(path(&format!("{name}.yaml")), drill).unwrap();
    }
    let report = path("report.json");
    let mut command = support::loadgen();
    command.args(["drill", "--shards", "2", "--scale=60", "--json"]).arg(&report);
    command.arg("--leftovers").arg(path("leftovers")).arg(dir.path());
    let output = support::finish(command, Duration::from_secs(240)).await;
    let finished = Finished::new(&output, &report);
    assert_eq!(finished.code, Some(0), "{}", finished.text);
    assert!(finished.text.contains("Starting 2 stacks, time scale 60"), "{}", finished.text);
    let drills = finished.report["drills"].as_array().unwrap();
    assert_eq!(drills.len(), 2, "{}", finished.text);
    assert!(drills.iter().all(|drill| drill["verdict"] == "PROVEN"), "{}", finished.text);

    let notes = ["a", "b"].map(|name| std::fs::read_to_string(path(name)).unwrap());
    let addresses: BTreeSet<&str> = notes
        .iter()
        .map(|note| {
            note.trim().strip_suffix(" 60").unwrap_or_else(|| panic!("the time scale is set: {note}"))
        })
        .collect();
    assert_eq!(addresses.len(), 2, "each on a separate stack: {notes:?}");
    for address in addresses {
        assert!(support::get(&format!("{address}/-/ready")).await.is_none(), "{address} is stopped");
    }
}

#[tokio::test]
async fn shards_without_the_stack_program_are_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let alone = dir.path().join("loadgen");
    std::fs::hard_link(process::program::own("loadgen").unwrap(), &alone)
        .or_else(|_| std::fs::copy(process::program::own("loadgen").unwrap(), &alone).map(drop))
        .unwrap();
    let mut command = tokio::process::Command::new(&alone);
    command.env("PATH", "").kill_on_drop(true).args(["drill", "--shards", "2"]).arg(support::drills());
    let output = support::finish(command, Duration::from_secs(30)).await;
    let output_text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{output_text}");
    assert!(output_text.contains("--shards: cannot start `stack`"), "{output_text}");
}
