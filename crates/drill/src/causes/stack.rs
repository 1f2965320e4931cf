//! A stack on which causes act: its URLs, and commands that control its services.

use crate::error::DrillError;
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use url::Url;

use clients::backend::BackendConfig;
use clients::inbox::Inbox;
use clients::{HttpConfig, address};

/// Time limit for a command.
const COMMAND: Duration = Duration::from_secs(90);
/// How many characters of a failed command's output are shown.
const OUTPUT_CHARS: usize = 400;

/// One stack, as described by `STACKS_FILE`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stack {
    /// The URL to which load is sent.
    #[serde(with = "address::text")]
    pub target: Url,
    /// The gateway's admin listener.
    #[serde(with = "address::text")]
    pub admin: Url,
    /// The Prometheus that evaluates the rules.
    #[serde(with = "address::text")]
    pub prometheus: Url,
    /// The Alertmanager that routes the alerts.
    #[serde(with = "address::text")]
    pub alertmanager: Url,
    /// Further Alertmanagers of the cluster.
    #[serde(default, with = "address::texts")]
    pub alertmanagers: Vec<Url>,
    /// What evaluates the rules and stores the samples, if it is not that Prometheus alone.
    #[serde(default)]
    pub backend: BackendConfig,
    /// The inbox that receives the notifications; without one, Alertmanager's counters are read.
    #[serde(default, with = "address::text_if_any")]
    pub inbox: Option<Url>,
    /// The command that accepts `stop NAME`, `start NAME`, `pause NAME`, `unpause NAME` and `restart NAME`, such as
    /// `docker compose`.
    #[serde(default)]
    pub control: Vec<String>,
    /// Alertmanager's `--cluster.peer-timeout`, which its API does not report.
    #[serde(default = "peer_timeout", with = "common::duration")]
    pub peer_timeout: Duration,
    /// HTTP settings for all URLs.
    #[serde(default)]
    pub http: HttpConfig,
    /// Environment of commands.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// The default of `--cluster.peer-timeout`.
fn peer_timeout() -> Duration {
    Duration::from_secs(15)
}

impl Stack {
    /// A client of the stack's inbox.
    ///
    /// # Errors
    /// There is no inbox, or its URL cannot be used as a base.
    pub fn inbox(&self) -> Result<Inbox, DrillError> {
        let url = self
            .inbox
            .as_ref()
            .ok_or_else(|| DrillError::Cause("no inbox is configured: set --inbox URL".to_owned()))?;
        Ok(Inbox::new(url, &self.http)?)
    }

    fn addresses(&self) -> impl Iterator<Item = &Url> {
        let backend = &self.backend;
        [&self.target, &self.admin, &self.prometheus, &self.alertmanager]
            .into_iter()
            .chain(&self.inbox)
            .chain(&self.alertmanagers)
            .chain(backend.replicas.iter().chain(&backend.rules).chain(&backend.query))
    }

    /// A command with the stack's environment, in a process group of its own; killed when dropped.
    fn command(&self, argv: &[String]) -> Result<Command, DrillError> {
        let (program, arguments) = argv.split_first().ok_or_else(|| {
            DrillError::Cause("the command is empty: expected [program, argument, …]".to_owned())
        })?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("TARGET_URL", self.target.as_str().trim_end_matches('/'))
            .env("ADMIN_URL", self.admin.as_str().trim_end_matches('/'))
            .env("PROMETHEUS_URL", self.prometheus.as_str().trim_end_matches('/'))
            .env("ALERTMANAGER_URL", self.alertmanager.as_str().trim_end_matches('/'))
            .env("INBOX_URL", self.inbox.as_ref().map_or("none", |url| url.as_str().trim_end_matches('/')))
            .envs(&self.env)
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        die_with_us(&mut command);
        Ok(command)
    }

    /// Runs a command and waits until it ends.
    ///
    /// # Errors
    /// The command could not be started, failed, or did not end in time; the error includes its output.
    pub async fn run(&self, argv: &[String]) -> Result<(), DrillError> {
        let mut command = self.command(argv)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = argv.join(" ");
        let name: String = name.chars().take(OUTPUT_CHARS).collect();
        let output = tokio::time::timeout(COMMAND, command.output())
            .await
            .map_err(|_| DrillError::Cause(format!("`{name}` did not end within {} s", COMMAND.as_secs())))?
            .map_err(|error| DrillError::Cause(format!("cannot start `{name}`: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let message =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        // The output may repeat the URLs, which the command was given.
        let message = address::hushed(message.trim(), self.addresses());
        let message: String = message.chars().take(OUTPUT_CHARS).collect();
        Err(DrillError::Cause(format!("`{name}` failed ({}): {message}", output.status)))
    }

    /// Starts a command that runs until it is dropped or ends by itself.
    ///
    /// # Errors
    /// The command could not be started.
    pub fn hold(&self, argv: &[String]) -> Result<Held, DrillError> {
        let mut command = self.command(argv)?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command
            .spawn()
            .map_err(|error| DrillError::Cause(format!("cannot start `{}`: {error}", argv.join(" "))))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        Ok(Held { pid, name: argv.join(" ").chars().take(OUTPUT_CHARS).collect(), _child: child })
    }

    /// Controls a service: stops, starts, pauses, unpauses or restarts it.
    ///
    /// # Errors
    /// There is no control command, or it failed.
    pub async fn order(&self, verb: &str, name: &str) -> Result<(), DrillError> {
        if self.control.is_empty() {
            return Err(DrillError::Cause(format!(
                "no command is configured to {verb} `{name}`: set --control, such as \"docker compose\" or \
                 \"stack service\""
            )));
        }
        let mut argv = self.control.clone();
        argv.extend([verb.to_owned(), name.to_owned()]);
        self.run(&argv).await
    }
}

/// A running command; its whole process group is killed when this is dropped.
#[derive(Debug)]
pub struct Held {
    pid: Option<i32>,
    name: String,
    _child: Child,
}

/// A held command that ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which command, and how it ended.
    pub message: String,
    /// Whether the command failed.
    pub failed: bool,
}

impl Held {
    /// How the command ended, if it has.
    #[must_use]
    #[cfg(target_os = "linux")]
    pub fn ended(&self) -> Option<Broken> {
        use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
        let pid = nix::unistd::Pid::from_raw(self.pid?);
        // The process is not reaped here, so its group ID is not reused.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let (how, failed) = match waitid(Id::Pid(pid), flags) {
            Ok(WaitStatus::Exited(_, code)) => (format!("exit status: {code}"), code != 0),
            Ok(WaitStatus::Signaled(_, signal, _)) => (format!("signal: {signal}"), true),
            _ => return None,
        };
        Some(Broken { message: format!("`{}` ended before the cause was lifted ({how})", self.name), failed })
    }

    /// On this system the state cannot be read without reaping the process.
    #[must_use]
    #[cfg(not(target_os = "linux"))]
    pub fn ended(&self) -> Option<Broken> {
        None
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            // The process is not reaped while the child is held, so its group ID is not reused.
            let _ =
                nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
    }
}

/// Makes the kernel kill the command when this process dies in any way.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)] // pre_exec is unsafe by signature; the closure makes one async-signal-safe system call
fn die_with_us(command: &mut Command) {
    // SAFETY: prctl(PR_SET_PDEATHSIG) is async-signal-safe and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).map_err(Into::into)
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_us(_command: &mut Command) {}
