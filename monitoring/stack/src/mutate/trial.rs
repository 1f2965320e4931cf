//! One drill on a stack of its own, with one thing broken or none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::drills::{Drill, read};
use super::fate::Said;
use super::mutant::Mutant;
use crate::error::Error;
use process::die_with_parent;
use process::program;

/// The longest a trial may take: the slowest drill's promise at scale 20, its patience on top, a slow start.
const LIMIT: Duration = Duration::from_secs(900);

/// What trials share.
#[derive(Debug)]
pub struct Bench {
    stack: PathBuf,
    loadgen: PathBuf,
    monitoring: PathBuf,
    work: PathBuf,
    scale: f64,
}

impl Bench {
    /// Trials of the files in `monitoring`, each in a folder of its own below `work`.
    ///
    /// # Errors
    /// When a binary is not built.
    pub fn new(monitoring: PathBuf, work: PathBuf, scale: f64) -> Result<Self, Error> {
        Ok(Self { stack: program::own("stack")?, loadgen: program::own("loadgen")?, monitoring, work, scale })
    }

    /// Runs the drill with the mutant's change, or with none. `name` is the trial's folder, which [`Self::forget`]
    /// removes. Dropping the future kills the stack and all that belongs to it.
    ///
    /// # Errors
    /// When files cannot be written or `stack` cannot be started; what the drill comes to is no error.
    pub async fn run(&self, name: &str, drill: &Drill, mutant: Option<&Mutant>) -> Result<Said, Error> {
        let dir = self.work.join(name);
        let monitoring = dir.join("monitoring");
        copy(&self.monitoring, &monitoring)?;
        if let Some(mutant) = mutant {
            let path = monitoring.join(&mutant.file);
            fs::write(&path, &mutant.text).map_err(Error::io(format!("writing {}", path.display())))?;
        }
        let (log, report) = (dir.join("log"), dir.join("report.json"));
        let out = fs::File::create(&log).map_err(Error::io(format!("the log {}", log.display())))?;
        let err = out.try_clone().map_err(Error::io(format!("the log {}", log.display())))?;
        let mut command = Command::new(&self.stack);
        command.arg("run").arg("--scale").arg(self.scale.to_string());
        command.arg("--monitoring").arg(&monitoring).arg("--dir").arg(dir.join("stack")).arg("--");
        command.arg(&self.loadgen).arg("drill").arg("--leftovers").arg(dir.join("leftovers"));
        command.arg("--json").arg(&report).arg(&drill.path);
        // What is proven of a broken rule is no proof.
        command.env_remove("PROOFS_DIR");
        // Its own process group: Ctrl-C ends it through us.
        command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0).kill_on_drop(true);
        die_with_parent(&mut command);
        let mut child = command.spawn().map_err(Error::io(format!("starting {}", self.stack.display())))?;
        let Ok(ended) = tokio::time::timeout(LIMIT, child.wait()).await else {
            child.kill().await.map_err(Error::io("killing a trial"))?;
            let reason = format!("it did not end within {} s", LIMIT.as_secs());
            return Ok(Said { verdict: "NONE".into(), reason, ..Said::default() });
        };
        let code = ended.map_err(Error::io("waiting for a trial"))?.code();
        let report = fs::read_to_string(&report).unwrap_or_default();
        Ok(understood(code, &report, &read(&log)?))
    }

    /// Removes what a trial left.
    pub fn forget(&self, name: &str) {
        let _ = fs::remove_dir_all(self.work.join(name)); // it lies below target/
    }
}

/// What `loadgen drill` said, from its exit code, its JSON report and what it printed.
fn understood(code: Option<i32>, report: &str, log: &str) -> Said {
    let report: Value = serde_json::from_str(report).unwrap_or_default();
    let drill = &report["drills"][0];
    if let (Some(verdict), Some(reason)) = (drill["verdict"].as_str(), drill["reason"].as_str()) {
        let phases = drill["phases"].as_object().into_iter().flatten().filter_map(|(name, phase)| {
            Some((name.clone(), (phase["seconds"].as_f64()?, phase["bound_seconds"].as_f64()?)))
        });
        return Said { verdict: verdict.into(), reason: reason.into(), phases: phases.collect() };
    }
    let error = log.lines().find_map(|line| line.strip_prefix("error: "));
    let (verdict, reason) = match (code, error) {
        (Some(2), Some(error)) => ("INVALID", error.to_owned()),
        (code, error) => {
            let last = error.or_else(|| log.lines().last()).unwrap_or("it printed nothing");
            ("NONE", format!("exit {}: {last}", code.map_or("by a signal".into(), |code| code.to_string())))
        }
    };
    Said { verdict: verdict.into(), reason, ..Said::default() }
}

/// Copies what Prometheus and Alertmanager read.
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
    fn what_a_drill_said() {
        let report = r#"{"drills": [{"verdict": "LATE", "reason": "firing took 9 s", "phases": {
            "pending": {"seconds": 2.5, "bound_seconds": 4}, "all_clear": {"seconds": null, "bound_seconds": 5}}}]}"#;
        let said = understood(Some(5), report, "");
        assert_eq!((said.verdict.as_str(), said.reason.as_str()), ("LATE", "firing took 9 s"));
        assert_eq!(said.phases.into_iter().collect::<Vec<_>>(), [("pending".to_owned(), (2.5, 4.0))]);
        for (code, log, verdict, reason) in [
            (
                Some(2),
                "Starting\nerror: a.yaml:2:9: the rule `A` has\n",
                "INVALID",
                "a.yaml:2:9: the rule `A` has",
            ),
            (Some(1), "stack: redis was not ready\n", "NONE", "exit 1: stack: redis was not ready"),
            (None, "", "NONE", "exit by a signal: it printed nothing"),
        ] {
            let said = understood(code, "", log);
            assert_eq!((said.verdict.as_str(), said.reason.as_str()), (verdict, reason));
        }
    }
}
