//! `stack up`: in the foreground until Ctrl-C, or `--detach`ed.

use clap::Args;

use super::{Which, detach, signals};
use crate::state::State;
use crate::{Error, Stack};

/// Arguments of `stack up`.
#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    pub(super) which: Which,
    /// Divide every duration of the monitoring files by N; 1 keeps the production timings
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(super) scale: f64,
    /// Go to the background once everything is ready; `stack down` ends it
    #[arg(long)]
    detach: bool,
    /// This is the process in the background
    #[arg(long, hide = true)]
    background: bool,
}

pub(super) async fn main(up: Up) -> Result<u8, Error> {
    if up.detach { detach::main(&up).await } else { foreground(&up).await }
}

async fn foreground(up: &Up) -> Result<u8, Error> {
    let settings = up.which.settings(up.scale)?;
    let dir = settings.dir.clone();
    let mut signals = signals::Signals::catch(!up.background)?;
    println!("Starting the stack in {}", dir.display());
    let mut stack = tokio::select! {
        stack = Stack::start(settings, |line| println!("{line}")) => stack?,
        signal = signals.next() => {
            // The start was dropped, and with it every process it had started.
            State::remove(&dir);
            eprintln!("stack: {signal} while starting; everything is stopped");
            return Ok(signals::exit_code(signal));
        }
    };
    announce(&stack.state(true), &dir);
    if !up.background {
        println!("Ctrl-C stops it.");
    }
    let signal = tokio::select! {
        signal = signals.next() => signal,
        () = stack.tend(|line| println!("{line}")) => unreachable!("tending never ends"),
    };
    println!("{signal}: stopping");
    tokio::select! {
        () = stack.stop() => println!("Everything is stopped."),
        second = signals.next() => {
            State::remove(&dir);
            println!("{second} again: everything is killed");
        }
    }
    Ok(0)
}

/// Says where everything is.
pub(super) fn announce(state: &State, dir: &std::path::Path) {
    let scale = if state.scale > 1.0 { format!(" at time scale {}", state.scale) } else { String::new() };
    println!("The stack is ready{scale}:");
    for service in &state.services {
        println!("  {:<15} {}", service.name, service.address);
    }
    println!("  {:<15} {}", "logs", dir.join("logs").display());
}
