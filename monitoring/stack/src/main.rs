//! The `stack` binary.

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    ExitCode::from(stack::command::main(stack::command::Cli::parse()).await)
}
