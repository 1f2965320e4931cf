//! Failures of Redis of every kind during a steady load.

use crate::{
    machine::Machine,
    server::{Server, Settings},
    spread::{Spread, count},
    table::Table,
};
use anyhow::ensure;
use serde_json::Value;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use testkit::{Redis, RedisProxy, RedisSentinel};
use tokio::{sync::Mutex, time::sleep};

/// Number of rounds: a machine that stalls for 10 ms spoils the worst second of one run.
const ROUNDS: usize = 5;
/// Requests per second.
const RATE: u32 = 2000;
/// The default of REDIS_DEADLINE.
const DEADLINE_MS: f64 = 10.0;
/// Steady load before the fault, and after Redis is back.
const AROUND: Duration = Duration::from_secs(2);
/// Timeout for the gateway to notice.
const PATIENCE: Duration = Duration::from_secs(20);

/// What clients saw, and when the gateway noticed.
struct Seen {
    responses: u64,
    failed: u64,
    /// p99 of the worst second in milliseconds.
    p99: f64,
    longest: f64,
    /// Whether the generator kept its schedule; otherwise its own delays are included.
    valid: bool,
    /// Milliseconds from the fault until `/health` reports it.
    opened: Option<f64>,
    /// Milliseconds from the recovery of Redis until `/health` reports it.
    recovered: Option<f64>,
}

/// A figure of a run whose fault was noticed.
type Figure = fn(&Seen) -> Option<f64>;

/// Every fault in turn, in several rounds.
pub async fn measure(machine: &Machine, dir: &Path, table: &mut Table) -> anyhow::Result<()> {
    let mut faults: Vec<(&str, Vec<Seen>)> = Vec::new();
    for number in 0..ROUNDS {
        // Every round has its own databases.
        let dir = dir.join(format!("outages-{number}"));
        std::fs::create_dir(&dir)?;
        for (what, seen) in round(machine, &dir).await? {
            match faults.iter_mut().find(|(known, _)| *known == what) {
                Some((_, all)) => all.push(seen),
                None => faults.push((what, vec![seen])),
            }
        }
    }
    for (what, all) in &faults {
        tell(table, what, all);
    }
    let all = || faults.iter().flat_map(|(_, all)| all);
    let (responses, failed): (u64, u64) = (all().map(|s| s.responses).sum(), all().map(|s| s.failed).sum());
    let measured = format!("{failed} of {}", count(responses as f64));
    table.at_most("Responses other than 200 in all of these", measured, failed as f64, 0.0, "");
    Ok(())
}

/// Every fault once.
async fn round(machine: &Machine, dir: &Path) -> anyhow::Result<Vec<(&'static str, Seen)>> {
    let redis = Redis::start().await?;
    let proxy = RedisProxy::start(redis.port()).await?;
    let gateway = gateway("outages", &redis.url(), machine, dir).await?;
    let delayed = self::gateway("delayed", &proxy.url(), machine, dir).await?;
    let redis = Mutex::new(redis);
    let command = async |command: &[&str]| {
        redis.lock().await.command(command).await?;
        now()
    };
    let quiet = async || now();
    let short = Duration::from_secs(3);
    let mut all = Vec::new();
    let mut tell = |what: &'static str, seen: Seen| all.push((what, seen));

    tell("no failure, for comparison", run(&gateway, dir, short, false, quiet, quiet).await?);
    let stop = async || {
        redis.lock().await.pause();
        now()
    };
    let go_on = async || {
        redis.lock().await.resume();
        now()
    };
    tell("SIGSTOP for 10 s", run(&gateway, dir, Duration::from_secs(10), true, stop, go_on).await?);
    let kill = async || {
        redis.lock().await.kill().await;
        now()
    };
    let restart = async || {
        redis.lock().await.restart().await?;
        now()
    };
    tell("SIGKILL, started again after 3 s", run(&gateway, dir, short, true, kill, restart).await?);
    let scripts = async || command(&["SCRIPT", "FLUSH"]).await;
    tell("SCRIPT FLUSH", run(&gateway, dir, short, false, scripts, quiet).await?);
    let keys = async || command(&["FLUSHALL"]).await;
    tell("FLUSHALL", run(&gateway, dir, short, false, keys, quiet).await?);
    let replica = async || command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    let primary = async || command(&["REPLICAOF", "NO", "ONE"]).await;
    tell("read-only replica for 3 s", run(&gateway, dir, short, true, replica, primary).await?);
    let full = async || command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let free = async || command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    tell("`maxmemory` reached for 3 s", run(&gateway, dir, short, true, full, free).await?);
    let slow = async || {
        proxy.delay(Duration::from_millis(50));
        now()
    };
    let quick = async || {
        proxy.delay(Duration::ZERO);
        now()
    };
    tell("a proxy that adds 50 ms for 3 s", run(&delayed, dir, short, true, slow, quick).await?);
    gateway.stop().await;
    delayed.stop().await;

    let sentinel = RedisSentinel::start().await?;
    let gateway = self::gateway("sentinel", &sentinel.url(), machine, dir).await?;
    let sentinel = Mutex::new(sentinel);
    let kill = async || {
        sentinel.lock().await.first().kill().await;
        now()
    };
    let over = async || {
        sentinel.lock().await.failed_over().await?;
        now()
    };
    tell("Sentinel failover after SIGKILL", run(&gateway, dir, short, true, kill, over).await?);
    gateway.stop().await;
    Ok(all)
}

