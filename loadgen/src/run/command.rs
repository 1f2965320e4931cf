//! The steps of `loadgen run`: plan, start, watch, report.

use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::arrivals::Spacing;
use super::cli::{Args, ArrivalsArg};
use super::engine::{self, Running, StartError};
use super::live::{Progress, View};
use super::outfile::OutFile;
use super::plan::{Limits, Pace, Plan};
use super::report::{Labels, Report};
use super::request::Method;
use super::schedule::Schedule;
use super::spec::{RequestSpec, add_content_type};
use super::summary;
use super::target::Target;
use super::verdict::Outcome;
use crate::rate::Rate;
use crate::{duration, exit};

/// How long an interrupted run waits for what is in flight.
const GRACE: Duration = Duration::from_secs(1);
/// How often it is looked at whether there is something new to show.
const REFRESH: Duration = Duration::from_millis(100);
const USUAL_RATE: f64 = 50.0;
const USUAL_DURATION: Duration = Duration::from_secs(30);

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
    let (plan, planned) = plan(args)?;
    let out = args.out.as_deref().map(OutFile::create).transpose().map_err(CommandError::Usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let failed = |error: std::io::Error| CommandError::Failed(format!("cannot watch the run: {error}"));
    runtime.map_err(failed)?.block_on(async {
        let mut signals = Signals::new().map_err(failed)?;
        let mut progress = Progress::new(args.no_tui);
        announce(args, &plan, &planned, &mut progress);
        let mut running = engine::start(plan).map_err(|error| match error {
            StartError::Plan(_) => CommandError::Usage(error.to_string()),
            StartError::System(_) => CommandError::Failed(error.to_string()),
        })?;
        let title = title(args, running.plan());
        let watched = watch(&mut running, &title, &mut progress, &mut signals).await;
        progress.end();
        match watched {
            Watched::Ended { interrupted_by } => finish(args, running, planned, interrupted_by, out).await,
            Watched::EndedAtOnce { code } => Ok(code),
        }
    })
}

