//! `stack status`: a table of the services.

use super::which::Which;
use crate::{error::Error, state::State};

/// Exit code 0 if every service runs, 1 if one does not or no stack was started.
pub(super) fn main(which: &Which) -> Result<u8, Error> {
    let dir = which.dir()?;
    let Some(state) = State::read(&dir)? else {
        println!("No stack is running in {}", dir.display());
        return Ok(1);
    };
    let mut all = state.supervisor.alive();
    if !all {
        println!("The supervisor (pid {}) has ended; clean up with `stack down`.", state.supervisor.pid);
    }
    println!("{:<15} {:<8} {:>8}  address", "service", "state", "pid");
    for service in &state.services {
        let alive = service.process.alive();
        all &= alive;
        let word = if alive { "running" } else { "ended" };
        println!("{:<15} {word:<8} {:>8}  {}", service.name, service.process.pid, service.address);
    }
    Ok(u8::from(!all))
}
