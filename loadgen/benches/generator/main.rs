//! `make bench`: what the generator costs and how well it keeps time, side by side in one run with whatever of wrk, hey, ab
//! and oha is on the PATH. The server is pinned to one core, the generator under measurement to another.
//!
//! It prints a table in Markdown and judges no figure by its exit code: on a busy machine a figure may miss its bar without
//! anything being wrong.

mod closed;
mod cores;
mod open;
mod server;
mod table;
mod tool;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use cores::Cores;
use table::Table;

/// What the generator costs and how well it keeps time, beside others
#[derive(Debug, Parser)]
#[command(name = "make bench")]
struct Args {
    /// The parts to run [default: all]
    parts: Vec<Part>,
    /// Rounds of the closed-loop comparison
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds of each tool in a round
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// CPU per request, requests per second
    Closed,
    /// 10,000/s for a minute: memory, rate, lag
    Rate,
    /// 1,000/s: the headline beside our own noise
    Noise,
    /// A server that freezes 1 s in every 10
    Freeze,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // `cargo test --benches` comes without the flag and wants no minutes of load; `make bench PARTS` of others names theirs.
    if !args.bench {
        println!("run by `make bench`");
        return ExitCode::SUCCESS;
    }
    match measure(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn measure(args: &Args) -> anyhow::Result<()> {
    let cores = std::sync::Arc::new(Cores::find());
    let wanted = |part| args.parts.is_empty() || args.parts.contains(&part);
    let mut table = Table::default();
    if wanted(Part::Closed) {
        closed::measure(args, &cores, &mut table).context("closed loop")?;
    }
    if wanted(Part::Rate) {
        open::rate(&cores, &mut table).context("rate")?;
    }
    if wanted(Part::Noise) {
        open::noise(&cores, &mut table).context("noise")?;
    }
    if wanted(Part::Freeze) {
        open::freeze(&cores, &mut table).context("freeze")?;
    }
    println!("\n{table}\n{}", cores.note());
    Ok(())
}
