//! Open loop: accuracy of the rate and of the measured latencies.

use std::sync::Arc;
use std::time::Duration;

use load::report::model::Report;
use load::report::read;

use crate::cores::Cores;
use crate::server::{EVERY, FREEZE, Server};
use crate::table::Table;
use crate::tool::{self, Cost};

fn play(cores: &Cores, server: &Server, rate: u32, seconds: u32) -> anyhow::Result<(Report, Cost)> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("run.json");
    let mut command = cores.generator(env!("CARGO_BIN_EXE_loadgen"));
    command.args(["run", &server.url(), "-q", &rate.to_string(), "-z", &format!("{seconds}s")]);
    command.args(["--threads", "1", "--no-tui", "--out"]).arg(&out);
    let limit = Duration::from_secs(u64::from(seconds)) + Duration::from_secs(60);
    let cost = tool::run(command, limit, &[0, 1, 4])?;
    Ok((read::read(&out).map_err(anyhow::Error::msg)?, cost))
}

fn millis(seconds: Option<f64>) -> f64 {
    seconds.unwrap_or(f64::NAN) * 1e3
}

/// Duration of the memory measurement.
const MINUTE: u32 = 60;

/// 10,000/s for a minute, also for the other tools if they support a rate.
pub fn rate(cores: &Arc<Cores>, table: &mut Table) -> anyhow::Result<()> {
    let server = Server::start(cores, false)?;
    for name in tool::others() {
        let before = server.served();
        let (what, arguments) = match tool::paced(name, &server.url(), MINUTE) {
            Some(arguments) => ("10,000/s", arguments),
            None => ("closed loop (no rate option)", tool::arguments(name, &server.url(), MINUTE)),
        };
        let mut command = cores.generator(name);
        command.args(arguments);
        let cost = tool::run(command, Duration::from_secs(u64::from(MINUTE) + 60), &[0])?;
        let rate = (server.served() - before) as f64 / f64::from(MINUTE);
        let micros = cost.cpu_seconds * 1e6 / (server.served() - before).max(1) as f64;
        let text = format!("{:.1} MiB, {rate:.1}/s, {micros:.1} µs CPU per request", cost.mebibytes);
        table.reference(&format!("{what} for a minute: {name}"), &text);
    }
    let (report, cost) = play(cores, &server, 10_000, MINUTE)?;
    let micros = cost.cpu_seconds * 1e6 / report.sent.max(1) as f64;
    table.reference("10,000/s for a minute: loadgen", &format!("{micros:.1} µs CPU per request"));
    let text = format!("{:.1} MiB", cost.mebibytes);
    table.bar("memory after 60 s at 10,000/s", &text, "≤ 32 MiB", cost.mebibytes <= 32.0);
    let off = (report.achieved_rate / 10_000.0 - 1.0) * 100.0;
    let text = format!("{:.1}/s, {off:+.3} %", report.achieved_rate);
    table.bar("rate at 10,000/s", &text, "within 0.1 %", off.abs() <= 0.1);
    let lag = millis(report.latency_seconds.pacer_lag.p99);
    table.bar("pacer lag p99 at 10,000/s", &format!("{lag:.3} ms"), "≤ 1 ms", lag <= 1.0);
    Ok(())
}

/// 1,000/s to a fast server, where the generator must not add latency.
pub fn noise(cores: &Arc<Cores>, table: &mut Table) -> anyhow::Result<()> {
    let server = Server::start(cores, false)?;
    let (report, _) = play(cores, &server, 1_000, 20)?;
    let latency = &report.latency_seconds;
    let [p50, p99] = [latency.pacer_lag.p50, latency.pacer_lag.p99].map(millis);
    table.bar("pacer lag p50 at 1,000/s", &format!("{p50:.3} ms"), "≤ 0.1 ms", p50 <= 0.1);
    table.bar("pacer lag p99 at 1,000/s", &format!("{p99:.3} ms"), "≤ 0.5 ms", p99 <= 0.5);
    let (response, service) = (millis(latency.response.p50), millis(latency.service.p50));
    let text = format!("{response:.3} and {service:.3} ms");
    table.bar("response and service time p50", &text, "within 0.15 ms", response - service <= 0.15);
    Ok(())
}

/// 1,000/s for a minute to a server that freezes for 1 s in every 10.
pub fn freeze(cores: &Arc<Cores>, table: &mut Table) -> anyhow::Result<()> {
    let server = Server::start(cores, true)?;
    let (report, _) = play(cores, &server, 1_000, 60)?;
    let response = &report.latency_seconds.response;
    // A share of FREEZE/EVERY of the arrivals waits for the rest of a freeze: P(R > x) = share · (1 − x/FREEZE).
    let share = FREEZE.as_secs_f64() / EVERY.as_secs_f64();
    for (name, quantile, measured) in
        [("p95", 0.95, response.p95), ("p99", 0.99, response.p99), ("p99.9", 0.999, response.p999)]
    {
        let expected = FREEZE.as_secs_f64() * (1.0 - (1.0 - quantile) / share);
        let measured = measured.unwrap_or(f64::NAN);
        let off = (measured / expected - 1.0) * 100.0;
        let text = format!("{measured:.3} s, {off:+.1} % of {expected:.2} s");
        table.bar(&format!("frozen 1 s in 10: response time {name}"), &text, "within 2 %", off.abs() <= 2.0);
    }
    let (fast, service) = (millis(response.p50), millis(report.latency_seconds.service.p50));
    let text = format!("{fast:.3} and {service:.3} ms");
    table.bar(
        "frozen 1 s in 10: response and service time p50",
        &text,
        "within 0.15 ms",
        fast - service <= 0.15,
    );
    let naive = millis(report.latency_seconds.service.p99);
    table.reference("frozen 1 s in 10: service time p99, as naive tools report", &format!("{naive:.3} ms"));
    Ok(())
}
