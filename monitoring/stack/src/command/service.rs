//! `stack service VERB NAME`: stops, starts, pauses or signals one service of a running stack.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::which::Which;
use crate::{control, error::Error, state::State};

/// Arguments of `stack service`; the verbs are those of `docker`.
#[derive(Debug, Args)]
pub struct Service {
    #[command(flatten)]
    which: Which,
    /// The folder of a stack that was given one, such as by `stack run --dir`
    #[arg(long, value_name = "DIR", conflicts_with = "port_offset")]
    dir: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// End it in order
    Stop(Name),
    /// Start it again; comes back once it answers
    Start(Name),
    /// Halt its process where it stands
    Pause(Name),
    /// Let it go on
    Unpause(Name),
    /// Stop and start it; comes back once it answers
    Restart(Name),
    /// Send it a signal
    Kill {
        /// Its name, such as HUP
        #[arg(short, long, default_value = "KILL")]
        signal: String,
        #[command(flatten)]
        name: Name,
    },
}

#[derive(Debug, Args)]
struct Name {
    /// As `stack status` shows it
    name: String,
}

pub(super) async fn main(service: &Service) -> Result<u8, Error> {
    let dir = service.dir.clone().map_or_else(|| service.which.dir(), Ok)?;
    let state = State::read(&dir)?.filter(|state| state.supervisor.alive());
    let state = state.ok_or_else(|| Error::Usage(format!("no stack is running from {}", dir.display())))?;
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
