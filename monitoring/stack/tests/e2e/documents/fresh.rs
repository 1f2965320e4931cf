//! A built checkout as a reader has it, with its own stack.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use process::program::{self, repository};
use stack::port::Ports;
use tempfile::TempDir;
use tokio::process::Command;

use super::elsewhere::{AROUND, EXPECTED};
use super::markdown::Given;
use crate::support;

/// What is not part of a checkout.
const NOT_CHECKED_OUT: [&str; 3] = [".git", "target", "node_modules"];
/// Makes `curl` fail on an error status, while still showing the response.
const PRELUDE: &str = "curl() { command curl --fail-with-body \"$@\"; }\n";

/// The checkout. On drop its stack is stopped and its folder removed.
pub struct Checkout {
    dir: TempDir,
    offset: u16,
    ports: Ports,
}

impl Checkout {
    /// A copy of this repository, with the programs of this build where `make build` puts them.
    pub fn new() -> Self {
        // Next to the build, so that programs need not be copied, and below the repository, whose folders they can
        // read.
        let target = repository().join("target");
        let dir = tempfile::Builder::new().prefix("checkout-").tempdir_in(&target).unwrap();
        copy(&repository(), dir.path());
        // A reader has a clone.
        let commit = "git init -q && git add -A && git -c user.name=reader -c user.email=reader@example.com commit -qm clone";
        let cloned = std::process::Command::new("sh").args(["-c", commit]).current_dir(dir.path()).status();
        assert!(cloned.unwrap().success(), "{commit}");
        let release = dir.path().join("target/release");
        std::fs::create_dir_all(&release).unwrap();
        let own = ["api", "loadgen"].map(|name| program::own(name).unwrap());
        for program in own.iter().map(PathBuf::as_path).chain([Path::new(env!("CARGO_BIN_EXE_stack"))]) {
            std::fs::hard_link(program, release.join(program.file_name().unwrap())).unwrap();
        }
        if target.join("tools").exists() {
            std::os::unix::fs::symlink(target.join("tools"), dir.path().join("target/tools")).unwrap();
        }
        let offset = support::free_offset();
        Self { dir, offset, ports: Ports::offset(offset).unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn offset(&self) -> u16 {
        self.offset
    }

    pub fn url(&self, port: u16) -> String {
        format!("http://127.0.0.1:{}", port + self.offset)
    }

    /// Runs a command as the reader would type it there.
    pub async fn run(&self, command: &str, limit: Duration) -> (i32, String) {
        let programs = [self.path().join("target/release"), self.path().join("target/tools/bin")];
        let path = programs.map(|folder| folder.display().to_string()).join(":");
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &format!("{PRELUDE}{command}")])
            .current_dir(self.path())
            .env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap()))
            // The programs are already built.
            .env("CARGO", "true")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("MAKEFLAGS")
            // A reader has no proofs yet.
            .env("PROOFS_DIR", self.path().join("target/proofs"))
            .env("TARGET_URL", self.url(8000))
            .env("ADMIN_URL", self.url(8001))
            .env("PROMETHEUS_URL", self.url(9090))
            .env("ALERTMANAGER_URL", self.url(9093))
            .env("INBOX_URL", self.url(8025))
            .env("TIME_SCALE", support::FAST.to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        // The operator's password, from where docs/operations/gateway.md says that it is.
        let password = self.path().join(format!("target/stack/{}/redis/password", self.offset));
        if let Ok(password) = std::fs::read_to_string(password) {
            shell.env("REDISCLI_AUTH", password.trim());
        }
        let Output { status, stdout, stderr } = support::finish(shell, limit).await;
        let text = [stdout, stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).join("\n");
        (status.code().unwrap_or(-1), text)
    }

    /// Runs a documented command and checks its result.
    ///
    /// # Errors
    /// The difference to the document.
    pub async fn obey(&self, given: &Given, limit: Duration) -> Result<(), String> {
        let around = AROUND.iter().find(|(words, _, _)| given.text.contains(words));
        let (before, after) = around.map_or(("", ""), |(_, before, after)| (before, after));
        self.prepare(given, before).await?;
        let here = self.here(&given.text);
        let (code, text) = self.run(&here, limit).await;
        self.prepare(given, after).await?;
        let hold = |holds: bool, what: &str| {
            let message = || format!("{}: `{}` {what}\nrun as: {here}\n{text}", given.place, given.text);
            if holds { Ok(()) } else { Err(message()) }
        };
        match EXPECTED.iter().find(|(words, _, _)| given.text.contains(words)) {
            Some((_, codes, needle)) => {
                hold(codes.contains(&code), &format!("ended with {code}, not {codes:?}"))?;
                hold(text.contains(needle), &format!("does not print {needle}"))?;
            }
            None => {
                hold(code == 0, &format!("ended with {code}"))?;
                hold(!text.trim().is_empty(), "prints nothing")?;
            }
        }
        let queries = given.text.contains("/api/v1/query");
        hold(!queries || text.contains("\"status\":\"success\""), "the query has no result")?;
        let numberless = without_numbers(&text);
        for shown in &given.shown {
            let shown = shown.split("  #").next().unwrap().trim();
            hold(numberless.contains(&without_numbers(shown)), &format!("shows no line `{shown}`"))?;
        }
        Ok(())
    }

    async fn prepare(&self, given: &Given, command: &str) -> Result<(), String> {
        if command.is_empty() {
            return Ok(());
        }
        let (code, text) = self.run(&self.here(command), Duration::from_secs(60)).await;
        if code == 0 {
            Ok(())
        } else {
            Err(format!("{}: preparing or cleaning up: {command}\n{text}", given.place))
        }
    }

    /// The command at this stack's addresses, with names for placeholders, and a load of seconds instead of minutes.
    pub fn here(&self, command: &str) -> String {
        let at = self.ports;
        let offset = self.offset;
        let mut command = self.moved(command);
        let mut swap = |from: &str, to: &str| command = command.replace(from, to);
        for (flag, port) in [
            ("prometheus", at.prometheus),
            ("alertmanager", at.alertmanager),
            ("target", at.api),
            ("inbox", at.inbox),
        ] {
            swap(&format!("--{flag} URL"), &format!("--{flag} http://127.0.0.1:{port}"));
        }
        swap("redis-cli -p 6379", "redis-cli");
        let auth = format!("REDISCLI_AUTH=$(cat target/stack/{offset}/redis/password)");
        swap("redis-cli ", &format!("{auth} redis-cli -p {} ", at.redis));
        let history = format!("redis-cli -p {} --latency-history", at.redis);
        swap(&history, &format!("timeout 3 {history}"));
        swap("stack status", &format!("stack status --port-offset {offset}"));
        swap("stack service", &format!("stack service --port-offset {offset}"));
        for verb in ["up", "down", "status"] {
            swap(&format!("make {verb}"), &format!("make {verb} STACK=native OFFSET={offset}"));
        }
        swap("make load", &format!("timeout -s INT 6 make load OFFSET={offset}"));
        swap("make drill", "make drill SCALE=40");
        swap("-z 30s", "-z 2s");
        if !command.contains("-z ") && !command.contains("-n ") {
            let seconds = format!("loadgen run http://127.0.0.1:{} -z 2s --no-tui ", at.api);
            command = command.replace("loadgen run http://", "loadgen run -z 2s --no-tui http://");
            command = command.replace("loadgen run --", &(seconds + "--"));
        }
        let nowhere = "LISTEN=127.0.0.1:0 ADMIN_LISTEN=127.0.0.1:0 timeout 6 api";
        for (from, to) in [
            ("cargo run -p api", nowhere),
            ("REQUIRE_API_KEY=writes api", &format!("REQUIRE_API_KEY=writes {nowhere}")),
            ("no-limits.toml api", "no-limits.toml timeout 6 api"),
            ("\"$GITHUB_STEP_SUMMARY\"", "summary.md"),
            ("/models/NAME", "/models/iris"),
            ("/faults/ID", "/faults/demo"),
            (" start NAME", " start inbox"),
            ("du -xh /", "du -xh docs"), // a disk takes minutes
        ] {
            command = command.replace(from, to);
        }
        command
    }

    /// The command with the ports of this stack.
    fn moved(&self, command: &str) -> String {
        let mut parts = command.split("127.0.0.1:");
        let mut moved = parts.next().unwrap().to_owned();
        for part in parts {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let (port, rest) = part.split_at(digits);
            let documented = port.parse().ok().filter(|port| Ports::DEFAULT.all().contains(port));
            let port = documented.map_or_else(|| port.to_owned(), |port| (port + self.offset).to_string());
            moved += &format!("127.0.0.1:{port}{rest}");
        }
        moved
    }

    /// The metric names of a query, as regular expressions.
    pub fn queried_metrics(command: &str) -> HashSet<String> {
        let Some((_, query)) = command.split_once("'query=") else { return HashSet::new() };
        let query = query.split('\'').next().unwrap();
        let mut names = HashSet::new();
        if let Some((_, names_of)) = query.split_once("{__name__=~\"") {
            names.extend(names_of.split('"').next().unwrap().split('|').map(str::to_owned));
        }
        let outside: String =
            query.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect();
        let words = outside.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
        for word in words.filter(|word| !word.ends_with('(')) {
            let name = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
            // Functions, keywords and grouping labels have neither.
            if begins && name.contains(['_', ':']) {
                names.insert(name.to_owned());
            }
        }
        names
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let down = std::process::Command::new(self.path().join("target/release/stack"))
            .args(["down", "--port-offset", &self.offset.to_string()])
            .output();
        assert!(std::thread::panicking() || down.is_ok(), "{down:?}");
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (name, kind) = (entry.file_name(), entry.file_type().unwrap());
        if NOT_CHECKED_OUT.iter().any(|not| name == *not) {
            continue;
        }
        let to = to.join(&name);
        if kind.is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn without_numbers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii_digit() {
            kept.push(c);
        } else if !kept.ends_with('0') {
            kept.push('0');
        }
    }
    kept
}
