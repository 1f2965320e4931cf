//! The measured servers, their load and their resource usage.

use crate::machine::Machine;
use anyhow::{Context, bail, ensure};
use process::{Launch, Process};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Connections of the closed loop.
pub const CONNECTIONS: u32 = 64;
/// Timeout for starting or stopping a server.
const PATIENCE: Duration = Duration::from_secs(20);

/// Settings of a gateway that differ from the defaults.
pub struct Settings<'a> {
    pub redis_url: &'a str,
    pub database: &'a Path,
    /// Content of the limits file.
    pub policies: &'a str,
    /// Trusted proxies.
    pub trusted_proxies: &'a str,
}

impl<'a> Settings<'a> {
    /// Limits that are never reached.
    pub fn roomy(redis_url: &'a str, database: &'a Path) -> Self {
        let policies = "[[policy]]\nname = \"default\"\nlimit = \"1000000/s\"\nburst = 1000000\n";
        Self { redis_url, database, policies, trusted_proxies: "" }
    }
}

/// A server in a separate process, stopped on drop.
pub struct Server {
    process: Process,
    base: String,
}

/// How long to load.
pub enum Load {
    Seconds(u32),
    Requests(u64),
}

impl Server {
    /// The gateway with one worker and defaults for all other settings.
    pub async fn gateway(
        name: &str,
        settings: &Settings<'_>,
        machine: &Machine,
        dir: &Path,
    ) -> anyhow::Result<Self> {
        Self::gateway_with(name, settings, &[], machine, dir).await
    }

    /// Same with further settings.
    pub async fn gateway_with(
        name: &str,
        settings: &Settings<'_>,
        extra: &[(&str, String)],
        machine: &Machine,
        dir: &Path,
    ) -> anyhow::Result<Self> {
        let limits = dir.join(format!("{name}.limits.toml"));
        fs::write(&limits, settings.policies)?;
        let (port, admin) = (process::port::free()?, process::port::free()?);
        let (program, args) = machine.on_the_servers_core(PathBuf::from(env!("CARGO_BIN_EXE_api")), vec![]);
        let env = [
            ("LISTEN", format!("127.0.0.1:{port}")),
            ("ADMIN_LISTEN", format!("127.0.0.1:{admin}")),
            ("WORKERS", "1".to_owned()),
            ("DATABASE_URL", format!("sqlite://{}", settings.database.display())),
            ("REDIS_URL", settings.redis_url.to_owned()),
            ("RATE_LIMITS_FILE", limits.display().to_string()),
            ("TRUSTED_PROXIES", settings.trusted_proxies.to_owned()),
            ("DRAIN_DELAY", "0s".to_owned()),
            // The defaults, regardless of the user's environment.
            ("LOG_LEVEL", "info".to_owned()),
            ("LOG_FORMAT", "json".to_owned()),
        ];
        let env = env.iter().chain(extra).map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let launch = Launch { name: name.to_owned(), program, args, env };
        let process = Process::start(&launch, &dir.join(format!("{name}.log")))?;
        Self { process, base: format!("http://127.0.0.1:{port}") }.ready("/readyz").await
    }

    /// The floor, which responds with this body.
    pub async fn floor(body: &str, machine: &Machine, dir: &Path) -> anyhow::Result<Self> {
        let port = process::port::free()?;
        let file = dir.join("floor.body");
        fs::write(&file, body)?;
        // A shell, because a launched process has no standard input; `exec` keeps the pid.
        let exe = std::env::current_exe()?;
        let script = "exec \"$0\" --floor \"$1\" < \"$2\"".to_owned();
        let args = vec![
            "-c".to_owned(),
            script,
            exe.display().to_string(),
            format!("127.0.0.1:{port}"),
            file.display().to_string(),
        ];
        let (program, args) = machine.on_the_servers_core(PathBuf::from("/bin/sh"), args);
        let launch = Launch::new("floor", program, args);
        let process = Process::start(&launch, &dir.join("floor.log"))?;
        Self { process, base: format!("http://127.0.0.1:{port}") }.ready(USER).await
    }

