//! `make bench`: what the gateway costs, side by side with what it is compared to, in one run and in alternation.
//!
//! * CPU per request of GET `/api/users/{id}` beside the floor, a bare actix-web server that answers the same bytes;
//! * memory over a million requests;
//! * durable writes per second beside one transaction per write;
//! * what idle connections cost, and that others are served meanwhile;
//! * limits: what clients see while Redis fails in every way, what a known refusal costs, and a million clients.
//!
//! It prints a table in Markdown, the one in docs/benchmarks.md, and judges no figure by its exit code: on a busy machine a
//! figure may miss its bar without anything being wrong.

mod connections;
mod cpu;
mod crowd;
mod floor;
mod limits;
mod machine;
mod memory;
mod outages;
mod server;
mod spread;
mod table;
mod writes;

use anyhow::Context;
use clap::Parser;
use machine::Machine;
use std::{net::SocketAddr, process::ExitCode};
use table::Table;

/// What the gateway costs, beside what it is compared to
#[derive(Debug, Parser)]
#[command(name = "make bench")]
struct Args {
    /// The parts to run: cpu, memory, writes, connections, limits [default: all]
    parts: Vec<Part>,
    /// Rounds of each comparison
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds each subject is measured in a round
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Requests of the memory figure
    #[arg(long, default_value = "1000000", value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    requests: u64,
    /// Idle connections, where the limit of open files lets them be
    #[arg(long, default_value = "100000", value_parser = clap::value_parser!(u64).range(1000..=1_000_000))]
    connections: u64,
    /// Serve as the floor on this address, answering the body on standard input
    #[arg(long, hide = true)]
    floor: Option<SocketAddr>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Cpu,
    Memory,
    Writes,
    Connections,
    Limits,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match args.floor {
        Some(address) => floor::serve(address),
        // `cargo test --benches` comes without the flag and wants no minutes of load.
        None if !args.bench => {
            println!("run by `make bench`");
            Ok(())
        }
        None => measure(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn measure(args: &Args) -> anyhow::Result<()> {
    let machine = Machine::find();
    machine.keep_off_the_servers_core();
    // On the build's own disk: a temporary folder may be memory, where a flush costs nothing.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("a folder for databases and logs")?;
    let wanted = |part| args.parts.is_empty() || args.parts.contains(&part);
    let mut table = Table::default();
    if wanted(Part::Cpu) {
        cpu::measure(args, &machine, dir.path(), &mut table).await.context("CPU per request")?;
    }
    if wanted(Part::Memory) {
        memory::measure(args, &machine, dir.path(), &mut table).await.context("memory")?;
    }
    if wanted(Part::Writes) {
        writes::measure(args, &machine, dir.path(), &mut table).await.context("durable writes")?;
    }
    if wanted(Part::Connections) {
        connections::measure(args, &machine, dir.path(), &mut table).await.context("idle connections")?;
    }
    if wanted(Part::Limits) {
        limits::measure(&machine, dir.path(), &mut table).await.context("limits")?;
    }
    println!("\n{table}\n{}", machine.note());
    Ok(())
}
