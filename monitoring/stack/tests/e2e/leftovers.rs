//! The drill is killed in every phase: the next run undoes what was left.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::support;

const CAUSE: &str = "drill: redis-gone
proves: {alert: RedisDown}
cause: {stop: redis, fault: {route: /api/users, delay: 10ms}}
expect: {delivered: [webhook]}
";

/// A drill that only undoes leftovers first.
const NEXT: &str = "drill: next\nproves: {quiet: 1s}\n";

/// A stack with a control socket: `stack run` around a command that waits.
pub struct Running {
    pub dir: TempDir,
    pub child: Child,
    place: Value,
}

impl Running {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = support::stack();
        command
            .args(["run", "--scale", "60", "--dir"])
            .arg(dir.path().join("stack"))
            .args(["--", "sleep", "600"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let stacks = dir.path().join("stack/stacks.json");
        let place = support::eventually("the stack", Duration::from_secs(120), || async {
            let text = std::fs::read_to_string(&stacks).ok()?;
            serde_json::from_str::<Value>(&text).ok()
        })
        .await[0]
            .take();
        Self { dir, child, place }
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn drill(&self, file: &Path) -> tokio::process::Command {
        let mut command = support::loadgen();
        command.args(["drill", "--scale", "60", "--stacks"]).arg(self.dir.path().join("stack/stacks.json"));
        command.arg("--leftovers").arg(self.dir.path().join("leftovers")).arg(file);
        command
    }

    /// Active faults of the gateway.
    pub async fn faults(&self) -> Vec<Value> {
        let url = format!("{}/faults", self.place["admin"].as_str().unwrap().trim_end_matches('/'));
        support::get_json(&url).await.unwrap()["faults"].as_array().unwrap().clone()
    }

    async fn redis_responds(&self) -> bool {
        let port = self.place["env"]["REDIS_PORT"].as_str().unwrap();
        tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.is_ok()
    }
}

/// Starts the drill and kills it when it reports `phase`.
async fn killed_in(stack: &Running, file: &Path, phase: &str) {
    let mut child = stack.drill(file).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let reached = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(&format!("redis-gone: {phase}")) {
                return;
            }
        }
        panic!("it never reached {phase}");
    };
    tokio::time::timeout(Duration::from_secs(120), reached)
        .await
        .unwrap_or_else(|_| panic!("no {phase} in time"));
    support::signal(&child, Signal::SIGKILL);
    child.wait().await.unwrap();
}

#[tokio::test]
async fn a_cause_that_cannot_be_undone_is_reported_and_blocks_further_drills() {
    let mut stack = Running::start().await;
    let reports = |name: &str| stack.dir.path().join(name);
    let [key, junit, html, json, markdown] =
        ["key", "junit.xml", "report.html", "report.json", "report.md"].map(reports);
    let undo = format!("test -e {} || exit 3", key.display());
    let control = |name: &str, cause: &str| format!("drill: {name}\nproves: {{quiet: 1m}}\n{cause}");
    let cause = format!("cause: {{run: {{start: ['true'], undo: [sh, -c, '{undo}']}}}}\n");
    let host = ["HostDiskFull", "HostHighCpu", "HostMemoryLow"]
        .map(|name| format!(", {{alert: {name}, reason: host}}"));
    let ambient = format!("suite: s\nambient: [{{alert: Watchdog, reason: always}}{}]\n", host.concat());
    stack.write("suite.yaml", &ambient);
    let first = stack.write("first.yaml", &control("first", &cause));
    let second = stack.write("second.yaml", &control("second", ""));

    let mut command = stack.drill(&first);
    command.arg(&second).arg("--junit").arg(&junit).arg("--html").arg(&html).arg("--json").arg(&json);
    command.arg("--markdown").arg(&markdown);
    let output = support::finish(command, Duration::from_secs(120)).await;
    let output_text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(5), "{output_text}");
    let report: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let drills = &report["drills"];
    assert_eq!(
        (&drills[0]["verdict"], &drills[1]["verdict"]),
        (&"INCONCLUSIVE".into(), &"REFUSED".into()),
        "{output_text}"
    );
    assert!(drills[0]["not_undone"][0].as_str().unwrap().contains("exit status: 3"), "{drills:#}");
    for text in [
        output_text.into_owned(),
        std::fs::read_to_string(junit).unwrap(),
        std::fs::read_to_string(html).unwrap(),
        std::fs::read_to_string(markdown).unwrap(),
    ] {
        assert!(text.contains("the cause was not undone: cannot run"), "{text}");
        assert!(text.contains("not ready for a drill"), "{text}");
    }

    // Another start retries, and refuses as long as the undo fails.
    for (code, what) in [(Some(5), "not ready for a drill"), (Some(0), "completed now: run")] {
        let output = support::finish(stack.drill(&second), Duration::from_secs(120)).await;
        let output_text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == code && output_text.contains(what), "{output_text}");
        std::fs::write(&key, "").unwrap();
    }
    let left = std::fs::read_dir(stack.dir.path().join("leftovers")).unwrap();
    assert_eq!(left.count(), 0);
    support::signal(&stack.child, Signal::SIGTERM);
    tokio::time::timeout(Duration::from_secs(60), stack.child.wait()).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_next_run_undoes_what_a_killed_run_left() {
    let mut stack = Running::start().await;
    let ambient = "suite: s\nambient: [{alert: Watchdog, reason: always}, {alert: RedisDown, reason: just undone}, \
                   {alert: RateLimiterDegraded, reason: just undone}, {alert: ContainerDown, reason: just undone}]\n";
    stack.write("suite.yaml", ambient);
    let (cause, next) = (stack.write("cause.yaml", CAUSE), stack.write("next.yaml", NEXT));
    for phase in ["preflight", "baseline", "pending", "firing", "notified", "resolved", "all_clear"] {
        killed_in(&stack, &cause, phase).await;
        // There is nothing to undo before the cause or after it was lifted.
        let at_work = matches!(phase, "firing" | "notified");
        if at_work {
            assert!(!stack.redis_responds().await, "{phase}: the cause is at work");
            // Without a next run, only its time to live would end the fault.
            let left = stack.faults().await[0]["expires_in_seconds"].as_f64();
            assert!(left.is_some_and(|left| (1.0..=3_600.0).contains(&left)), "{phase}: {left:?}");
        }
        let output = support::finish(stack.drill(&next), Duration::from_secs(120)).await;
        let output_text = String::from_utf8_lossy(&output.stderr);
        assert!(stack.redis_responds().await, "{phase}: {output_text}");
        assert!(stack.faults().await.is_empty(), "{phase}: {output_text}");
        let undone = |what: &str| output_text.contains(&format!("completed now: {what}"));
        // Killed at the start of its cause, it may have recorded nothing yet, or an undo for something not done.
        if phase != "pending" {
            assert_eq!(
                (undone("remove the fault"), undone("start redis")),
                (at_work, at_work),
                "{phase}: {output_text}"
            );
        }
    }
    support::signal(&stack.child, Signal::SIGTERM);
    tokio::time::timeout(Duration::from_secs(60), stack.child.wait()).await.unwrap().unwrap();
}
