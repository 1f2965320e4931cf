//! The binary as a child process.

use crate::helpers::{Metrics, PATIENCE, binary, eventually};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Instant,
};

/// A running binary; killed when dropped.
pub struct Running {
    pub lines: Receiver<Value>,
    pub base: String,
    pub admin: String,
    pub client: reqwest::Client,
    child: Child,
    dir: tempfile::TempDir,
}

fn standard_error(dir: &tempfile::TempDir) -> String {
    std::fs::read_to_string(dir.path().join("stderr.txt")).unwrap()
}

impl Running {
    /// With these flags, on free ports, with its own database and limits that no test exceeds.
    pub fn start(flags: &[&str]) -> Self {
        Self::start_with(flags, &[])
    }

    /// Same with further environment variables.
    pub fn start_with(flags: &[&str], env: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let command = binary(dir.path());
        Self::launch(command, flags, env, dir)
    }

    /// Same with this limit of open files.
    pub fn start_with_files(files: usize, flags: &[&str]) -> Self {
        Self::start_in_shell(&["/bin/sh", "-c"], &format!("ulimit -n {files}"), flags)
    }

    /// Same as the process of a shell that runs `first` before.
    pub fn start_in_shell(shell: &[&str], first: &str, flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let api = binary(dir.path());
        let script = format!("{first} && exec \"$0\" \"$@\"");
        let mut shell = {
            let mut command = Command::new(shell[0]);
            command.args(&shell[1..]);
            command
        };
        shell.arg(script).arg(api.get_program());
        shell.env_clear().envs(api.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.current_dir(dir.path());
        Self::launch(shell, flags, &[], dir)
    }

    fn launch(mut command: Command, flags: &[&str], env: &[(&str, &str)], dir: tempfile::TempDir) -> Self {
        std::fs::write(dir.path().join("limits.toml"), crate::helpers::roomy()).unwrap();
        let errors = std::fs::File::create(dir.path().join("stderr.txt")).unwrap();
        let mut child = command
            .env("RATE_LIMITS_FILE", "limits.toml")
            .envs(env.iter().copied())
            .args(["--listen", "127.0.0.1:0", "--workers", "2"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        let listening = lines.iter().find(|line: &Value| line["message"] == "listening");
        let listening =
            listening.unwrap_or_else(|| panic!("the gateway does not listen: {}", standard_error(&dir)));
        let url = |field: &str| format!("http://{}", listening[field].as_str().unwrap());
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { base: url("address"), admin: url("admin"), lines, client, child, dir }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its standard error so far.
    pub fn standard_error(&self) -> String {
        standard_error(&self.dir)
    }

    /// The public listener's address.
    pub fn public_address(&self) -> SocketAddr {
        self.base.trim_start_matches("http://").parse().unwrap()
    }

    /// The admin listener's address.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.trim_start_matches("http://").parse().unwrap()
    }

    pub async fn status(&self, path: &str) -> Option<u16> {
        self.status_at(&self.base, path).await
    }

    pub async fn admin_status(&self, path: &str) -> Option<u16> {
        self.status_at(&self.admin, path).await
    }

    async fn status_at(&self, base: &str, path: &str) -> Option<u16> {
        Some(self.client.get(format!("{base}{path}")).send().await.ok()?.status().as_u16())
    }

    pub async fn metrics(&self) -> Metrics {
        let response = self.client.get(format!("{}/metrics", self.base)).send().await.unwrap();
        Metrics::parse(&response.text().await.unwrap())
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Sends a request for `path`, of `/slow`, and returns once it is in progress.
    pub async fn begin(&self, path: &str) -> tokio::task::JoinHandle<Result<u16, reqwest::Error>> {
        let (client, url) = (self.client.clone(), format!("{}{path}", self.base));
        let response = tokio::spawn(async move { Ok(client.get(url).send().await?.status().as_u16()) });
        eventually("the request is in progress", || async {
            let series = r#"http_requests_in_progress{method="GET",route="/slow"}"#;
            self.metrics().await.get(series) == Some(1.0)
        })
        .await;
        response
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "the gateway does not end");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.standard_error());
        }
    }
}
