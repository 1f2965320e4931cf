//! Memory over many requests: it may change at first, and must not grow.

use crate::{
    Args,
    machine::Machine,
    server::{Load, Server, Settings},
    spread::count,
    table::Table,
};
use std::path::Path;

/// Number of parts of the load.
const PARTS: u64 = 4;
/// Accepted growth, as a share of the memory after warming up.
const SLACK_PERCENT: f64 = 5.0;

pub async fn measure(args: &Args, machine: &Machine, dir: &Path, table: &mut Table) -> anyhow::Result<()> {
    let database = dir.join("memory.db");
    let settings = Settings::roomy("", &database);
    let server = Server::gateway("memory", &settings, machine, dir).await?;
    server.user().await?;
    // Connections, pools and buffers grow to their size in the first tenth.
    server.load(&Load::Requests(args.requests / 10), dir).await?;
    let first = server.resident_bytes()?;
    let mut last = first;
    for _ in 0..PARTS {
        server.load(&Load::Requests(args.requests / PARTS), dir).await?;
        last = server.resident_bytes()?;
        eprintln!("memory: {:.1} MiB", mebibytes(last));
    }
    let grown = (last as f64 / first as f64 - 1.0) * 100.0;
    let what = format!("Memory before and after {} requests", count(args.requests as f64));
    let measured = format!("{:.1} MiB, {:.1} MiB: {grown:+.1} %", mebibytes(first), mebibytes(last));
    table.at_most(&what, measured, grown, SLACK_PERCENT, " %");
    server.stop().await;
    Ok(())
}

pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
