//! `stack up`: runs in the foreground until Ctrl-C, or `--detach`ed.

use super::up_args::{Up, announce};
use super::{detach, signals};
use crate::{error::Error, render::GRAFANA_URL, stack::Stack, state::State, tokens};

pub(super) async fn main(up: Up) -> Result<u8, Error> {
    if up.detach { detach::main(&up).await } else { foreground(&up).await }
}

async fn foreground(up: &Up) -> Result<u8, Error> {
    let settings = up.which.settings(up.scale)?;
    let dir = settings.dir.clone();
    let grafana = tokens::setting(&settings, GRAFANA_URL);
    let mut signals = signals::Signals::catch(!up.background)?;
    println!("Starting the stack in {}", dir.display());
    let mut stack = tokio::select! {
        stack = Stack::start(settings, |line| println!("{line}")) => stack?,
        signal = signals.next() => {
            // Dropping the start has ended every process it had started.
            State::remove(&dir);
            eprintln!("stack: {signal} during the start; all services are stopped");
            return Ok(signals::exit_code(signal));
        }
    };
    announce(&stack.state(true), &dir, grafana.as_deref());
    if !up.background {
        println!("Stop it with Ctrl-C.");
    }
    let signal = tokio::select! {
        signal = signals.next() => signal,
        () = stack.tend(|line| println!("{line}")) => unreachable!("tending never ends"),
    };
    println!("{signal}: stopping");
    tokio::select! {
        () = stack.stop() => println!("All services are stopped."),
        second = signals.next() => {
            State::remove(&dir);
            println!("{second}: killing all services");
        }
    }
    Ok(0)
}
