//! `loadgen routes` beside Alertmanager: its own tool for routing, a running one for inhibition and time intervals.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod amtool;
mod draw;
mod live;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use process::program;
use serde_json::Value;

/// Labels of an alert.
pub type Labels = BTreeMap<String, String>;

/// Labels as `loadgen routes` takes them.
pub fn written(labels: &Labels) -> String {
    labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(",")
}

/// Runs `loadgen routes` with a configuration file.
pub fn routes(config: &Path, args: &[String]) -> Output {
    let mut command = Command::new(program::own("loadgen").unwrap());
    command.arg("routes").arg("--alertmanager-config").arg(config).args(args).output().unwrap()
}

/// The decisions on alerts as JSON.
pub fn decisions(config: &Path, args: &[String]) -> Vec<Value> {
    let args: Vec<_> = args.iter().cloned().chain(["--json".to_owned()]).collect();
    let output = routes(config, &args);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}
