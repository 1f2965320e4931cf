//! The command line: `up`, `down`, `status`, `service`, `run`, `mutate`.

use clap::{Parser, Subcommand};

pub mod detach;
pub mod down;
pub mod mutate;
pub mod run;
pub mod service;
pub mod shards;
pub mod signals;
pub mod status;
pub mod up;
pub mod up_args;
pub mod which;

/// Run the complete stack as local processes: Redis, gateway, exporters, Prometheus, Alertmanager, inbox
#[derive(Debug, Parser)]
#[command(name = "stack", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the stack, wait until it is ready, and stop it on Ctrl-C
    Up(up_args::Up),
    /// Stop a stack started with `up --detach`
    Down(which::Which),
    /// Show the services with their states, pids and addresses
    Status(which::Which),
    /// Stop, start, pause or signal one service of a running stack
    Service(service::Service),
    /// Start a separate stack, run a command against it, and stop it
    Run(run::Run),
    /// Break every rule and route in turn, and check that its drill notices
    Mutate(mutate::Mutate),
}

/// Runs the command and returns the exit code: 0 for success, 1 for a failure, 2 for an error that the caller can fix,
/// 130 and 143 for an interruption.
pub async fn main(cli: Cli) -> u8 {
    let result = match cli.command {
        Command::Up(up) => up::main(up).await,
        Command::Down(which) => down::main(&which).await,
        Command::Status(which) => status::main(&which),
        Command::Service(service) => service::main(&service).await,
        Command::Run(run) => run::main(run).await,
        Command::Mutate(mutate) => mutate::main(mutate).await,
    };
    result.unwrap_or_else(|error| {
        common::console::line(format_args!("stack: {error}"));
        error.exit_code()
    })
}
