//! The `loadgen drill` command line.

use std::fs;
use std::path::PathBuf;

use url::Url;

use crate::discreet::Discreet;
use crate::drill::output::{code, is_proven, print, write};
use crate::drill::stacks::{self, connect};
use crate::http_args::HttpArgs;
use clients::{Reason, address};
use common::signals::{Ending, Signals};
use common::{console, exit};
use drill::causes::leftovers;
use drill::causes::stack::Place;
use drill::causes::undo_list::Undoing;
use drill::file::suite::{self, Suite};
use drill::record::Record;
use drill::report::json::Run;
use drill::rule;
use drill::session::{self, Plan, Shard};

/// Arguments of `loadgen drill`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Prometheus that evaluates the rules
    #[arg(long, env = "PROMETHEUS_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:9090")]
    pub prometheus: Url,
    /// Alertmanager that routes the alerts
    #[arg(long, env = "ALERTMANAGER_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:9093")]
    pub alertmanager: Url,
    /// Where load is sent
    #[arg(long, env = "TARGET_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:8000")]
    pub target: Url,
    /// The gateway's admin listener, where faults are put in force
    #[arg(long, env = "ADMIN_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:8001")]
    pub admin: Url,
    /// Inbox that receives the notifications, or `none`: then Alertmanager's count of what it sent has to do. Left out,
    /// http://127.0.0.1:8025 if an inbox answers there
    #[arg(long, env = "INBOX_URL", value_name = "URL|none", value_parser = RECEIVER, hide_env_values = true)]
    pub inbox: Option<Receiver>,
    #[command(flatten)]
    pub http: HttpArgs,
    /// The stack's durations are divided by this: divides the drills' objectives, too
    #[arg(long, env = "TIME_SCALE", value_name = "N", default_value = "1", value_parser = scale)]
    pub scale: f64,
    /// The command that stops, starts, pauses, unpauses and restarts a service by its name, such as "stack service" or deploy/compose/service.sh
    #[arg(long, env = "STACK_CONTROL", value_name = "COMMAND")]
    pub control: Option<String>,
    /// JSON file of several stacks to spread the drills over, as `stack run --shards` writes it
    #[arg(long, env = "STACKS_FILE", value_name = "FILE")]
    pub stacks: Option<PathBuf>,
    /// Run on N isolated stacks side by side, started for this run by `stack run --shards N`
    #[arg(long, value_name = "N", conflicts_with = "stacks", value_parser = clap::value_parser!(u8).range(1..=32))]
    pub shards: Option<u8>,
    /// Keep each drill's last proof in this directory, where `loadgen inbox --proofs` exports it
    #[arg(long, env = "PROOFS_DIR", value_name = "DIR")]
    pub proofs: Option<PathBuf>,
    /// Keep what has yet to be undone in this directory, for the next run in case this one is killed. It must be this
    /// user's and writable by nobody else, since commands are run from it
    #[arg(long, value_name = "DIR")]
    pub leftovers: Option<PathBuf>,
    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report as one offline HTML page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Drill files, or directories of them
    #[arg(value_name = "FILE|DIRECTORY", required = true)]
    pub drills: Vec<PathBuf>,
}

/// Who receives the notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// The inbox at this address.
    Inbox(Url),
    /// Nobody we could ask.
    Nobody,
}

/// Addresses may hold passwords, which no error and no `--help` shows.
const URL: Discreet<Url, Reason> = Discreet(address::parse);
const RECEIVER: Discreet<Receiver, String> = Discreet(receiver);

fn receiver(text: &str) -> Result<Receiver, String> {
    match text {
        "none" => Ok(Receiver::Nobody),
        _ => text
            .parse()
            .map(Receiver::Inbox)
            .map_err(|error| format!("{error}: expected an address such as http://127.0.0.1:8025, or none")),
    }
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
        return usage(&[stacks::on_stacks_of_its_own(shards, args.scale)]);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            console::error(format_args!("the runtime cannot start: {error}"));
            return exit::FAILED;
        }
    };
    runtime.block_on(async {
        match stacks::places(&args).await {
            Ok(places) => drill(&args, &suite, places).await,
            Err(error) => usage(&[error]),
        }
    })
}

fn usage<E: std::fmt::Display>(errors: &[E]) -> u8 {
    for error in errors {
        console::error(error);
    }
    exit::USAGE
}

async fn drill(args: &Args, suite: &Suite, places: Vec<Place>) -> u8 {
    let mut signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => {
            console::error(format_args!("signals cannot be handled: {error}"));
            return exit::FAILED;
        }
    };
    let lists = args.leftovers.clone().unwrap_or_else(leftovers::default_dir);
    let found = tokio::select! {
        biased;
        ending = signals.wait() => return ending.code(),
        found = leftovers::go_through(&lists) => found,
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return usage(&[format!("--leftovers: {error}")]),
    };
    for said in &found.said {
        console::line(said);
    }
    let mut shards = Vec::new();
    for (number, place) in places.into_iter().enumerate() {
        let systems = match connect(&place) {
            Ok(systems) => systems,
            Err(error) => return usage(&[error]),
        };
        match Undoing::new(&lists, place, number) {
            Ok(undoing) => {
                undoing.bar(&found.left);
                shards.push(Shard { systems, undoing });
            }
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
        let mut errors: Vec<_> =
            suite.drills.iter().flat_map(|(path, drill)| rule::check(path, drill, &rules)).collect();
        errors.extend(rule::check_ambient(suite, &rules));
        if !errors.is_empty() {
            return usage(&errors);
        }
        if shards.len() > 1 {
            // What takes long to resolve holds the next drill up: it comes last on its stack.
            order.sort_by_key(|index| rule::aftermath(&suite.drills[*index].1, &rules));
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
    // A cause that could not be undone is nobody else's doing.
    let disturbed = |record: &Record| !is_proven(record) && record.not_undone.is_empty();
    let order: Vec<usize> = (0..plan.suite.drills.len())
        .filter(|index| records.iter().any(|record| record.drill == names(index) && disturbed(record)))
        .collect();
    if order.is_empty() {
        return None;
    }
    let mut whole = 0;
    for (index, shard) in plan.shards.iter().enumerate() {
        if shard.undoing.is_sound()
            && shard.systems.prometheus.ready().await.is_ok()
            && shard.systems.alertmanager.ready().await.is_ok()
        {
            whole = index;
            break;
        }
    }
    console::line(format_args!("again, alone: {}", order.iter().map(names).collect::<Vec<_>>().join(", ")));
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