    async fn ready(mut self, path: &str) -> anyhow::Result<Self> {
        let (url, started) = (format!("{}{path}", self.base), Instant::now());
        loop {
            if let Some(status) = self.process.ended() {
                return Err(self.process.ended_error(status).into());
            }
            match reqwest::get(&url).await {
                Ok(response) if response.status().is_success() => return Ok(self),
                _ if started.elapsed() > PATIENCE => bail!("no response from {url}"),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// `http://127.0.0.1:PORT`
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Creates the user that is read, and returns the body of the response.
    pub async fn user(&self) -> anyhow::Result<String> {
        let user = json!({"name": "Ada Lovelace", "email": "ada@example.com"});
        let created =
            reqwest::Client::new().post(format!("{}/api/users", self.base)).json(&user).send().await?;
        ensure!(created.status() == 201, "the user could not be created: {}", created.text().await?);
        Ok(reqwest::get(format!("{}{USER}", self.base)).await?.error_for_status()?.text().await?)
    }

    /// Loads it in a closed loop; returns the number of responses and the seconds. Any status but 200 is an error.
    pub async fn load(&self, load: &Load, dir: &Path) -> anyhow::Result<(u64, f64)> {
        // The log has had its cost; a gigabyte of it need not stay.
        fs::File::options().write(true).open(self.process.log())?.set_len(0)?;
        let (out, url) = (dir.join("load.json"), format!("{}{USER}", self.base));
        let mut command = tokio::process::Command::new(process::program::own("loadgen")?);
        command.args([
            "run",
            &url,
            "--no-tui",
            "--expect-status",
            "200",
            "-c",
            &CONNECTIONS.to_string(),
            "--out",
        ]);
        command.arg(&out);
        let limit = match load {
            Load::Seconds(seconds) => {
                command.args(["-z", &format!("{seconds}s")]);
                Duration::from_secs(u64::from(*seconds)) + PATIENCE
            }
            // At a thousand per second, a fiftieth of the usual rate.
            Load::Requests(requests) => {
                command.args(["-n", &requests.to_string()]);
                Duration::from_millis(*requests) + PATIENCE
            }
        };
        let finished = tokio::time::timeout(limit, command.kill_on_drop(true).output()).await;
        let output = finished.with_context(|| format!("loadgen did not end within {limit:?}"))??;
        // 4: the threads were saturated, as intended in a closed loop.
        ensure!(
            matches!(output.status.code(), Some(0 | 4)),
            "loadgen failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        let report: Value = serde_json::from_slice(&fs::read(&out)?)?;
        let (responses, ledger) = (report["statuses"]["200"].as_u64().unwrap_or(0), &report["ledger"]);
        ensure!(responses > 0 && report["errors"] == json!({}), "the load had errors: {report}");
        ensure!(
            ledger["expected"] == responses && ledger["unexpected"] == 0,
            "not every response was 200: {ledger}"
        );
        Ok((responses, report["elapsed_seconds"].as_f64().context("elapsed_seconds")?))
    }

    /// Loads it at a steady rate of requests per second; returns the report regardless of the responses.
    pub async fn steady(&self, rate: u32, seconds: u32, dir: &Path) -> anyhow::Result<Value> {
        let (out, url) = (dir.join("steady.json"), format!("{}{USER}", self.base));
        let mut command = tokio::process::Command::new(process::program::own("loadgen")?);
        command.args(["run", &url, "--no-tui", "--expect-status", "200", "-q", &rate.to_string()]);
        command.args(["-z", &format!("{seconds}s"), "--out"]).arg(&out);
        let limit = Duration::from_secs(u64::from(seconds)) + PATIENCE;
        let finished = tokio::time::timeout(limit, command.kill_on_drop(true).output()).await;
        let output = finished.with_context(|| format!("loadgen did not end within {limit:?}"))??;
        // 1: unexpected responses, which the report counts. 4: the generator was behind its schedule because of other
        // programs, which the report notes.
        ensure!(
            matches!(output.status.code(), Some(0 | 1 | 4)),
            "loadgen failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(serde_json::from_slice(&fs::read(&out)?)?)
    }

    /// CPU time of all its threads so far, in seconds; the system counts in hundredths.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.pid()))?;
        // The name in parentheses may hold spaces; utime and stime are fields 14 and 15, counted from 1.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
        Ok((ticks(11).context("utime")? + ticks(12).context("stime")?) / 100.0)
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Stops it gracefully.
    pub async fn stop(mut self) {
        self.process.stop(PATIENCE).await;
    }
}

/// The path that is read.
const USER: &str = "/api/users/1";
