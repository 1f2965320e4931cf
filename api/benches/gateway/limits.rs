//! Limits: outages, the cost of a cached refusal, and a million clients.

use crate::{
    crowd,
    machine::Machine,
    memory::mebibytes,
    outages,
    server::{Server, Settings},
    spread::count,
    table::Table,
};
use anyhow::Context;
use std::{path::Path, time::Instant};
use testkit::Redis;

/// Different addresses.
const CROWD: u32 = 1_000_000;
/// Requests of one client that is over its limit.
const REFUSALS: u32 = 20_000;
/// The built-in policies.
const BUILT_IN: &str = "[[policy]]\nname = \"default\"\nlimit = \"100/s\"\nburst = 200\n";
/// Balances that last a day, so that no memory becomes free again.
const LONG_LIVED: &str = "[[policy]]\nname = \"default\"\nlimit = \"1/d\"\nburst = 200\n";

pub async fn measure(machine: &Machine, dir: &Path, table: &mut Table) -> anyhow::Result<()> {
    outages::measure(machine, dir, table).await.context("outages")?;
    refusals(machine, dir, table).await.context("refusals")?;
    for (name, policies, shared) in [
        ("limits in memory", BUILT_IN, false),
        ("limits in memory, long-lived balances", LONG_LIVED, false),
        ("Redis limits", BUILT_IN, true),
    ] {
        crowd(name, policies, shared, machine, dir, table).await.context(name)?;
    }
    Ok(())
}

/// One client far over its limit: Redis decides once.
async fn refusals(machine: &Machine, dir: &Path, table: &mut Table) -> anyhow::Result<()> {
    let redis = Redis::start().await?;
    let (url, database) = (redis.url(), dir.join("refusals.db"));
    let policies = "[[policy]]\nname = \"default\"\nlimit = \"1/d\"\nburst = 5\n";
    let settings = Settings { policies, ..Settings::roomy(&url, &database) };
    let server = Server::gateway("refusals", &settings, machine, dir).await?;
    let client = reqwest::Client::new();
    let status = async || anyhow::Ok(client.get(server.base()).send().await?.status().as_u16());
    while status().await? != 429 {}
    let (before, cpu, started) = (commands(&redis).await?, server.cpu_seconds()?, Instant::now());
    let mut refused = 0;
    for _ in 0..REFUSALS {
        refused += u32::from(status().await? == 429);
    }
    let micros = (server.cpu_seconds()? - cpu) * 1e6 / f64::from(REFUSALS);
    // The background task: two scripts per heartbeat, and a probe after a failure.
    let background = 2.0 * (started.elapsed().as_secs_f64() + 1.0);
    let more = (commands(&redis).await? - before) as f64;
    table.at_most(
        "Redis commands for a cached refusal",
        format!(
            "{more:.0} for {} refusals, {background:.0} of them heartbeats; {micros:.1} µs of CPU each",
            count(refused.into())
        ),
        ((more - background) / f64::from(REFUSALS)).max(0.0),
        0.0,
        "",
    );
    server.stop().await;
    Ok(())
}

/// Number of scripts that Redis has run.
async fn commands(redis: &Redis) -> anyhow::Result<u64> {
    let stats = redis.command(&["INFO", "commandstats"]).await?;
    let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    Ok(calls.and_then(|rest| rest.split(',').next()).context("no EVALSHA in commandstats")?.parse()?)
}

/// One request from each of a million addresses.
async fn crowd(
    name: &str,
    policies: &str,
    shared: bool,
    machine: &Machine,
    dir: &Path,
    table: &mut Table,
) -> anyhow::Result<()> {
    let redis = Redis::start().await?;
    let (url, database) = (if shared { redis.url() } else { String::new() }, dir.join("crowd.db"));
    let settings = Settings { policies, trusted_proxies: "127.0.0.1", ..Settings::roomy(&url, &database) };
    let server = Server::gateway("crowd", &settings, machine, dir).await?;
    // Connections, pools and buffers grow to their size first.
    crowd::send(server.base(), 1000).await?;
    let (before, redis_before) = (server.resident_bytes()?, used_memory(&redis).await?);
    let decisions = crowd::send(server.base(), CROWD).await?;
    let after = server.resident_bytes()?;
    let mut measured = format!(
        "{:.1} MiB before, {:.1} MiB after; {} admitted, {} refused in {:.0} s",
        mebibytes(before),
        mebibytes(after),
        count(decisions.admitted as f64),
        count(decisions.refused as f64),
        decisions.seconds
    );
    if shared {
        let redis_after = used_memory(&redis).await?;
        measured += &format!("; Redis {:.1} MiB, {:.1} MiB", mebibytes(redis_before), mebibytes(redis_after));
    }
    let what = format!("Memory, one request from each of {} addresses, {name}", count(CROWD.into()));
    table.reference(&what, measured);
    server.stop().await;
    Ok(())
}

async fn used_memory(redis: &Redis) -> anyhow::Result<u64> {
    let info = redis.command(&["INFO", "memory"]).await?;
    let used = info.lines().find_map(|line| line.trim().strip_prefix("used_memory:"));
    Ok(used.context("used_memory")?.parse()?)
}
