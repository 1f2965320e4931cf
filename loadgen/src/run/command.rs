//! The steps of `loadgen run`: plan, warm up, start, watch, report.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use url::Url;

use crate::run::args::Args;
use crate::run::error::{CommandError, start};
use crate::run::resolve::{self, Asked};
use crate::run::watch::{Ended, Ending, Signals, Watcher};
use clients::HttpConfig;
use common::console;
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

/// Runs the command and gives the exit code.
#[must_use]
pub fn main(args: Args) -> u8 {
    run(&args).unwrap_or_else(|error| {
        console::error(&error);
        error.exit_code()
    })
}

/// Runs the load and prints the summary; the exit code.
pub fn run(args: &Args) -> Result<u8, CommandError> {
    let asked = Asked::of(args)?;
    let outs = OutFile::all(&args.out).map_err(CommandError::usage)?;
    file_limit::allow(asked.plan.limits.connections);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let failed = |error: std::io::Error| CommandError::Failed(format!("cannot watch the run: {error}"));
    runtime.map_err(failed)?.block_on(async {
        let mut watcher = Watcher {
            progress: Progress::new(args.no_tui),
            signals: Signals::new().map_err(failed)?,
            exposition: args.prometheus_addr.map(expose).transpose()?,
        };
        announce(&asked, &mut watcher.progress);
        let begun = Instant::now();
        let left = || args.deadline.map(|deadline| deadline.saturating_sub(begun.elapsed()));
        for plan in &asked.before {
            if let Some(code) = beforehand(&mut watcher, plan, left()).await? {
                return Ok(code);
            }
        }
        let warmup = match args.warmup {
            Some(time) => match watcher.warm_up(&asked, time, left()).await? {
                Ok(ledger) => Some(ledger),
                Err(code) => return Ok(code),
            },
            None => None,
        };
        let title = asked.title();
        let mut running = start(asked.plan)?;
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
            pattern: asked.scenario.map(|scenario| scenario.name),
            planned: asked.planned,
            interrupted_by: interrupted_by.map(str::to_owned),
            ended_early_by: early.map(str::to_owned),
            max_lag_seconds: args.max_lag.as_secs_f64(),
            warmup: args.warmup.zip(warmup),
            thresholds: args.thresholds.clone(),
            alerts: Vec::new(),
        };
        let config = HttpConfig { trust: resolve::trust(args), bearer_token_file: None };
        let alerts_from = args.alerts_from.as_ref().filter(|_| !hurried).map(|url| (url, config));
        finish(running, labels, outs, alerts_from).await
    })
}

fn expose(address: SocketAddr) -> Result<Exposition, CommandError> {
    let exposition = Exposition::start(address).map_err(CommandError::usage)?;
    console::line(format_args!("metrics: http://{}/metrics", exposition.address));
    Ok(exposition)
}

/// Sends what the scenario wants sent first; without it the run would not be what it says. An exit code when it was
/// interrupted.
async fn beforehand(
    watcher: &mut Watcher,
    plan: &Plan,
    deadline: Option<Duration>,
) -> Result<Option<u8>, CommandError> {
    let spec = &plan.requests[0].spec;
    let title = format!("before the run · {} {}", spec.method.name(), spec.path);
    let record = match watcher.beforehand(plan.clone(), &title, deadline).await? {
        Ok(record) => record,
        Err(code) => return Ok(Some(code)),
    };
    if record.ledger.expected == 1 {
        return Ok(None);
    }
    let answer = match record.statuses.keys().next() {
        Some(status) if spec.expect.matches(*status) => {
            format!("was answered {status} without what it is to capture")
        }
        Some(status) => format!("was answered {status}, expected {}", spec.expect),
        None if record.ledger.unfinished > 0 => "had no answer when the --deadline came".to_owned(),
        None => format!("had no answer: {}", format::faults(record.faults)),
    };
    Err(CommandError::Failed(format!(
        "{} {}, which the scenario sends first, {answer}; nothing else was sent",
        spec.method.name(),
        spec.path
    )))
}

async fn finish(
    running: Running,
    mut labels: Labels,
    outs: Vec<OutFile>,
    alerts_from: Option<(&Url, HttpConfig)>,
) -> Result<u8, CommandError> {
    let plan = running.plan_handle();
    let record = running.record().await;
    if let Some((prometheus, config)) = alerts_from {
        // The run is over and its figures stand: that nobody tells of alerts is no reason to lose them.
        match alerts::fetch(prometheus, &config, record.started, record.elapsed).await {
            Ok(alerts) => labels.alerts = alerts,
            Err(error) => console::warning(error),
        }
    }
    let report = Report::new(&plan, &record, labels);
    console::result(&summary::text(&report));
    outs.into_iter().try_for_each(|out| out.finish(&report)).map_err(CommandError::failed)?;
    Ok(Outcome::of(&report).exit_code())
}

fn announce(asked: &Asked, progress: &mut Progress) {
    progress.say(&format!("{}: {}", asked.title(), asked.planned));
    if let Some(scenario) = asked.scenario.as_ref().filter(|scenario| !scenario.trips.is_empty()) {
        for line in format::wrapped(&format!("trips: {}", scenario.trips), 80, "       ") {
            progress.say(&line);
        }
    }
}
