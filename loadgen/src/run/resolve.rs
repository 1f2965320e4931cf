//! Resolves arguments to a plan.

use crate::run::error::CommandError;
use std::collections::BTreeSet;
use std::time::Duration;

use url::Position;

use crate::patterns;
use crate::run::args::{Args, ArrivalsArg};
use clients::address::without_secrets;
use common::duration;
use common::rate::Rate;
use common::rng;
use common::tls::Trust;
use load::plan::{Limits, Plan};
use load::schedule::Schedule;
use load::schedule::arrivals::Spacing;
use load::schedule::pace::Pace;
use load::spec::capture::Given;
use load::spec::method::Method;
use load::spec::request::{RequestSpec, add_content_type};
use load::spec::scenario::Scenario;
use load::wire::target::{Access, Target};

const DEFAULT_RATE: f64 = 50.0;
const DEFAULT_DURATION: Duration = Duration::from_secs(30);

/// The resolved arguments.
#[derive(Debug)]
pub struct Resolved {
    /// The pattern or scenario file, if given.
    pub scenario: Option<Scenario>,
    /// Plans of the `before` requests, in order.
    pub before: Vec<Plan>,
    /// The plan of the run.
    pub plan: Plan,
    /// The planned load in words.
    pub planned: String,
}

impl Resolved {
    /// # Errors
    /// When an argument is invalid; the error names it.
    pub fn of(args: &Args) -> Result<Self, CommandError> {
        let scenario = scenario(args)?;
        let url = Target::parse(&args.url).map_err(CommandError::usage)?;
        let requests = requests(args, scenario.as_ref(), &url)?;
        let seed = args.seed.map_or_else(rng::seed, u64::from);
        let (pace, planned) = pace(args, scenario.as_ref(), seed)?;
        let limits = Limits {
            connections: args.connections.map_or(Limits::default().connections, usize::from),
            max_in_flight: args.max_in_flight as usize,
            timeout: args.timeout,
            keep_alive: !args.disable_keepalive,
            threads: args.threads.map(Into::into),
        };
        let target = Target::by(&url, &access(args)).map_err(CommandError::usage)?;
        let mut before = Vec::new();
        let (given, mut names) = (Given::default(), BTreeSet::new());
        for (index, request) in scenario.iter().flat_map(|scenario| &scenario.before).enumerate() {
            let mut request = request.clone();
            request.set_headers(&args.headers);
            let plan = Plan::once(target.clone(), &request, limits.clone(), &names)
                .map_err(|error| CommandError::Usage(format!("before[{index}]: {error}")))?;
            names.extend(request.capture.iter().map(|capture| capture.name.clone()));
            // Each has its own random values, derived from the run's seed.
            let seed = rng::derived(seed, 1 + index as u64);
            before.push(Plan { seed, given: given.clone(), ..plan });
        }
        let plan = Plan::to(target, &requests, pace, limits, &names).map_err(CommandError::usage)?;
        Ok(Self { scenario, before, plan: Plan { seed, given, ..plan }, planned })
    }

    /// The scenario's name and the target, for display.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.scenario {
            Some(scenario) => format!("{} · {}", scenario.name, self.plan.target.origin()),
            None => without_secrets(self.plan.target.url.as_str()),
        }
    }
}

/// Which certificates are accepted.
pub fn trust(args: &Args) -> Trust {
    match &args.cacert {
        Some(file) => Trust::File(file.clone()),
        None if args.insecure => Trust::Anyone,
        None => Trust::System,
    }
}

fn access(args: &Args) -> Access {
    let trust = trust(args);
    Access { unix_socket: args.unix_socket.clone(), connect_to: args.connect_to.clone(), trust }
}

/// The pattern or scenario file, if given.
fn scenario(args: &Args) -> Result<Option<Scenario>, CommandError> {
    match (args.pattern, &args.scenario) {
        (Some(pattern), _) => Ok(Some(pattern.scenario())),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                CommandError::Usage(format!("--scenario {}: cannot read the file: {error}", path.display()))
            })?;
            Scenario::parse(path, &text).map(Some).map_err(CommandError::usage)
        }
        (None, None) => Ok(None),
    }
}

