//! The gateway under load while what it needs breaks: `make faults`.
//!
//! Without `SEED` each fault is applied on its own, and the result is a table for docs/operations/faults.md. With one, faults
//! are drawn from the same list every twenty seconds, and what must hold is asserted. Every write that was answered is read
//! again, and the gateway's counters are compared with what its clients saw.

mod client;
mod fault;
mod gateway;
mod load;
mod row;
mod world;

use anyhow::{Context, ensure};
use common::rng::Rng;
use fault::Fault;
use row::Row;
use std::time::{Duration, Instant};
use world::{Kind, World};

/// Requests each second.
const RATE: u32 = 200;
/// From the start of one drawn fault to the next.
const EVERY: Duration = Duration::from_secs(20);
/// Load before and after each fault.
const CALM: Duration = Duration::from_secs(2);
/// Most memory of the gateway, in bytes.
const MEMORY: u64 = 256 << 20;
/// How long after the last fault the gateway may be unhealthy.
const HEALTHY: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let lasts = Duration::from_secs(number("FAULTS_SECONDS")?.unwrap_or(5).max(1));
    match number("SEED")? {
        Some(seed) => {
            let minutes = number("MINUTES")?.unwrap_or(3).max(1);
            for kind in Kind::ALL {
                drawn(kind, seed, Duration::from_secs(60 * minutes)).await?;
            }
            Ok(())
        }
        None => one_by_one(lasts).await,
    }
}

/// An environment variable; an empty one counts as unset.
fn number(name: &str) -> anyhow::Result<Option<u64>> {
    let text = std::env::var(name).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(text.parse().with_context(|| format!("{name}={text}: expected a whole number"))?))
}

async fn one_by_one(lasts: Duration) -> anyhow::Result<()> {
    println!("{}", Row::HEAD);
    let mut bad = Vec::new();
    for kind in Kind::ALL {
        let mut world = World::start(kind).await?;
        for fault in Fault::of(kind) {
            let row = alone(&mut world, fault, lasts).await.with_context(|| format!("{kind}: {fault}"))?;
            println!("{row}");
            if !row.is_good() {
                bad.push(format!("{kind}: {fault}"));
            }
        }
    }
    ensure!(
        bad.is_empty(),
        "writes lost, counted wrongly, too much memory or not recovered: {}",
        bad.join("; ")
    );
    Ok(())
}

/// One fault with its own load.
async fn alone(world: &mut World, fault: Fault, lasts: Duration) -> anyhow::Result<Row> {
    let before = world.counted().await?;
    let incarnation = world.gateway.incarnation();
    world.gateway.forget_peak()?;
    let load = load::Load::start(world.gateway.shared(), RATE);
    tokio::time::sleep(CALM).await;
    let begun = Instant::now();
    world.apply(fault, lasts).await?;
    let recovered = world.recovers().await;
    let ended = Instant::now();
    tokio::time::sleep(CALM).await;
    let seen = load.stop().await;
    let peak = world.gateway.peak();
    let lost = world.lost(&seen.written).await?;
    let same = world.gateway.incarnation() == incarnation;
    let before = if same { before } else { world::Counted::default() };
    let wrong = seen.disagreement(world.gateway.incarnation(), &before, &world.counted().await?);
    Ok(Row::new(world.kind, fault, &seen.between(begun, ended), lost, wrong, recovered, peak))
}

/// Faults drawn by a seed, under one load.
async fn drawn(kind: Kind, seed: u64, lasts: Duration) -> anyhow::Result<()> {
    println!("{kind}: seed {seed}, {} minutes, a fault every {EVERY:?}", lasts.as_secs() / 60);
    let mut rng = Rng::new(seed);
    let mut world = World::start(kind).await?;
    let before = world.counted().await?;
    let first = world.gateway.incarnation();
    world.gateway.forget_peak()?;
    let load = load::Load::start(world.gateway.shared(), RATE);
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    while begun.elapsed() + EVERY <= lasts {
        let next = Instant::now() + EVERY;
        let faults = Fault::of(kind);
        let fault = faults[rng.below(faults.len() as u64) as usize];
        let takes = Duration::from_secs(2 + rng.below(9));
        println!("{:>5} s  {fault}, for {takes:?}", begun.elapsed().as_secs());
        world.apply(fault, takes).await.with_context(|| fault.to_string())?;
        let recovered = world.recovers().await.with_context(|| format!("not healthy after: {fault}"))?;
        ensure!(recovered <= HEALTHY, "healthy {recovered:?} after: {fault}");
        slowest = slowest.max(recovered);
        tokio::time::sleep_until(next.into()).await;
    }
    let seen = load.stop().await;
    let lost = world.lost(&seen.written).await?;
    let same = world.gateway.incarnation() == first;
    let before = if same { before } else { world::Counted::default() };
    let wrong = seen.disagreement(world.gateway.incarnation(), &before, &world.counted().await?);
    let peak = world.gateway.peak();
    println!(
        "       {} requests, {} writes answered, {lost} lost; {} 5xx, {} without a response; healthy within {slowest:?}; {} MiB",
        seen.requests(),
        seen.written.len(),
        seen.server_errors(),
        seen.unanswered(),
        peak >> 20,
    );
    ensure!(lost == 0, "{lost} answered writes are lost");
    ensure!(wrong.is_none(), "http_requests_total is wrong: {}", wrong.unwrap_or_default());
    ensure!(peak < MEMORY, "{peak} bytes of memory");
    Ok(())
}
