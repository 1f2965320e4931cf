//! Where causes act: the addresses of one stack, and how its services are ordered about.

use crate::error::DrillError;
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use url::Url;

use clients::inbox::Inbox;
use clients::{HttpConfig, address};

/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(90);
/// As much as a person wants to read of what a failed one said.
const SAID: usize = 400;

/// One stack, as `STACKS_FILE` describes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stack {
    /// Where load is sent.
    #[serde(with = "text")]
    pub target: Url,
    /// The gateway's admin listener.
    #[serde(with = "text")]
    pub admin: Url,
    /// Prometheus that evaluates the rules.
    #[serde(with = "text")]
    pub prometheus: Url,
    /// Alertmanager that routes the alerts.
    #[serde(with = "text")]
    pub alertmanager: Url,
    /// The inbox that receives the notifications; without one, Alertmanager's counters are asked.
    #[serde(default, with = "text_if_any")]
    pub inbox: Option<Url>,
    /// The command that takes `stop NAME`, `start NAME`, `pause NAME`, `unpause NAME` and `restart NAME`, such as
    /// `docker compose`.
    #[serde(default)]
    pub control: Vec<String>,
    /// How the addresses are reached.
    #[serde(default)]
    pub http: HttpConfig,
    /// Environment for commands.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// Addresses as text.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use url::Url;

    use clients::address::redacted;

    pub fn serialize<S: Serializer>(url: &Url, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(url.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
        let text = String::deserialize(from)?;
        Url::parse(&text)
            .map_err(|error| de::Error::custom(format!("`{}` is not an address: {error}", redacted(&text))))
    }
}

/// An address as text, or none.
mod text_if_any {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
    use url::Url;

    use clients::address::redacted;

    // serde calls it with a reference to the field.
    #[allow(clippy::ref_option)]
    pub fn serialize<S: Serializer>(url: &Option<Url>, to: S) -> Result<S::Ok, S::Error> {
        url.as_ref().map(Url::as_str).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
        let bad = |text: String, error| {
            de::Error::custom(format!("`{}` is not an address: {error}", redacted(&text)))
        };
        Option::<String>::deserialize(from)?
            .map(|text| Url::parse(&text).map_err(|error| bad(text, error)))
            .transpose()
    }
}

impl Stack {
    /// Its inbox.
    ///
    /// # Errors
    /// That there is none, or its address is no base.
    pub fn inbox(&self) -> Result<Inbox, DrillError> {
        let url = self
            .inbox
            .as_ref()
            .ok_or_else(|| DrillError::Cause("there is no inbox: give --inbox URL".to_owned()))?;
        Ok(Inbox::new(url, &self.http)?)
    }

    fn addresses(&self) -> impl Iterator<Item = &Url> {
        [&self.target, &self.admin, &self.prometheus, &self.alertmanager].into_iter().chain(&self.inbox)
    }

    /// A command in this place's environment, in a process group of its own; killed when dropped.
    fn command(&self, argv: &[String]) -> Result<Command, DrillError> {
        let (program, arguments) =
            argv.split_first().ok_or_else(|| DrillError::Cause("an empty command".to_owned()))?;
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

    /// Runs a command to its end.
    ///
    /// # Errors
    /// That it could not be started, failed, or did not end in time, with what it said.
    pub async fn run(&self, argv: &[String]) -> Result<(), DrillError> {
        let mut command = self.command(argv)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = argv.join(" ");
        let name: String = name.chars().take(SAID).collect();
        let output = tokio::time::timeout(COMMAND, command.output())
            .await
            .map_err(|_| DrillError::Cause(format!("`{name}` did not end within {} s", COMMAND.as_secs())))?
            .map_err(|error| DrillError::Cause(format!("`{name}` could not be started: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        // It was given the addresses, and may repeat them.
        let said = address::hushed(said.trim(), self.addresses());
        let said: String = said.chars().take(SAID).collect();
        Err(DrillError::Cause(format!("`{name}` failed ({}): {said}", output.status)))
    }

    /// Starts a command that goes on until it is dropped or ended.
    ///
    /// # Errors
    /// That it could not be started.
    pub fn hold(&self, argv: &[String]) -> Result<Held, DrillError> {
        let mut command = self.command(argv)?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| {
            DrillError::Cause(format!("`{}` could not be started: {error}", argv.join(" ")))
        })?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        Ok(Held { pid, name: argv.join(" ").chars().take(SAID).collect(), _child: child })
    }

    /// Orders a service about.
    ///
    /// # Errors
    /// That nothing is known that does so, or what it said.
    pub async fn order(&self, verb: &str, name: &str) -> Result<(), DrillError> {
        if self.control.is_empty() {
            return Err(DrillError::Cause(format!(
                "nothing is known that could {verb} `{name}`: give --control, such as \"docker compose\" or \
                 \"stack service\""
            )));
        }
        let mut argv = self.control.clone();
        argv.extend([verb.to_owned(), name.to_owned()]);
        self.run(&argv).await
    }
}

/// A command that goes on; its whole process group is killed when this is dropped.
#[derive(Debug)]
pub struct Held {
    pid: Option<i32>,
    name: String,
    _child: Child,
}

/// A command that was to go on, and ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which, and how it ended.
    pub said: String,
    /// Whether it says itself that it failed.
    pub failed: bool,
}

impl Held {
    /// How it ended, if it has.
    #[must_use]
    #[cfg(target_os = "linux")]
    pub fn ended(&self) -> Option<Broken> {
        use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
        let pid = nix::unistd::Pid::from_raw(self.pid?);
        // Not reaped by being asked: the group stays its own.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let (how, failed) = match waitid(Id::Pid(pid), flags) {
            Ok(WaitStatus::Exited(_, code)) => (format!("exit status: {code}"), code != 0),
            Ok(WaitStatus::Signaled(_, signal, _)) => (format!("signal: {signal}"), true),
            _ => return None,
        };
        Some(Broken { said: format!("`{}` ended before the cause was lifted ({how})", self.name), failed })
    }

    /// How it ended cannot be asked here without taking its number from it.
    #[must_use]
    #[cfg(not(target_os = "linux"))]
    pub fn ended(&self) -> Option<Broken> {
        None
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            // Not reaped while the child is held, so the group is still its own.
            let _ =
                nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
    }
}

/// Has the kernel kill the command when this process dies, however it dies.
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
