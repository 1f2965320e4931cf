//! A child process with a log file: start, watch, signal, stop.

use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::Error;

/// A program to start.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Name for messages and files: `redis`, `api`, ….
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Additional environment variables.
    pub env: Vec<(String, String)>,
}

impl Launch {
    /// Without additional environment variables.
    pub fn new(name: &str, program: PathBuf, args: impl IntoIterator<Item: Into<String>>) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self { name: name.to_owned(), program, args, env: Vec::new() }
    }
}

/// A running child. It is killed on drop, and by the kernel when this process dies.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    pid: i32,
    child: Child,
}

impl Process {
    /// Starts it in a separate process group, with both outputs in `log`. Ctrl-C then only reaches the supervisor,
    /// which stops the others in order.
    ///
    /// # Errors
    /// [`Error::Io`] when the log cannot be written or the program cannot be started.
    pub fn start(launch: &Launch, log: &Path) -> Result<Self, Error> {
        let what = || format!("starting {}", launch.name);
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Error::io(format!("opening the log {}", log.display())))?;
        let err = out.try_clone().map_err(Error::io(what()))?;
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.args)
            .envs(launch.env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .kill_on_drop(true);
        die_with_parent(&mut command);
        let child = command.spawn().map_err(Error::io(what()))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(-1);
        Ok(Self { name: launch.name.clone(), log: log.to_owned(), pid, child })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Its log file.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Its exit status if it has ended, without waiting.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// [`Error::Io`] when waiting fails.
    pub async fn wait(&mut self) -> Result<ExitStatus, Error> {
        self.child.wait().await.map_err(Error::io(format!("waiting for {}", self.name)))
    }

    /// Sends a signal; does nothing if it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() && self.pid > 0 {
            // Not reaped yet, so the pid is still this child's. It is not an error if it has just died.
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Sends SIGTERM, then SIGKILL after `grace`; returns when it has ended.
    pub async fn stop(&mut self, grace: Duration) {
        self.signal(Signal::SIGCONT); // a paused process cannot handle SIGTERM
        self.signal(Signal::SIGTERM);
        if tokio::time::timeout(grace, self.child.wait()).await.is_err() {
            let _ = self.child.start_kill(); // fails only if it has ended meanwhile
            let _ = self.child.wait().await;
        }
    }

    /// Probes until it is ready.
    ///
    /// # Errors
    /// [`Error::Ended`] if it ends meanwhile; [`Error::NotReady`] with the last result after `limit`.
    pub async fn ready<T, E: Display, F: Future<Output = Result<T, E>>>(
        &mut self,
        limit: Duration,
        probe: impl Fn() -> F,
    ) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return Err(self.ended_error(status));
            }
            match probe().await {
                Ok(_) => return Ok(()),
                Err(reason) if started.elapsed() > limit => {
                    let (service, log) = (self.name.clone(), self.log.clone());
                    return Err(Error::NotReady { service, limit, reason: reason.to_string(), log });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// The error for an unexpected end, with the last lines of the log.
    #[must_use]
    pub fn ended_error(&self, status: ExitStatus) -> Error {
        Error::ended(&self.name, status, &self.log)
    }
}

/// Makes the kernel kill the child when this process dies for any reason.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)] // pre_exec is unsafe by signature; the closure makes one async-signal-safe system call
pub fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl(PR_SET_PDEATHSIG) is async-signal-safe and allocates nothing.
    unsafe {
        command.pre_exec(|| nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(Into::into));
    }
}

#[cfg(not(target_os = "linux"))]
pub fn die_with_parent(_command: &mut Command) {}
