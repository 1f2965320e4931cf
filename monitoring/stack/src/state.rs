//! The state of a stack on disk, so that other processes can show and stop it: `state.json` in the stack's folder.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Identifies a process, even if its pid is reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Process id.
    pub pid: i32,
    /// Start time in clock ticks since boot (field 22 of /proc/PID/stat); 0 if unknown.
    pub start_ticks: u64,
}

impl Identity {
    /// The current process with this pid.
    #[must_use]
    pub fn of(pid: i32) -> Self {
        Self { pid, start_ticks: start_ticks(pid).unwrap_or(0) }
    }

    /// Whether this process still runs (zombies do not count).
    #[must_use]
    pub fn alive(self) -> bool {
        match std::fs::read_to_string("/proc/self/stat") {
            Ok(_) => start_ticks(self.pid).is_some_and(|ticks| ticks == self.start_ticks),
            // Without /proc it can only be checked whether the pid exists.
            Err(_) => nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid), None).is_ok(),
        }
    }

    /// Sends a signal if this process still runs.
    pub fn signal(self, signal: nix::sys::signal::Signal) {
        if self.pid > 0 && self.alive() {
            // It may end between the check and the call; then there is nothing to signal.
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid), signal);
        }
    }
}

/// Field 22, counted after the command's closing parenthesis, because a command may have spaces.
fn start_ticks(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let run_state = fields.next()?;
    if run_state == "Z" || run_state == "X" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// One service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceState {
    /// Its name.
    pub name: String,
    /// Its process.
    pub process: Identity,
    /// Its address.
    pub address: String,
    /// Its log.
    pub log: PathBuf,
}

/// A stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// The process that supervises the services.
    pub supervisor: Identity,
    /// Whether all services have been ready.
    pub ready: bool,
    /// The time scale.
    pub scale: f64,
    /// The control socket.
    #[serde(default)]
    pub control: PathBuf,
    /// The services in start order.
    pub services: Vec<ServiceState>,
}

impl State {
    /// Writes the file atomically.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), Error> {
        let (path, new) = (dir.join("state.json"), dir.join("state.json.new"));
        let what = || format!("writing {}", path.display());
        let text =
            serde_json::to_string_pretty(self).map_err(std::io::Error::other).map_err(Error::io(what()))?;
        std::fs::write(&new, text).map_err(Error::io(what()))?;
        std::fs::rename(&new, &path).map_err(Error::io(what()))
    }

    /// Reads the state; `None` if no stack was started in this folder or it was stopped.
    ///
    /// # Errors
    /// When the file exists but cannot be read or parsed.
    pub fn read(dir: &Path) -> Result<Option<Self>, Error> {
        let path = dir.join("state.json");
        let what = || format!("reading {}", path.display());
        match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(what())(error)),
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(std::io::Error::other)
                .map_err(Error::io(what())),
        }
    }

    /// Removes the file, if it exists.
    pub fn remove(dir: &Path) {
        // If this fails, the next start or `down` reports that the processes have ended.
        let _ = std::fs::remove_file(dir.join("state.json"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_a_process_from_a_later_one_with_its_pid() {
        let me = Identity::of(std::process::id().cast_signed());
        assert!(me.alive());
        assert!(!Identity { start_ticks: me.start_ticks + 1, ..me }.alive());
    }

    #[test]
    fn reads_what_it_wrote() {
        let dir = tempfile::tempdir().unwrap();
        assert!(State::read(dir.path()).unwrap().is_none());
        let state = State {
            supervisor: Identity::of(1),
            ready: true,
            scale: 20.0,
            control: PathBuf::new(),
            services: vec![],
        };
        state.write(dir.path()).unwrap();
        let read = State::read(dir.path()).unwrap().unwrap();
        assert_eq!((read.supervisor, read.ready, read.scale), (state.supervisor, true, 20.0));
        State::remove(dir.path());
        assert!(State::read(dir.path()).unwrap().is_none());
    }
}