enum Watched {
    Ended { interrupted_by: Option<&'static str> },
    EndedAtOnce { code: u8 },
}

/// Shows the run until its end or the second signal.
async fn watch(
    running: &mut Running,
    title: &str,
    progress: &mut Progress,
    signals: &mut Signals,
) -> Watched {
    let mut refresh = tokio::time::interval(REFRESH);
    let mut interrupted_by = None;
    loop {
        tokio::select! {
            () = running.ended() => return Watched::Ended { interrupted_by },
            (name, code) = signals.next() => {
                if interrupted_by.is_some() {
                    return Watched::EndedAtOnce { code };
                }
                interrupted_by = Some(name);
                running.request_stop(GRACE);
                progress.say(&format!(
                    "{name}: stopping; up to {} for answers in flight, a second signal ends it at once",
                    duration::format(GRACE)
                ));
            }
            _ = refresh.tick() => progress.show(&View::of(running, title)),
        }
    }
}

async fn finish(
    args: &Args,
    running: Running,
    planned: String,
    interrupted_by: Option<&str>,
    out: Option<OutFile>,
) -> Result<u8, CommandError> {
    let plan = running.plan_handle();
    let record = running.record().await;
    let labels = Labels {
        pattern: args.pattern.map(|pattern| pattern.name().to_owned()),
        planned,
        interrupted_by: interrupted_by.map(str::to_owned),
        max_lag_seconds: args.max_lag.as_secs_f64(),
    };
    let report = Report::new(&plan, &record, labels);
    let mut stdout = std::io::stdout().lock();
    // A closed pipe is the reader's decision; the exit code still says how it went.
    let _ = stdout.write_all(summary::text(&report).as_bytes()).and_then(|()| stdout.flush());
    if let Some(out) = out {
        out.finish(&report).map_err(CommandError::Failed)?;
    }
    Ok(Outcome::of(&report).exit_code())
}

/// The plan the arguments ask for, and its pace in words.
fn plan(args: &Args) -> Result<(Plan, String), CommandError> {
    let url = Target::parse(&args.url).map_err(|error| CommandError::Usage(error.to_string()))?;
    let requests = requests(args, &url).map_err(CommandError::Usage)?;
    let (pace, planned) = pace(args).map_err(CommandError::Usage)?;
    let limits = Limits {
        connections: args.connections.map_or(Limits::default().connections, usize::from),
        max_in_flight: args.max_in_flight as usize,
        timeout: args.timeout,
        keep_alive: !args.disable_keepalive,
        threads: args.threads.map(Into::into),
    };
    let plan =
        Plan::new(&url, &requests, pace, limits).map_err(|error| CommandError::Usage(error.to_string()))?;
    Ok((plan, planned))
}

fn requests(args: &Args, url: &url::Url) -> Result<Vec<RequestSpec>, String> {
    let mut requests = match args.pattern {
        Some(pattern) => pattern.load().requests,
        None => vec![single(args, url)?],
    };
    for request in &mut requests {
        request.headers.extend(args.headers.iter().cloned());
        add_content_type(&mut request.headers, &request.body);
        if let Some(expect) = &args.expect_status {
            request.expect = expect.clone();
        }
        request.check()?;
    }
    Ok(requests)
}

fn single(args: &Args, url: &url::Url) -> Result<RequestSpec, String> {
    let body = match (&args.data, &args.data_file) {
        (Some(data), _) => data.clone().into_bytes(),
        (None, Some(file)) => std::fs::read(file)
            .map_err(|error| format!("-D {}: cannot read the body: {error}", file.display()))?,
        (None, None) => Vec::new(),
    };
    let usual = if args.data.is_some() || args.data_file.is_some() { Method::Post } else { Method::Get };
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut request = RequestSpec::new(args.method.unwrap_or(usual), &path);
    request.body = body;
    Ok(request)
}

fn pace(args: &Args) -> Result<(Pace, String), String> {
    let times = args.requests.map(|count| format!("{count} requests"));
    let bounded = |duration: Option<Duration>| {
        let time = duration.map(duration::format);
        match (time, &times) {
            (Some(time), Some(times)) => format!("for {time} or {times}"),
            (Some(time), None) => format!("for {time}"),
            (None, Some(times)) => format!("for {times}"),
            (None, None) => "without end".to_owned(),
        }
    };
    let usual = args.pattern.map_or(USUAL_DURATION, |pattern| pattern.duration());
    let duration = args.duration.or_else(|| args.requests.is_none().then_some(usual));
    let limit = args.requests;
    let rated = args.rate.is_some() || args.pattern.is_some() || !args.stages.is_empty();
    if let (Some(connections), false) = (args.connections, rated) {
        let planned = format!("{connections} connections {}", bounded(duration));
        return Ok((Pace::Closed { limit, duration }, planned));
    }
    let spacing = match args.arrivals {
        ArrivalsArg::Even => Spacing::Even,
        ArrivalsArg::Poisson => Spacing::Poisson { seed: u64::from(args.seed.unwrap_or_else(random)) },
    };
    if !args.stages.is_empty() {
        let from = args.rate.map_or(0.0, Rate::per_second);
        let schedule = Schedule::ramps(from, &args.stages)?;
        let mut planned = format!("from {from}/s");
        for (time, to) in &args.stages {
            planned.push_str(&format!(" to {to}/s in {}", duration::format(*time)));
        }
        return Ok((Pace::Open { schedule, limit, spacing }, planned));
    }
    let usual = args.pattern.map(|pattern| pattern.load().rate);
    let rate = args.rate.or(usual).map_or_else(|| Rate::new(USUAL_RATE), Ok)?;
    let planned = format!("{rate} {}", bounded(duration));
    Ok((Pace::Open { schedule: Schedule::constant(rate, duration), limit, spacing }, planned))
}

/// A seed nobody chose; 32 bits, so that it is easily typed again.
fn random() -> u32 {
    std::collections::hash_map::RandomState::new().build_hasher().finish() as u32
}

fn title(args: &Args, plan: &Plan) -> String {
    match args.pattern {
        Some(pattern) => format!("{} · {}", pattern.name(), plan.target.origin()),
        None => plan.target.url.to_string(),
    }
}

fn announce(args: &Args, plan: &Plan, planned: &str, progress: &mut Progress) {
    progress.say(&format!("{}: {planned}", title(args, plan)));
    if let Some(pattern) = args.pattern {
        for line in super::human::wrapped(&format!("trips: {}", pattern.trips()), 80, "       ") {
            progress.say(&line);
        }
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
