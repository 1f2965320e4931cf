//! Assigns the cores to the server and the load.

use std::{fs, path::PathBuf, process::Command};

/// The cores of server and load, if they can be pinned.
#[derive(Debug)]
pub struct Machine {
    pinned: Option<Pinned>,
    cores: usize,
}

#[derive(Debug)]
struct Pinned {
    taskset: PathBuf,
    server: u32,
    others: Vec<u32>,
}

impl Machine {
    /// Pins if there are two cores and `taskset`.
    pub fn find() -> Self {
        let cores = allowed();
        let taskset = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .map(|folder| folder.join("taskset"))
            .find(|program| program.is_file());
        let pinned = match (&cores[..], taskset) {
            ([server, others @ ..], Some(taskset)) if !others.is_empty() => {
                Some(Pinned { taskset, server: *server, others: others.to_vec() })
            }
            _ => None,
        };
        Self { pinned, cores: cores.len() }
    }

    /// Moves this process and its children, unless moved back, away from the server's core.
    pub fn keep_off_the_servers_core(&self) {
        let Some(pinned) = &self.pinned else { return };
        let others: Vec<String> = pinned.others.iter().map(u32::to_string).collect();
        let moved = Command::new(&pinned.taskset)
            .args(["-p", "-c", &others.join(","), &std::process::id().to_string()])
            .output();
        if !moved.is_ok_and(|output| output.status.success()) {
            eprintln!("note: taskset cannot move this process: the load shares the server's core");
        }
    }

    /// A command line that runs on the server's core.
    pub fn on_the_servers_core(&self, program: PathBuf, args: Vec<String>) -> (PathBuf, Vec<String>) {
        match &self.pinned {
            None => (program, args),
            Some(pinned) => {
                let mut all = vec!["-c".to_owned(), pinned.server.to_string(), program.display().to_string()];
                all.extend(args);
                (pinned.taskset.clone(), all)
            }
        }
    }

    /// The note about the machine in the report.
    pub fn note(&self) -> String {
        let cores = self.cores;
        match &self.pinned {
            Some(_) => format!(
                "{cores} cores: the servers, one worker each, pinned to one of them, load and Redis to the rest; load average {}.",
                fs::read_to_string("/proc/loadavg")
                    .unwrap_or_default()
                    .split(' ')
                    .next()
                    .unwrap_or("unknown"),
            ),
            None => format!("{cores} cores, nothing pinned: pinning needs two cores and `taskset`."),
        }
    }
}

/// The cores this process may use: `Cpus_allowed_list: 0-1,4` in its status.
fn allowed() -> Vec<u32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or("0");
    list.trim()
        .split(',')
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?)
        })
        .flatten()
        .collect()
}
