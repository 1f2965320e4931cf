//! `stack service VERB NAME`: stops, starts, pauses or signals one service of a running stack.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::which::Which;
use crate::{control, error::Error, state::State};

/// Arguments of `stack service`. The verbs are those of `docker`.
#[derive(Debug, Args)]
pub struct Service {
    #[command(flatten)]
    which: Which,
    /// Folder of the stack, such as the DIR of `stack run --dir`
    #[arg(long, value_name = "DIR", conflicts_with = "port_offset")]
    dir: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Stop the service gracefully
    Stop(Name),
    /// Start the service and wait until it responds
    Start(Name),
    /// Pause the service's process
    Pause(Name),
    /// Resume the service's process
    Unpause(Name),
    /// Restart the service and wait until it responds
    Restart(Name),
    /// Send the service a signal
    Kill {
        /// Signal to send, such as HUP
        #[arg(short, long, default_value = "KILL")]
        signal: String,
        #[command(flatten)]
        name: Name,
    },
}

#[derive(Debug, Args)]
struct Name {
    /// Name of the service, as shown by `stack status`
    name: String,
}

pub(super) async fn main(service: &Service) -> Result<u8, Error> {
    let dir = service.dir.clone().map_or_else(|| service.which.dir(), Ok)?;
    let state = State::read(&dir)?.filter(|state| state.supervisor.alive());
    let state = state.ok_or_else(|| Error::Usage(format!("no stack is running in {}", dir.display())))?;
    let line = match &service.verb {
        Verb::Stop(it) => format!("stop {}", it.name),
        Verb::Start(it) => format!("start {}", it.name),
        Verb::Pause(it) => format!("pause {}", it.name),
        Verb::Unpause(it) => format!("unpause {}", it.name),
        Verb::Restart(it) => format!("restart {}", it.name),
        Verb::Kill { signal, name } => format!("kill {signal} {}", name.name),
    };
    control::order(&state.control, &line).await.map(|()| 0)
}
