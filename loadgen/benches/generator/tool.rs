//! Runs a load tool and measures its resource usage.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};

/// Interval of the memory measurement.
const GLANCE: Duration = Duration::from_millis(100);

/// Resource usage of a run.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// User and system CPU time in seconds.
    pub cpu_seconds: f64,
    /// Elapsed seconds.
    pub seconds: f64,
    /// Maximum memory in MiB.
    pub mebibytes: f64,
}

/// Other supported tools.
pub const OTHERS: [&str; 4] = ["wrk", "hey", "ab", "oha"];

/// Whether the program is on the PATH.
fn is_installed(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(program).is_file())
}

/// Arguments for a closed loop on 64 kept-alive connections and one thread.
pub fn arguments(program: &str, url: &str, seconds: u32) -> Vec<String> {
    let (time, whole) = (format!("{seconds}s"), seconds.to_string());
    let arguments = match program {
        "wrk" => vec!["-t", "1", "-c", "64", "-d", &time, url],
        "hey" => vec!["-cpus", "1", "-c", "64", "-z", &time, url],
        "ab" => vec!["-q", "-k", "-c", "64", "-t", &whole, "-n", "100000000", url],
        "oha" => vec!["--no-tui", "-c", "64", "-z", &time, url],
        _ => vec!["run", url, "-c", "64", "-z", &time, "--threads", "1", "--no-tui"],
    };
    arguments.into_iter().map(str::to_owned).collect()
}

/// Arguments for 10,000 requests per second on 64 kept-alive connections, if the tool supports a rate.
pub fn paced(program: &str, url: &str, seconds: u32) -> Option<Vec<String>> {
    let time = format!("{seconds}s");
    let arguments = match program {
        // The rate of hey is per connection.
        "hey" => vec!["-cpus", "1", "-c", "50", "-q", "200", "-z", &time, url],
        "oha" => vec!["--no-tui", "-c", "64", "-q", "10000", "-z", &time, url],
        _ => return None,
    };
    Some(arguments.into_iter().map(str::to_owned).collect())
}

/// The other tools on the PATH.
pub fn others() -> impl Iterator<Item = &'static str> {
    OTHERS.into_iter().filter(|name| is_installed(name))
}

/// Runs a command that must end within `limit` with one of the exit codes in `accept`.
pub fn run(mut command: Command, limit: Duration, accept: &[i32]) -> anyhow::Result<Cost> {
    let before = children_cpu()?;
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).spawn()?;
    let mut most = 0.0_f64;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > limit {
            let _ = child.kill(); // it may have ended already
            let _ = child.wait();
            bail!("{command:?} did not end within {limit:?}");
        }
        most = most.max(resident(child.id()).unwrap_or(0.0));
        std::thread::sleep(GLANCE);
    };
    ensure!(status.code().is_some_and(|code| accept.contains(&code)), "{command:?}: {status}");
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Cost { cpu_seconds: children_cpu()? - before, seconds, mebibytes: most })
}

/// CPU time of all children that have ended.
fn children_cpu() -> anyhow::Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn resident(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
