//! `make bench`: CPU cost and timing of the generator, compared with wrk, hey, ab and oha if they are on the PATH. The
//! server and the generator are pinned to separate cores.
//!
//! It prints a Markdown table. Missed targets do not change the exit code, as a busy machine may miss them.

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

/// CPU cost and timing of the generator, compared with other tools
#[derive(Debug, Parser)]
#[command(name = "make bench")]
struct Args {
    /// The parts to run [default: all]
    parts: Vec<Part>,
    /// Rounds of the closed-loop comparison
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds per tool and round
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// CPU per request, requests per second
    Closed,
    /// 10,000/s for a minute: memory, rate and lag
    Rate,
    /// 1,000/s: overhead of the generator in response times
    Noise,
    /// A server that freezes 1 s in every 10
    Freeze,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // `cargo test --benches` runs without the flag and must not take minutes.
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
