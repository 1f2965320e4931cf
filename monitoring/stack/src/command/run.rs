//! `stack run -- COMMAND`: a separate stack on free ports for the duration of one command.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use clap::Args;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use super::shards::Shards;
use super::signals::{Signals, exit_code};
use crate::error::Error;
use process::program;

/// Time for the command to end after a signal, before it is killed.
const GRACE: Duration = Duration::from_secs(60);

/// Arguments of `stack run`. The command gets the addresses in the variables `TARGET_URL`, `ADMIN_URL`,
/// `PROMETHEUS_URL`, `ALERTMANAGER_URL` and `INBOX_URL`, and also `TIME_SCALE`; `STACKS_FILE` is a JSON file with all
/// stacks.
#[derive(Debug, Args)]
pub struct Run {
    /// Divide every duration of the monitoring files by N; 1 keeps the production timings
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    scale: f64,
    /// Keep configuration, data and logs in DIR; by default they are removed when the command succeeds
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Use the monitoring files in DIR instead of the repository's
    #[arg(long, value_name = "DIR")]
    monitoring: Option<PathBuf>,
    /// Number of isolated stacks to start
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=32))]
    shards: u8,
    /// Command and arguments to run, after `--`
    #[arg(required = true, last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(super) async fn main(run: Run) -> Result<u8, Error> {
    let kept = run.dir.is_some();
    let dir = run
        .dir
        .clone()
        .unwrap_or_else(|| program::repository().join(format!("target/stack/run-{}", std::process::id())));
    let dir =
        std::path::absolute(&dir).map_err(Error::io(format!("resolving the path {}", dir.display())))?;
    let mut signals = Signals::catch(true)?;
    match run.shards {
        1 => println!("Starting a stack, time scale {}", run.scale),
        many => println!("Starting {many} stacks, time scale {}", run.scale),
    }
    let started = tokio::select! {
        stacks = Shards::start(&dir, run.shards.into(), run.scale, run.monitoring.as_deref()) => stacks,
        signal = signals.next() => {
            // Dropping the start has ended every process it had started.
            eprintln!("stack: {signal} during the start; all services are stopped");
            remove(&dir, kept);
            return Ok(exit_code(signal));
        }
    };
    let mut stacks = match started {
        Ok(stacks) => stacks,
        Err(error) => {
            // If nothing was started there are no logs to keep.
            remove(&dir, kept || error.exit_code() != 2);
            return Err(error);
        }
    };
    let code = command(&run, &dir, &mut stacks, &mut signals).await;
    tokio::select! {
        () = stacks.stop() => (),
        signal = signals.next() => eprintln!("stack: {signal}: killing all services"),
    }
    let code = code?;
    if code == 0 {
        remove(&dir, kept);
    } else {
        match run.shards {
            1 => println!("Logs: {}", dir.join("logs").display()),
            _ => println!("Logs of all stacks: {}", dir.display()),
        }
    }
    Ok(code)
}

/// Runs the command until it ends. A signal is passed on to it once, so that it can print its results.
async fn command(run: &Run, dir: &Path, stacks: &mut Shards, signals: &mut Signals) -> Result<u8, Error> {
    let described = dir.join("stacks.json");
    std::fs::write(&described, format!("{:#}\n", stacks.description()))
        .map_err(Error::io(format!("writing {}", described.display())))?;
    let first = &stacks.stacks[0]; // there is at least one
    let (name, args) = run
        .command
        .split_first()
        .ok_or_else(|| Error::Usage("no command given: add it after `--`".to_owned()))?;
    // A separate process group, so that Ctrl-C reaches it only once, through this process.
    let mut command = Command::new(name);
    command
        .args(args)
        .env("TARGET_URL", first.url("api"))
        .env("ADMIN_URL", format!("http://127.0.0.1:{}", first.settings().ports.api_admin))
        .env("PROMETHEUS_URL", first.url("prometheus"))
        .env("ALERTMANAGER_URL", first.url("alertmanager"))
        .env("INBOX_URL", first.url("inbox"))
        .env("STACKS_FILE", &described)
        .env("TIME_SCALE", run.scale.to_string())
        .process_group(0)
        .kill_on_drop(true);
    process::die_with_parent(&mut command);
    let mut child = command
        .spawn()
        .map_err(|error| Error::Usage(format!("cannot start the command `{name}`: {error}")))?;
    let pid = child.id().map(u32::cast_signed);
    let mut forwarded: Option<Signal> = None;
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(Error::io("waiting for the command"))?;
                return Ok(forwarded.map_or_else(|| code(status), exit_code));
            }
            signal = signals.next() => {
                if let Some(pid) = pid {
                    // The child has not been reaped, so the pid is still its own.
                    let _ = kill(Pid::from_raw(pid), signal);
                }
                if forwarded.replace(signal).is_some() {
                    return end(child, signal).await;
                }
            }
            () = stacks.tend() => {}
            () = tokio::time::sleep(GRACE), if forwarded.is_some() => {
                return end(child, forwarded.unwrap_or(Signal::SIGTERM)).await;
            }
        }
    }
}

async fn end(mut child: Child, signal: Signal) -> Result<u8, Error> {
    let _ = tokio::time::timeout(Duration::from_secs(2), child.wait()).await;
    child.kill().await.map_err(Error::io("killing the command"))?;
    Ok(exit_code(signal))
}

fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(1),
        (None, Some(signal)) => u8::try_from(128 + signal).unwrap_or(1),
        (None, None) => 1,
    }
}

fn remove(dir: &Path, kept: bool) {
    if !kept && let Err(error) = std::fs::remove_dir_all(dir) {
        eprintln!("stack: cannot remove {}: {error}", dir.display());
    }
}