fn requests(
    args: &Args,
    scenario: Option<&Scenario>,
    url: &url::Url,
) -> Result<Vec<RequestSpec>, CommandError> {
    let mut requests = match scenario {
        Some(scenario) => scenario.requests.clone(),
        None => vec![single(args, url)?],
    };
    for request in &mut requests {
        request.set_headers(&args.headers);
        add_content_type(&mut request.headers, &request.body);
        if let Some(expect) = &args.expect_status {
            request.expect = expect.clone();
        }
        request.check().map_err(CommandError::usage)?;
    }
    Ok(requests)
}

fn single(args: &Args, url: &url::Url) -> Result<RequestSpec, CommandError> {
    let body = match (&args.data, &args.data_file) {
        (Some(data), _) => data.clone().into_bytes(),
        (None, Some(file)) => std::fs::read(file).map_err(|error| {
            CommandError::Usage(format!("-D {}: cannot read the body: {error}", file.display()))
        })?,
        (None, None) => Vec::new(),
    };
    let usual = if args.data.is_some() || args.data_file.is_some() { Method::Post } else { Method::Get };
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let mut request = RequestSpec::new(args.method.unwrap_or(usual), path);
    request.body = body;
    Ok(request)
}

fn pace(args: &Args, scenario: Option<&Scenario>, seed: u64) -> Result<(Pace, String), CommandError> {
    let limit = args.requests;
    let rated = args.rate.is_some() || scenario.is_some() || !args.stages.is_empty();
    if let (Some(connections), false) = (args.connections, rated) {
        let duration = args.duration.or_else(|| limit.is_none().then_some(DEFAULT_DURATION));
        let planned = format!("{connections} connections{}", bounds(duration, limit));
        return Ok((Pace::Closed { limit, duration }, planned));
    }
    let (schedule, planned) = schedule(args, scenario)?;
    let spacing = match args.arrivals {
        ArrivalsArg::Even => Spacing::Even,
        ArrivalsArg::Poisson => Spacing::Poisson { seed },
    };
    Ok((Pace::Open { schedule, limit, spacing }, planned))
}

/// The schedule, and its description.
fn schedule(args: &Args, scenario: Option<&Scenario>) -> Result<(Schedule, String), CommandError> {
    let limit = args.requests;
    if !args.stages.is_empty() {
        let from = args.rate.map_or(0.0, Rate::per_second);
        let mut planned = format!("from {from}/s");
        for (time, to) in &args.stages {
            planned.push_str(&format!(" to {to}/s in {}", duration::format(*time)));
        }
        return Ok((
            Schedule::ramps(from, &args.stages).map_err(CommandError::usage)?,
            planned + &bounds(None, limit),
        ));
    }
    let usual = scenario.map(|scenario| &scenario.schedule);
    if let Some(stages) = usual.filter(|stages| stages.constant_rate().is_none()) {
        let rate = args.rate.map_or(1.0, |rate| rate.per_second() / stages.peak());
        let length = stages.duration().unwrap_or_default();
        let time = args.duration.map_or(1.0, |time| time.as_secs_f64() / length.as_secs_f64());
        if !(rate.is_finite() && time.is_finite()) {
            return Err(CommandError::usage(
                "the scenario has only bursts, without a rate or duration to change: remove -q and -z",
            ));
        }
        let schedule = stages.scaled(rate, time);
        let planned = patterns::in_words(&schedule) + &bounds(None, limit);
        return Ok((schedule, planned));
    }
    let constant = usual.and_then(Schedule::constant_rate).unwrap_or(DEFAULT_RATE);
    let rate = args.rate.map_or_else(|| Rate::new(constant), Ok).map_err(CommandError::usage)?;
    let length = usual.and_then(Schedule::duration).unwrap_or(DEFAULT_DURATION);
    let duration = args.duration.or_else(|| limit.is_none().then_some(length));
    let planned = format!("{rate}{}", bounds(duration, limit));
    Ok((Schedule::constant(rate, duration), planned))
}

/// ` for 30s or 100 requests`.
fn bounds(duration: Option<Duration>, limit: Option<u64>) -> String {
    let time = duration.map(duration::format);
    let count = limit.map(|count| format!("{count} requests"));
    let bounds: Vec<String> = time.into_iter().chain(count).collect();
    if bounds.is_empty() { String::new() } else { format!(" for {}", bounds.join(" or ")) }
}