async fn gateway(name: &str, redis_url: &str, machine: &Machine, dir: &Path) -> anyhow::Result<Server> {
    let database = dir.join(format!("{name}.db"));
    let server = Server::gateway(name, &Settings::roomy(redis_url, &database), machine, dir).await?;
    server.user().await?;
    Ok(server)
}

/// The moment something was done.
fn now() -> anyhow::Result<Instant> {
    Ok(Instant::now())
}

fn tell(table: &mut Table, what: &str, all: &[Seen]) {
    let p99 = Spread::of(all.iter().map(|seen| seen.p99));
    let held_up = all.iter().filter(|seen| !seen.valid).count();
    let measured = format!(
        "{} ms, longest {:.1} ms{}",
        p99.text(1),
        all.iter().map(|seen| seen.longest).fold(0.0, f64::max),
        if held_up > 0 {
            format!(" (the generator was behind its schedule in {held_up})")
        } else {
            String::new()
        },
    );
    let name = format!("{RATE} requests/s, {what}: p99 of the worst second");
    table.at_most(&name, measured, p99.median, DEADLINE_MS + 5.0, " ms");
    // The first failures follow one deadline after the fault.
    let bars: [(&str, f64, Figure); 2] = [
        ("breaker open", DEADLINE_MS + 50.0, |seen: &Seen| seen.opened),
        ("recovery", 1000.0, |seen: &Seen| seen.recovered),
    ];
    for (figure, bar, of) in bars {
        let values: Vec<f64> = all.iter().filter_map(of).collect();
        if !values.is_empty() {
            let spread = Spread::of(values);
            let name = format!("{what}: {figure}");
            table.at_most(&name, format!("{} ms", spread.text(0)), spread.median, bar, " ms");
        }
    }
}

/// Loads a gateway with a fault of this duration in the middle. `outage`: the gateway must notice it.
async fn run(
    gateway: &Server,
    dir: &Path,
    duration: Duration,
    outage: bool,
    begin: impl AsyncFnOnce() -> anyhow::Result<Instant>,
    end: impl AsyncFnOnce() -> anyhow::Result<Instant>,
) -> anyhow::Result<Seen> {
    let fault = async {
        sleep(AROUND).await;
        let begun = begin().await?;
        let opened = if outage { Some(since(begun, gateway, "degraded").await?) } else { None };
        sleep(duration.saturating_sub(begun.elapsed())).await;
        let ended = end().await?;
        let recovered = if outage { Some(since(ended, gateway, "ok").await?) } else { None };
        sleep(AROUND).await;
        anyhow::Ok((opened, recovered))
    };
    // The load ends by itself, after the fault.
    let seconds = (2 * AROUND + duration).as_secs() as u32 + if outage { 2 } else { 0 };
    let (report, noticed) = tokio::join!(gateway.steady(RATE, seconds, dir), fault);
    let ((opened, recovered), report) = (noticed?, report?);
    let responses: u64 =
        report["statuses"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
    let good = report["statuses"]["200"].as_u64().unwrap_or(0);
    ensure!(responses > 0, "no responses: {report}");
    let worst = report["series"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|second| milliseconds(&second["response_p99_seconds"]));
    let lost = report["ledger"]["transport_errors"].as_u64().unwrap_or(0);
    Ok(Seen {
        responses,
        failed: responses - good + lost,
        p99: worst.fold(0.0, f64::max),
        longest: milliseconds(&report["latency_seconds"]["response"]["max"]),
        valid: report["valid"] == true,
        opened,
        recovered,
    })
}

/// Milliseconds from an instant until `/health` reports this status.
async fn since(moment: Instant, gateway: &Server, status: &str) -> anyhow::Result<f64> {
    let (client, url) = (reqwest::Client::new(), format!("{}/health", gateway.base()));
    loop {
        let health: Value = client.get(&url).send().await?.json().await?;
        if health["status"] == status {
            return Ok(moment.elapsed().as_secs_f64() * 1000.0);
        }
        ensure!(moment.elapsed() < PATIENCE, "{url} never reports {status}");
        sleep(Duration::from_millis(2)).await;
    }
}

fn milliseconds(seconds: &Value) -> f64 {
    seconds.as_f64().unwrap_or(0.0) * 1000.0
}
