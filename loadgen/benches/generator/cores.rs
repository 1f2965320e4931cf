//! CPU cores of the server and the generator.

use std::process::Command;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Two cores, if this process may use two.
#[derive(Debug)]
pub struct Cores {
    pair: Option<(usize, usize)>,
    all: usize,
}

impl Cores {
    /// The first two cores that this process may use.
    pub fn find() -> Self {
        let own = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
        let allowed: Vec<usize> =
            (0..CpuSet::count()).filter(|&core| own.is_set(core).unwrap_or(false)).collect();
        let taskset = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .any(|folder| folder.join("taskset").is_file());
        let pair = match allowed[..] {
            [server, generator, ..] if taskset => Some((server, generator)),
            _ => None,
        };
        Self { pair, all: allowed.len() }
    }

    /// Moves the calling thread to the server's core.
    pub fn serve_here(&self) {
        let Some((server, _)) = self.pair else { return };
        let mut set = CpuSet::new();
        if set.set(server).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set)).is_err() {
            eprintln!("note: cannot pin the server to its core");
        }
    }

    /// A command that runs on the generator's core.
    pub fn generator(&self, program: &str) -> Command {
        match self.pair {
            None => Command::new(program),
            Some((_, generator)) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &generator.to_string(), program]);
                command
            }
        }
    }

    /// A note on the test conditions.
    pub fn note(&self) -> String {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("unknown");
        match self.pair {
            Some((server, generator)) => format!(
                "{} cores, the server pinned to number {server}, each generator to number {generator}; load average {load}.",
                self.all
            ),
            None => format!(
                "{} cores, not pinned (needs two cores and `taskset`); load average {load}.",
                self.all
            ),
        }
    }
}
