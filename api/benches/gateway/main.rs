//! `make bench`: measures the cost of the gateway and of what it is compared to, alternating in one run.
//!
//! * CPU per request of GET `/api/users/{id}`, compared to the floor, a bare actix-web server with the same response;
//! * memory over a million requests;
//! * durable writes per second, compared to one transaction per write;
//! * the memory of idle connections, and whether other clients are served;
//! * limits: what clients see while Redis fails in every way, the cost of a cached refusal, and a million clients.
//!
//! It prints the Markdown table of docs/benchmarks.md. The exit code does not depend on the figures: on a busy machine
//! a figure may miss its bar without a regression.

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

/// Measure the cost of the gateway and of what it is compared to
#[derive(Debug, Parser)]
#[command(name = "make bench")]
struct Args {
    /// Parts to run: cpu, memory, writes, connections, limits [default: all]
    parts: Vec<Part>,
    /// Rounds of each comparison
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds to measure each server in a round
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Number of requests of the memory figure
    #[arg(long, default_value = "1000000", value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    requests: u64,
    /// Number of idle connections, if the limit of open files allows it
    #[arg(long, default_value = "100000", value_parser = clap::value_parser!(u64).range(1000..=1_000_000))]
    connections: u64,
    /// Serve as the floor on this address, responding with the body from standard input
    #[arg(long, hide = true)]
    floor: Option<SocketAddr>,
    /// Passed by `cargo bench`
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
        // `cargo test --benches` runs without the flag and must not take minutes.
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
    // On the disk of the build: a temporary folder may be in memory, where a flush costs nothing.
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
