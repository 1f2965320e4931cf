//! The `loadgen drill` command line.

use std::fs;
use std::path::{Path, PathBuf};

use url::Url;

use super::causes::place::Place;
use super::causes::undo::{self, Undoing};
use super::json::{self, Run};
use super::record::Record;
use super::session::{Plan, Shard};
use super::signals::{Ending, Signals};
use super::suite::{self, Suite};
use super::verdict::Verdict;
use super::watch::Systems;
use super::{html, junit, session, subject, table};
use crate::exit;
use crate::systems::SystemError;
use crate::systems::alertmanager::Alertmanager;
use crate::systems::inbox::Inbox;
use crate::systems::prometheus::Prometheus;

/// Arguments of `loadgen drill`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Prometheus that evaluates the rules
    #[arg(long, env = "PROMETHEUS_URL", value_name = "URL", default_value = "http://127.0.0.1:9090")]
    prometheus: Url,
    /// Alertmanager that routes the alerts
    #[arg(long, env = "ALERTMANAGER_URL", value_name = "URL", default_value = "http://127.0.0.1:9093")]
    alertmanager: Url,
    /// Where load is sent
    #[arg(long, env = "TARGET_URL", value_name = "URL", default_value = "http://127.0.0.1:8000")]
    target: Url,
    /// The gateway's admin listener, where faults are put in force
    #[arg(long, env = "ADMIN_URL", value_name = "URL", default_value = "http://127.0.0.1:8001")]
    admin: Url,
    /// Inbox that receives the notifications
    #[arg(long, env = "INBOX_URL", value_name = "URL", default_value = "http://127.0.0.1:8025")]
    inbox: Url,
    /// The stack's durations are divided by this: divides the drills' objectives, too
    #[arg(long, env = "TIME_SCALE", value_name = "N", default_value = "1", value_parser = scale)]
    scale: f64,
    /// The command that stops, starts, pauses, unpauses and restarts a service by its name, such as "docker compose"
    #[arg(long, env = "STACK_CONTROL", value_name = "COMMAND")]
    control: Option<String>,
    /// JSON file of several stacks to spread the drills over, as `stack run --shards` writes it
    #[arg(long, env = "STACKS_FILE", value_name = "FILE")]
    stacks: Option<PathBuf>,
    /// Run on N isolated stacks side by side, started for this run by `stack run --shards N`
    #[arg(long, value_name = "N", conflicts_with = "stacks", value_parser = clap::value_parser!(u8).range(1..=32))]
    shards: Option<u8>,
    /// Keep the last proof of each alert in this directory
    #[arg(long, value_name = "DIR")]
    proofs: Option<PathBuf>,
    /// Keep what has yet to be undone in this directory, for the next run in case this one is killed
    #[arg(long, value_name = "DIR")]
    leftovers: Option<PathBuf>,
    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as one offline HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Drill files, or directories of them
    #[arg(value_name = "FILE|DIRECTORY", required = true)]
    drills: Vec<PathBuf>,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale >= 1.0 => Ok(scale),
        _ => Err("expected a number of 1 or more, as given to `loadgen scale --by`".into()),
    }
}

/// Runs the command and gives the exit code: 0 when every drill is PROVEN, 5 when one is not, 2 for bad
/// arguments or files, 130 or 143 when interrupted.
#[must_use]
pub fn main(args: Args) -> u8 {
    let suite = match suite::load(&args.drills) {
        Ok(suite) => suite,
        Err(errors) => return usage(&errors),
    };
    for path in [&args.json, &args.html, &args.junit].into_iter().flatten() {
        // A report that cannot be written is found out now, not after half an hour.
        if let Err(error) = fs::OpenOptions::new().append(true).create(true).open(path) {
            return usage(&[format!("{}: cannot be written: {error}", path.display())]);
        }
    }
    if let Some(shards) = args.shards {
        return usage(&[on_stacks_of_its_own(shards, args.scale)]);
    }
    let places = match places(&args) {
        Ok(places) => places,
        Err(error) => return usage(&[error]),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot start: {error}");
            return exit::FAILED;
        }
    };
    runtime.block_on(drill(&args, &suite, places))
}

