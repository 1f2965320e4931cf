//! The `loadgen` binary: each subcommand lives beside what it commands.

mod channels;
mod coverage;
mod discreet;
mod drill;
mod http_args;
mod inbox;
mod patterns;
mod report;
mod run;
mod scale;

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
    Run(Box<run::args::Args>),
    /// List the built-in patterns of load, each with a picture of its rate
    Patterns(patterns::Args),
    /// Show, merge and convert reports of runs
    Report(report::Args),
    /// Cause alerts for real and prove the whole chain, down to the receiver
    Drill(Box<drill::args::Args>),
    /// Show which alerts have a drill, a unit test and a runbook, and when each was last proven
    Coverage(coverage::Args),
    /// Stand in for the receivers of notifications and show what arrived
    Inbox(inbox::Args),
    /// Render Prometheus and Alertmanager files with every duration divided
    Scale(scale::Args),
    /// Lead the channels of notifications that are set up outside, the others to the inbox
    Channels(channels::Args),
}

fn main() -> ExitCode {
    let code = match Cli::parse().command {
        Command::Run(args) => run::command::main(*args),
        Command::Patterns(args) => patterns::main(&args),
        Command::Report(args) => report::main(&args),
        Command::Drill(args) => drill::command::main(*args),
        Command::Coverage(args) => coverage::main(args),
        Command::Inbox(args) => inbox::main(args),
        Command::Scale(args) => scale::main(args),
        Command::Channels(args) => channels::main(args),
    };
    ExitCode::from(code)
}
