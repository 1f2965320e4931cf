//! The steps of `loadgen run`: plan, warm up, start, watch, report.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use url::Url;

use super::alerts;
use super::arguments::Asked;
use super::cli::Args;
use super::descriptors;
use super::engine::{self, Running, StartError};
use super::exposition::{self, Exposition};
use super::human;
use super::live::{Progress, View};
use super::outfile::OutFile;
use super::plan::Plan;
use super::record::Ledger;
use super::report::{Labels, Report};
use super::summary;
use super::threshold::Threshold;
use super::verdict::Outcome;
use crate::{duration, exit};

/// How long an interrupted run waits for what is in flight.
const GRACE: Duration = Duration::from_secs(1);
/// How often it is looked at whether there is something new to show.
const REFRESH: Duration = Duration::from_millis(100);
/// Requests of which it must be known what became of them before a threshold may end the run, and how long it may take
/// until then.
const ENOUGH: (u64, Duration) = (100, Duration::from_secs(10));

/// Why the command did not get to a verdict.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Bad arguments or files; nothing was sent.
    #[error("{0}")]
    Usage(String),
    /// Everything else.
    #[error("{0}")]
    Failed(String),
}

impl CommandError {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => exit::USAGE,
            Self::Failed(_) => exit::FAILED,
        }
    }
}

/// Runs the load and prints the summary; the exit code.
pub fn run(args: &Args) -> Result<u8, CommandError> {
    let asked = Asked::of(args).map_err(CommandError::Usage)?;
    let outs = args.out.iter().map(|path| OutFile::create(path)).collect::<Result<Vec<_>, _>>();
    let outs = outs.map_err(CommandError::Usage)?;
    descriptors::allow(asked.plan.limits.connections);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let failed = |error: std::io::Error| CommandError::Failed(format!("cannot watch the run: {error}"));
    runtime.map_err(failed)?.block_on(async {
        let mut watcher = Watcher {
            progress: Progress::new(args.no_tui),
            signals: Signals::new().map_err(failed)?,
            exposition: args.prometheus_addr.map(expose).transpose()?,
        };
        announce(&asked, &mut watcher.progress);
        for plan in &asked.before {
            beforehand(plan).await?;
        }
        let warmup = match args.warmup {
            Some(time) => match watcher.warm_up(&asked, time).await? {
                Ok(ledger) => Some(ledger),
                Err(code) => return Ok(code),
            },
            None => None,
        };
        let title = asked.title();
        let mut running = start(asked.plan)?;
        let ending = Ending {
            title: &title,
            deadline: args.deadline,
            thresholds: if args.abort_on_fail { &args.thresholds } else { &[] },
        };
        let Ended { interrupted_by, early, at_once } = watcher.watch(&mut running, &ending).await;
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
        finish(running, labels, outs, args.alerts_from.as_ref()).await
    })
}

fn expose(address: SocketAddr) -> Result<Exposition, CommandError> {
    let exposition = Exposition::start(address).map_err(|error| {
        CommandError::Usage(format!("--prometheus-addr {address}: {error}; choose another address or port"))
    })?;
    eprintln!("metrics: http://{}/metrics", exposition.address);
    Ok(exposition)
}

fn start(plan: Plan) -> Result<Running, CommandError> {
    engine::start(plan).map_err(|error| match error {
        StartError::Plan(_) => CommandError::Usage(error.to_string()),
        StartError::System(_) => CommandError::Failed(error.to_string()),
    })
}

/// Sends what the scenario wants sent first; without it the run would not be what it says.
async fn beforehand(plan: &Plan) -> Result<(), CommandError> {
    let record = start(plan.clone())?.record().await;
    if record.ledger.expected == 1 {
        return Ok(());
    }
    let spec = &plan.requests[0].spec;
    let answer = match record.statuses.keys().next() {
        Some(status) => format!("was answered {status}, expected {}", spec.expect),
        None => format!("had no answer: {}", human::faults(record.faults)),
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
    alerts_from: Option<&Url>,
) -> Result<u8, CommandError> {
    let plan = running.plan_handle();
    let record = running.record().await;
    if let Some(prometheus) = alerts_from {
        // The run is over and its figures stand: that nobody tells of alerts is no reason to lose them.
        match alerts::fetch(prometheus, record.started, record.elapsed).await {
            Ok(alerts) => labels.alerts = alerts,
            Err(error) => eprintln!("warning: {error}"),
        }
    }
    let report = Report::new(&plan, &record, labels);
    let mut stdout = std::io::stdout().lock();
    // A closed pipe is the reader's decision; the exit code still says how it went.
    let _ = stdout.write_all(summary::text(&report).as_bytes()).and_then(|()| stdout.flush());
    outs.into_iter().try_for_each(|out| out.finish(&report)).map_err(CommandError::Failed)?;
    Ok(Outcome::of(&report).exit_code())
}

fn announce(asked: &Asked, progress: &mut Progress) {
    progress.say(&format!("{}: {}", asked.title(), asked.planned));
    if let Some(scenario) = asked.scenario.as_ref().filter(|scenario| !scenario.trips.is_empty()) {
        for line in human::wrapped(&format!("trips: {}", scenario.trips), 80, "       ") {
            progress.say(&line);
        }
    }
}

/// What may end a run before its schedule does.
struct Ending<'a> {
    title: &'a str,
    deadline: Option<Duration>,
    /// Those that end the run when they are crossed.
    thresholds: &'a [Threshold],
}