fn usage<E: std::fmt::Display>(errors: &[E]) -> u8 {
    for error in errors {
        eprintln!("error: {error}");
    }
    exit::USAGE
}

/// Becomes `stack run --shards N` around this very command; comes back only with why that was not possible.
fn on_stacks_of_its_own(shards: u8, scale: f64) -> String {
    use std::os::unix::process::CommandExt;
    let exe = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("loadgen"));
    let beside = exe.with_file_name("stack");
    let stack = if beside.is_file() { beside } else { PathBuf::from("stack") };
    let mut arguments: Vec<std::ffi::OsString> = Vec::new();
    let mut given = std::env::args_os().skip(1);
    while let Some(argument) = given.next() {
        match argument.to_str() {
            Some("--shards") => drop(given.next()),
            Some(text) if text.starts_with("--shards=") => {}
            _ => arguments.push(argument),
        }
    }
    let mut command = std::process::Command::new(&stack);
    command
        .args(["run", "--shards", &shards.to_string(), "--scale", &scale.to_string(), "--"])
        .arg(exe)
        .args(arguments);
    let error = command.exec();
    format!(
        "--shards: `{}` could not be started: {error}; the `stack` program starts the stacks, and lies beside `loadgen` \
         when both are built",
        stack.display()
    )
}

/// The stacks to drill: those of the file, or the one the addresses name.
fn places(args: &Args) -> Result<Vec<Place>, String> {
    if let Some(path) = &args.stacks {
        let failed = |reason: String| format!("--stacks: {}: {reason}", path.display());
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let places: Vec<Place> = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        return if places.is_empty() { Err(failed("it lists no stack".to_owned())) } else { Ok(places) };
    }
    let control = args.control.as_deref().unwrap_or_default();
    Ok(vec![Place {
        target: args.target.clone(),
        admin: args.admin.clone(),
        prometheus: args.prometheus.clone(),
        alertmanager: args.alertmanager.clone(),
        inbox: args.inbox.clone(),
        control: control.split_whitespace().map(str::to_owned).collect(),
        env: std::collections::BTreeMap::new(),
    }])
}

fn connect(place: &Place) -> Result<Systems, SystemError> {
    Ok(Systems {
        prometheus: Prometheus::new(&place.prometheus)?,
        alertmanager: Alertmanager::new(&place.alertmanager)?,
        inbox: Inbox::new(&place.inbox)?,
    })
}

async fn drill(args: &Args, suite: &Suite, places: Vec<Place>) -> u8 {
    let mut signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => {
            eprintln!("error: signals cannot be handled: {error}");
            return exit::FAILED;
        }
    };
    let leftovers = args.leftovers.clone().unwrap_or_else(undo::default_dir);
    for said in undo::leftovers(&leftovers).await {
        eprintln!("{said}");
    }
    let mut shards = Vec::new();
    for (number, place) in places.into_iter().enumerate() {
        let systems = match connect(&place) {
            Ok(systems) => systems,
            Err(error) => return usage(&[error]),
        };
        match Undoing::new(&leftovers, place, number) {
            Ok(undoing) => shards.push(Shard { systems, undoing }),
            Err(error) => return usage(&[format!("--leftovers: {error}")]),
        }
    }
    // Names are held against the loaded rules before any traffic. A Prometheus that does not answer is not the
    // files' mistake: each drill's preflight refuses it with the reason.
    let rules = tokio::select! {
        biased;
        ending = signals.wait() => return ending.code(),
        rules = shards[0].systems.prometheus.rules() => rules,
    };
    let mut order: Vec<usize> = (0..suite.drills.len()).collect();
    if let Ok(rules) = rules {
        let errors: Vec<_> =
            suite.drills.iter().flat_map(|(path, drill)| subject::check(path, drill, &rules)).collect();
        if !errors.is_empty() {
            return usage(&errors);
        }
        if shards.len() > 1 {
            // What takes long to resolve holds the next drill up: it comes last on its stack.
            order.sort_by_key(|index| subject::aftermath(&suite.drills[*index].1, &rules));
        }
    }
    let proofs = args.proofs.as_deref();
    let plan = Plan { shards: &shards, suite, order, scale: args.scale, proofs };
    let (mut run, mut records, mut ending) = session::run(&plan, &signals).await;
    if ending.is_none() && shards.len() > 1 {
        ending = again_alone(&plan, &mut run, &mut records, &signals).await;
    }
    print(&run, &records);
    let written = write(args, &run, &records);
    code(&records, ending, written)
}

