//! `stack down`: stops the supervisor, then makes sure that no service is left.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::which::Which;
use crate::error::Error;
use crate::state::{Identity, State};

/// The supervisor gives each of its services ten seconds.
const LIMIT: Duration = Duration::from_secs(75);

pub(super) async fn main(which: &Which) -> Result<u8, Error> {
    let dir = which.dir()?;
    let Some(state) = State::read(&dir)? else {
        println!("No stack is running in {}", dir.display());
        return Ok(0);
    };
    state.supervisor.signal(Signal::SIGTERM);
    if !gone(state.supervisor, LIMIT).await {
        eprintln!("stack: the supervisor (pid {}) did not stop; killing it", state.supervisor.pid);
        state.supervisor.signal(Signal::SIGKILL);
    }
    // Its services die with it. If the kernel does not do that, this does.
    for service in &state.services {
        if service.process.alive() && !gone(service.process, Duration::from_secs(2)).await {
            service.process.signal(Signal::SIGKILL);
            if !gone(service.process, Duration::from_secs(5)).await {
                eprintln!("stack: cannot kill {} (pid {})", service.name, service.process.pid);
                return Ok(1);
            }
        }
    }
    State::remove(&dir);
    println!("The stack is stopped.");
    Ok(0)
}

/// Waits until the process has ended; false if it still runs after `limit`.
pub(super) async fn gone(process: Identity, limit: Duration) -> bool {
    let started = Instant::now();
    while process.alive() {
        if started.elapsed() > limit {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    true
}