impl Ending<'_> {
    fn early(&self, running: &Running) -> Option<&'static str> {
        if self.deadline.is_some_and(|deadline| running.elapsed() >= deadline) {
            return Some("deadline");
        }
        let (enough, patience) = ENOUGH;
        if running.counts().settled() < enough && running.elapsed() < patience {
            return None;
        }
        running.measured(|measured| {
            let mut thresholds = self.thresholds.iter().filter(|threshold| threshold.may_abort());
            let crossed = thresholds.any(|threshold| {
                let value = threshold.value(measured);
                value.is_some() && !threshold.holds(value)
            });
            crossed.then_some("threshold")
        })
    }
}

/// How watching ended.
#[derive(Default)]
struct Ended {
    interrupted_by: Option<&'static str>,
    early: Option<&'static str>,
    /// The exit code of a second signal.
    at_once: Option<u8>,
}

struct Watcher {
    progress: Progress,
    signals: Signals,
    exposition: Option<Exposition>,
}

impl Watcher {
    /// Shows the run until its end or the second signal.
    async fn watch(&mut self, running: &mut Running, ending: &Ending<'_>) -> Ended {
        let mut refresh = tokio::time::interval(REFRESH);
        let mut ended = Ended::default();
        loop {
            tokio::select! {
                () = running.ended() => break,
                (name, code) = self.signals.next() => {
                    if ended.interrupted_by.is_some() {
                        ended.at_once = Some(code);
                        break;
                    }
                    ended.interrupted_by = Some(name);
                    running.request_stop(GRACE);
                    self.progress.say(&format!(
                        "{name}: stopping; up to {} for answers in flight, a second signal ends it at once",
                        duration::format(GRACE)
                    ));
                }
                _ = refresh.tick() => {
                    self.progress.show(&View::of(running, ending.title));
                    self.expose(running);
                    if ended.interrupted_by.is_none() && ended.early.is_none() {
                        ended.early = ending.early(running);
                        match ended.early {
                            Some("deadline") => running.request_stop(Duration::ZERO),
                            Some(_) => running.request_stop(GRACE),
                            None => {}
                        }
                    }
                }
            }
        }
        self.progress.end();
        self.expose(running);
        ended
    }

    fn expose(&self, running: &Running) {
        if let Some(exposition) = &self.exposition
            && let Ok(text) = exposition::text(running)
        {
            exposition.show(text);
        }
    }

    /// The same requests at the rate the schedule begins with, counted apart; an exit code when it was interrupted.
    async fn warm_up(&mut self, asked: &Asked, time: Duration) -> Result<Result<Ledger, u8>, CommandError> {
        let plan = Plan { pace: asked.plan.pace.warm_up(time), ..asked.plan.clone() };
        let mut running = start(plan)?;
        let title = format!("warm-up · {}", asked.title());
        let ending = Ending { title: &title, deadline: None, thresholds: &[] };
        let Ended { interrupted_by, at_once, .. } = self.watch(&mut running, &ending).await;
        if let Some(name) = interrupted_by {
            self.progress.say(&format!("{name} while warming up: nothing was measured"));
            return Ok(Err(at_once.unwrap_or(if name == "SIGTERM" {
                exit::TERMINATED
            } else {
                exit::INTERRUPTED
            })));
        }
        let ledger = running.record().await.ledger;
        let sent = human::count(ledger.scheduled);
        self.progress
            .say(&format!("warmed up with {sent} requests in {}, not counted", duration::format(time)));
        Ok(Ok(ledger))
    }
}

/// The signals that end a run.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> (&'static str, u8) {
        tokio::select! {
            _ = self.interrupt.recv() => ("SIGINT", exit::INTERRUPTED),
            _ = self.terminate.recv() => ("SIGTERM", exit::TERMINATED),
        }
    }
}
