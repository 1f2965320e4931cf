//! Runs one drill on a separate stack, with one mutation or none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::drills::{Drill, read};
use super::fate::DrillResult;
use super::mutant::Mutant;
use crate::error::Error;
use process::die_with_parent;
use process::program;

/// Timeout of a trial: the longest objective at scale 20, plus its patience and a slow start.
const LIMIT: Duration = Duration::from_secs(900);

/// The common settings of trials.
#[derive(Debug)]
pub struct Bench {
    stack: PathBuf,
    loadgen: PathBuf,
    monitoring: PathBuf,
    work: PathBuf,
    scale: f64,
}

impl Bench {
    /// Trials of the files in `monitoring`, each in a separate folder below `work`.
    ///
    /// # Errors
    /// When a binary is not built.
    pub fn new(monitoring: PathBuf, work: PathBuf, scale: f64) -> Result<Self, Error> {
        Ok(Self { stack: program::own("stack")?, loadgen: program::own("loadgen")?, monitoring, work, scale })
    }

    /// Runs the drill with the mutant's change, or with none. `name` is the trial's folder, which [`Self::forget`]
    /// removes. Dropping the future kills the stack with all its processes.
    ///
    /// # Errors
    /// When files cannot be written or `stack` cannot be started. A failed drill is not an error.
    pub async fn run(
        &self,
        name: &str,
        drill: &Drill,
        mutant: Option<&Mutant>,
    ) -> Result<DrillResult, Error> {
        let dir = self.work.join(name);
        let monitoring = dir.join("monitoring");
        copy(&self.monitoring, &monitoring)?;
        if let Some(mutant) = mutant {
            let path = monitoring.join(&mutant.file);
            fs::write(&path, &mutant.text).map_err(Error::io(format!("writing {}", path.display())))?;
        }
        let (log, report) = (dir.join("log"), dir.join("report.json"));
        let out = fs::File::create(&log).map_err(Error::io(format!("opening the log {}", log.display())))?;
        let err = out.try_clone().map_err(Error::io(format!("opening the log {}", log.display())))?;
        let mut command = Command::new(&self.stack);
        command.arg("run").arg("--scale").arg(self.scale.to_string());
        command.arg("--monitoring").arg(&monitoring).arg("--dir").arg(dir.join("stack")).arg("--");
        command.arg(&self.loadgen).arg("drill").arg("--leftovers").arg(dir.join("leftovers"));
        command.arg("--json").arg(&report).arg(&drill.path);
        // A result about a broken rule is not a proof.
        command.env_remove("PROOFS_DIR");
        // A separate process group, so that Ctrl-C ends it through this process.
        command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0).kill_on_drop(true);
        die_with_parent(&mut command);
        let mut child = command.spawn().map_err(Error::io(format!("starting {}", self.stack.display())))?;
        let Ok(ended) = tokio::time::timeout(LIMIT, child.wait()).await else {
            child.kill().await.map_err(Error::io("killing a trial"))?;
            let reason = format!("did not end within {} s", LIMIT.as_secs());
            return Ok(DrillResult { verdict: "NONE".into(), reason, ..DrillResult::default() });
        };
        let code = ended.map_err(Error::io("waiting for a trial"))?.code();
        let report = fs::read_to_string(&report).unwrap_or_default();
        Ok(understood(code, &report, &read(&log)?))
    }

    /// Removes the folder of a trial.
    pub fn forget(&self, name: &str) {
        let _ = fs::remove_dir_all(self.work.join(name)); // it lies below target/
    }
}

/// The result of `loadgen drill` from its exit code, JSON report and output.
fn understood(code: Option<i32>, report: &str, log: &str) -> DrillResult {
    let report: Value = serde_json::from_str(report).unwrap_or_default();
    let drill = &report["drills"][0];
    if let (Some(verdict), Some(reason)) = (drill["verdict"].as_str(), drill["reason"].as_str()) {
        let phases = drill["phases"].as_object().into_iter().flatten().filter_map(|(name, phase)| {
            Some((name.clone(), (phase["seconds"].as_f64()?, phase["bound_seconds"].as_f64()?)))
        });
        return DrillResult { verdict: verdict.into(), reason: reason.into(), phases: phases.collect() };
    }
    let error = log.lines().find_map(|line| line.strip_prefix("error: "));
    let (verdict, reason) = match (code, error) {
        (Some(2), Some(error)) => ("INVALID", error.to_owned()),
        (code, error) => {
            let last = error.or_else(|| log.lines().last()).unwrap_or("no output");
            (
                "NONE",
                format!(
                    "{}: {last}",
                    code.map_or("ended by a signal".into(), |code| format!("exit code {code}"))
                ),
            )
        }
    };
    DrillResult { verdict: verdict.into(), reason, ..DrillResult::default() }
}

/// Copies the files of Prometheus and Alertmanager.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    for folder in ["alert_rules", "templates"] {
        let (from, to) = (from.join(folder), to.join(folder));
        let what = || format!("copying {}", from.display());
        fs::create_dir_all(&to).map_err(Error::io(what()))?;
        for entry in fs::read_dir(&from).map_err(Error::io(what()))? {
            let entry = entry.map_err(Error::io(what()))?;
            fs::copy(entry.path(), to.join(entry.file_name())).map_err(Error::io(what()))?;
        }
    }
    for file in ["prometheus.yml", "alertmanager.yml"] {
        let from = from.join(file);
        fs::copy(&from, to.join(file)).map_err(Error::io(format!("copying {}", from.display())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_result_of_a_drill() {
        let report = r#"{"drills": [{"verdict": "LATE", "reason": "firing took 9 s", "phases": {
            "pending": {"seconds": 2.5, "bound_seconds": 4}, "all_clear": {"seconds": null, "bound_seconds": 5}}}]}"#;
        let result = understood(Some(5), report, "");
        assert_eq!((result.verdict.as_str(), result.reason.as_str()), ("LATE", "firing took 9 s"));
        assert_eq!(result.phases.into_iter().collect::<Vec<_>>(), [("pending".to_owned(), (2.5, 4.0))]);
        for (code, log, verdict, reason) in [
            (
                Some(2),
                "Starting\nerror: a.yaml:2:9: the rule `A` has\n",
                "INVALID",
                "a.yaml:2:9: the rule `A` has",
            ),
            (Some(1), "stack: redis was not ready\n", "NONE", "exit code 1: stack: redis was not ready"),
            (None, "", "NONE", "ended by a signal: no output"),
        ] {
            let result = understood(code, "", log);
            assert_eq!((result.verdict.as_str(), result.reason.as_str()), (verdict, reason));
        }
    }
}