/// A drill that failed is told apart from one that the others beside it disturbed: what is not proven runs once more,
/// alone, and the second verdict stands.
async fn again_alone(
    plan: &Plan<'_>,
    run: &mut Run,
    records: &mut [Record],
    signals: &Signals,
) -> Option<Ending> {
    let names = |index: &usize| plan.suite.drills[*index].1.drill.value.as_str();
    let order: Vec<usize> = (0..plan.suite.drills.len())
        .filter(|index| records.iter().any(|record| record.drill == names(index) && !is_proven(record)))
        .collect();
    if order.is_empty() {
        return None;
    }
    let mut whole = 0;
    for (index, shard) in plan.shards.iter().enumerate() {
        if shard.systems.prometheus.ready().await.is_ok() && shard.systems.alertmanager.ready().await.is_ok()
        {
            whole = index;
            break;
        }
    }
    eprintln!("again, alone: {}", order.iter().map(names).collect::<Vec<_>>().join(", "));
    let shards = std::slice::from_ref(&plan.shards[whole]);
    let second = Plan { shards, suite: plan.suite, order, scale: plan.scale, proofs: plan.proofs };
    let (again, found, ending) = session::run(&second, signals).await;
    for mut record in found {
        if let Some(first) = records.iter_mut().find(|first| first.drill == record.drill) {
            let said = first.judgement.as_ref().map(|it| format!("{}: {}", it.verdict.name(), it.reason));
            record.disturbed = said;
            *first = record;
        }
    }
    run.finished = again.finished;
    run.interrupted = again.interrupted;
    ending
}

fn is_proven(record: &Record) -> bool {
    record.judgement.as_ref().is_some_and(|judgement| judgement.verdict == Verdict::Proven)
}

fn print(run: &Run, records: &[Record]) {
    use std::io::Write;
    let mut text = String::new();
    for record in records {
        let story = table::story(record);
        if !story.is_empty() {
            text.push_str(&story);
            text.push('\n');
        }
    }
    text.push_str(&table::table(records));
    for record in records.iter().filter(|record| is_proven(record)) {
        if let Some(first) = &record.disturbed {
            text.push_str(&format!(
                "{} was proven when run alone; beside others it was {first}\n",
                record.drill
            ));
        }
    }
    if !run.not_run.is_empty() {
        text.push_str(&format!("not run: {}\n", run.not_run.join(", ")));
    }
    // A closed pipe (`| head`) does not change the verdicts.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn write(args: &Args, run: &Run, records: &[Record]) -> bool {
    let report = json::report(run, records);
    let put = |path: &Path, text: String| match fs::write(path, text) {
        Ok(()) => true,
        Err(error) => {
            eprintln!("error: {}: cannot be written: {error}", path.display());
            false
        }
    };
    let json = args.json.as_ref().is_none_or(|path| put(path, format!("{report:#}\n")));
    let html = args.html.as_ref().is_none_or(|path| put(path, html::page(run, records)));
    let junit = args.junit.as_ref().is_none_or(|path| put(path, junit::report(run, records)));
    json && html && junit
}

fn code(records: &[Record], ending: Option<Ending>, written: bool) -> u8 {
    if let Some(ending) = ending {
        return ending.code();
    }
    if !records.iter().all(is_proven) {
        return exit::NOT_PROVEN;
    }
    if written { exit::FINE } else { exit::FAILED }
}
