//! The steps of `loadgen run`: plan, warm up, start, watch, report.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use url::Url;

use crate::run::args::Args;
use crate::run::error::{CommandError, start};
use crate::run::resolve::{self, Resolved};
use crate::run::watch::{Ended, Ending, Signals, Watcher};
use clients::address::without_secrets;
use common::console;
use common::tls::Trust;
use load::engine::Running;
use load::engine::file_limit;
use load::format;
use load::live::Progress;
use load::live::exposition::Exposition;
use load::plan::Plan;
use load::report::alerts;
use load::report::model::{Labels, Report};
use load::report::output::OutFile;
use load::report::summary;
use load::verdict::Outcome;

/// Runs the command and returns the exit code.
#[must_use]
pub fn main(args: Args) -> u8 {
    run(&args).unwrap_or_else(|error| {
        console::error(&error);
        error.exit_code()
    })
}

/// Runs the load, prints the summary and returns the exit code.
pub fn run(args: &Args) -> Result<u8, CommandError> {
    let resolved = Resolved::of(args)?;
    let outs = OutFile::all(&args.out).map_err(CommandError::usage)?;
    file_limit::allow(resolved.plan.limits.connections);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let failed = |error: std::io::Error| CommandError::Failed(format!("cannot start the runtime: {error}"));
    runtime.map_err(failed)?.block_on(async {
        let mut watcher = Watcher {
            progress: Progress::new(args.no_tui),
            signals: Signals::new().map_err(failed)?,
            exposition: args.prometheus_addr.map(expose).transpose()?,
        };
        announce(&resolved, &mut watcher.progress);
        let begun = Instant::now();
        let left = || args.deadline.map(|deadline| deadline.saturating_sub(begun.elapsed()));
        for plan in &resolved.before {
            if let Some(code) = send_before(&mut watcher, plan, left()).await? {
                return Ok(code);
            }
        }
        let warmup = match args.warmup {
            Some(time) => match watcher.warm_up(&resolved, time, left()).await? {
                Ok(ledger) => Some(ledger),
                Err(code) => return Ok(code),
            },
            None => None,
        };
        let title = resolved.title();
        let mut running = start(resolved.plan)?;
        let ending = Ending {
            title: &title,
            deadline: left(),
            thresholds: if args.abort_on_fail { &args.thresholds } else { &[] },
            counted: true,
        };
        let Ended { interrupted_by, early, hurried, at_once } = watcher.watch(&mut running, &ending).await;
        if let Some(exposition) = watcher.exposition.take() {
            exposition.stop().await;
        }
        if let Some(code) = at_once {
            return Ok(code);
        }
        let labels = Labels {
            pattern: resolved.scenario.map(|scenario| scenario.name),
            planned: resolved.planned,
            interrupted_by: interrupted_by.map(str::to_owned),
            ended_early_by: early.map(str::to_owned),
            max_lag_seconds: args.max_lag.as_secs_f64(),
            warmup: args.warmup.zip(warmup),
            thresholds: args.thresholds.clone(),
            alerts: Vec::new(),
        };
        let trust = resolve::trust(args);
        let alerts_from = args.alerts_from.as_ref().filter(|_| !hurried).map(|url| (url, trust));
        finish(running, labels, outs, alerts_from).await
    })
}

fn expose(address: SocketAddr) -> Result<Exposition, CommandError> {
    let exposition = Exposition::start(address).map_err(CommandError::usage)?;
    console::line(format_args!("metrics: http://{}/metrics", exposition.address));
    Ok(exposition)
}

/// Sends a `before` request of the scenario. Returns an exit code when interrupted.
async fn send_before(
    watcher: &mut Watcher,
    plan: &Plan,
    deadline: Option<Duration>,
) -> Result<Option<u8>, CommandError> {
    let spec = &plan.requests[0].spec;
    let path = without_secrets(&spec.path);
    let title = format!("before the run · {} {path}", spec.method.name());
    let record = match watcher.send_before(plan.clone(), &title, deadline).await? {
        Ok(record) => record,
        Err(code) => return Ok(Some(code)),
    };
    if record.ledger.expected == 1 {
        return Ok(None);
    }
    let result = match record.statuses.keys().next() {
        Some(status) if spec.expect.matches(*status) => {
            format!("returned {status} without the values to capture")
        }
        Some(status) => format!("returned {status}, expected {}", spec.expect),
        None if record.ledger.unfinished > 0 => "got no response before the --deadline".to_owned(),
        None => format!("failed: {}", format::faults(record.faults)),
    };
    Err(CommandError::Failed(format!(
        "`before` request {} {path} {result}; the run was not started",
        spec.method.name()
    )))
}

async fn finish(
    running: Running,
    mut labels: Labels,
    outs: Vec<OutFile>,
    alerts_from: Option<(&Url, Trust)>,
) -> Result<u8, CommandError> {
    let plan = running.plan_handle();
    let record = running.record().await;
    if let Some((prometheus, trust)) = alerts_from {
        // The run is complete, so failing to fetch alerts is only a warning.
        match alerts::fetch(prometheus, &trust, record.started, record.elapsed).await {
            Ok(alerts) => labels.alerts = alerts,
            Err(error) => console::warning(error),
        }
    }
    let report = Report::new(&plan, &record, labels);
    console::result(&summary::text(&report));
    outs.into_iter().try_for_each(|out| out.finish(&report)).map_err(CommandError::failed)?;
    Ok(Outcome::of(&report).exit_code())
}

fn announce(resolved: &Resolved, progress: &mut Progress) {
    progress.say(&format!("{}: {}", resolved.title(), resolved.planned));
    if let Some(scenario) = resolved.scenario.as_ref().filter(|scenario| !scenario.trips.is_empty()) {
        for line in format::wrapped(&format!("trips: {}", scenario.trips), 80, "       ") {
            progress.say(&line);
        }
    }
}
