//! The `loadgen` binary, with one module per subcommand.

mod channels;
mod check;
mod completions;
mod coverage;
mod discreet;
mod drill;
mod http_args;
mod inbox;
mod patterns;
mod report;
mod routes;
mod run;
mod scale;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sends load on a fixed schedule, and proves that alerts fire, arrive and resolve.
#[derive(Parser)]
#[command(name = "loadgen", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Send load and report the latency that users experience
    Run(Box<run::args::Args>),
    /// List the built-in load patterns, each with a sparkline of its rate
    Patterns(patterns::Args),
    /// Show, merge and convert reports of runs
    Report(report::Args),
    /// Trigger real alerts and prove that they fire, reach the receivers and resolve
    Drill(Box<drill::args::Args>),
    /// Check drill, suite, scenario and assertion files without a stack
    Check(check::Args),
    /// Show which alerts have a drill, a unit test and a runbook, and when they were last proven
    Coverage(coverage::Args),
    /// Show who is notified of an alert by Alertmanager's configuration, or check assertions on it
    Routes(Box<routes::command::Args>),
    /// Receive notifications in place of the real services and show them
    Inbox(inbox::Args),
    /// Render Prometheus and Alertmanager files with every duration divided
    Scale(scale::Args),
    /// Route configured channels to the real services and the others to the inbox
    Channels(channels::Args),
    /// Print completions for a shell
    Completions(completions::Args),
}

fn main() -> ExitCode {
    let code = match Cli::parse().command {
        Command::Run(args) => run::command::main(*args),
        Command::Patterns(args) => patterns::main(&args),
        Command::Report(args) => report::main(&args),
        Command::Drill(args) => drill::command::main(*args),
        Command::Check(args) => check::main(&args),
        Command::Coverage(args) => coverage::main(args),
        Command::Routes(args) => routes::command::main(*args),
        Command::Inbox(args) => inbox::main(args),
        Command::Scale(args) => scale::main(args),
        Command::Channels(args) => channels::main(args),
        Command::Completions(args) => completions::main::<Cli>(&args),
    };
    ExitCode::from(code)
}
