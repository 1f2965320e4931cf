//! The `loadgen` binary: each subcommand lives beside what it commands.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sends load on an honest schedule and proves that alerts fire, arrive and resolve.
#[derive(Parser)]
#[command(name = "loadgen", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Send load and report what a user would have felt
    Run(Box<loadgen::run::cli::Args>),
    /// List the built-in patterns of load, each with a picture of its rate
    Patterns(loadgen::run::listing::Args),
    /// Show, merge and convert reports of runs
    Report(loadgen::run::review::Args),
    /// Cause alerts for real and prove the whole chain, down to the receiver
    Drill(Box<loadgen::drill::cli::Args>),
    /// Show which alerts have a drill, a unit test and a runbook, and when each was last proven
    Coverage(loadgen::coverage::cli::Args),
    /// Stand in for the receivers of notifications and show what arrived
    Inbox(loadgen::inbox::cli::Args),
    /// Render Prometheus and Alertmanager files with every duration divided
    Scale(loadgen::scale::cli::Args),
    /// Lead the channels of notifications that are set up outside, the others to the inbox
    Channels(loadgen::channels::cli::Args),
}

fn main() -> ExitCode {
    let code = match Cli::parse().command {
        Command::Run(args) => loadgen::run::cli::main(*args),
        Command::Patterns(args) => loadgen::run::listing::main(&args),
        Command::Report(args) => loadgen::run::review::main(&args),
        Command::Drill(args) => loadgen::drill::cli::main(*args),
        Command::Coverage(args) => loadgen::coverage::cli::main(args),
        Command::Inbox(args) => loadgen::inbox::cli::main(args),
        Command::Scale(args) => loadgen::scale::cli::main(args),
        Command::Channels(args) => loadgen::channels::cli::main(args),
    };
    ExitCode::from(code)
}
