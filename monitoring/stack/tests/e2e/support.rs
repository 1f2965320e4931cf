//! A stack for one test, `loadgen` against it, and waiting for conditions.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use process::program;
use serde_json::Value;
use stack::port::Ports;
use stack::{Settings, Stack};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A fast time scale, for tests whose verdict does not depend on tight bounds.
pub const FAST: f64 = 60.0;

/// A stack in a temporary folder on free ports.
pub struct Bed {
    pub stack: Stack,
    pub dir: TempDir,
}

impl Bed {
    /// With the repository's monitoring files.
    pub async fn start(scale: f64) -> Self {
        Self::start_with(scale, |_| ()).await
    }

    /// With a copy of them that `change` may edit.
    pub async fn start_with(scale: f64, change: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::isolated(dir.path().join("stack"), scale).unwrap();
        settings.monitoring = copy_monitoring(&settings.monitoring, &dir.path().join("monitoring"));
        change(&settings.monitoring);
        let stack = Stack::start(settings, |_| ()).await.unwrap_or_else(|error| panic!("{error}"));
        Self { stack, dir }
    }

    /// The command `loadgen drill` on these files, with a JSON report at [`Self::report_path`].
    pub fn drill(&self, files: &[&Path]) -> Command {
        let mut command = loadgen();
        command
            .arg("drill")
            .args(["--target", self.stack.url("api"), "--prometheus", self.stack.url("prometheus")])
            .args(["--alertmanager", self.stack.url("alertmanager"), "--inbox", self.stack.url("inbox")])
            .args(["--scale", &self.stack.settings().scale.to_string()])
            .arg("--json")
            .arg(self.report_path())
            .args(files);
        command
    }

    /// Runs a drill from a text, with the ambient alerts of the shipped suite.
    pub async fn run_drill(&self, text: &str) -> Finished {
        let file = self.write_drill(text);
        let output = finish(self.drill(&[&file]), Duration::from_secs(240)).await;
        Finished::new(&output, &self.report_path())
    }

    /// Writes a drill file next to the shipped suite file.
    pub fn write_drill(&self, text: &str) -> PathBuf {
        let folder = self.dir.path().join("drills");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(drills().join("suite.yaml"), folder.join("suite.yaml")).unwrap();
        let file = folder.join("drill.yaml");
        std::fs::write(&file, text).unwrap();
        file
    }

    pub fn report_path(&self) -> PathBuf {
        self.dir.path().join("report.json")
    }
}

/// The result of a drill run.
pub struct Finished {
    pub code: Option<i32>,
    pub text: String,
    pub report: Value,
}

impl Finished {
    pub fn new(output: &Output, report: &Path) -> Self {
        let text = format!(
            "{}\n--- standard error:\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let report = std::fs::read_to_string(report).ok().and_then(|text| serde_json::from_str(&text).ok());
        Self { code: output.status.code(), text, report: report.unwrap_or(Value::Null) }
    }

    /// The only drill's verdict and reason.
    pub fn verdict(&self) -> (&str, &str) {
        let drill = &self.report["drills"][0];
        (drill["verdict"].as_str().unwrap_or("none"), drill["reason"].as_str().unwrap_or("none"))
    }
}

/// The repository's drills.
pub fn drills() -> PathBuf {
    program::repository().join("monitoring/drills")
}

/// The `loadgen` binary; killed at the end of the test.
pub fn loadgen() -> Command {
    let mut command = Command::new(program::own("loadgen").unwrap());
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// The `stack` binary; killed at the end of the test.
pub fn stack() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a command until it ends, for at most `limit`.
pub async fn finish(mut command: Command, limit: Duration) -> Output {
    tokio::time::timeout(limit, command.output()).await.expect("it ends in time").unwrap()
}

/// Sends a signal to a child.
pub fn signal(child: &Child, signal: nix::sys::signal::Signal) {
    let pid = child.id().expect("it is still running").cast_signed();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
}

/// A port offset with free ports. The ports are below those of [`port::free`] and of the system's outgoing connections,
/// so that only another offset of this kind could conflict.
pub fn free_offset() -> u16 {
    (0..200)
        .filter_map(|_| process::port::free().ok())
        .map(|random| 1_000 + random % 9_000)
        .find(|offset| Ports::offset(*offset).is_ok_and(all_free))
        .expect("some offset has all its ports free")
}

/// Whether all ports are free.
pub fn all_free(ports: Ports) -> bool {
    ports.all().into_iter().all(|port| stack::port::check("a test", port).is_ok())
}

/// Polls until there is a result.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> F,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(response) = probe().await {
            return response;
        }
        assert!(started.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// GETs a URL: status and body; `None` without a response.
pub async fn get(url: &str) -> Option<(u16, String)> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    let response = client.get(url).send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.text().await.ok()?))
}

/// GETs JSON.
pub async fn get_json(url: &str) -> Option<Value> {
    get(url).await.and_then(|(_, body)| serde_json::from_str(&body).ok())
}

/// Copies the files of Prometheus and Alertmanager; returns the folder of the copy.
pub fn copy_monitoring(from: &Path, to: &Path) -> PathBuf {
    for part in ["alert_rules", "templates"] {
        copy_dir(&from.join(part), &to.join(part));
    }
    for file in ["prometheus.yml", "alertmanager.yml"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    to.to_owned()
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Replaces a text in a file, which must contain it.
pub fn replace(file: &Path, old: &str, new: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(old), "{} does not contain {old}", file.display());
    std::fs::write(file, text.replace(old, new)).unwrap();
}
