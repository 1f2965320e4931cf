//! The `loadgen drill` command line.

use std::fs;
use std::path::{Path, PathBuf};

use url::Url;

use super::json::{self, Run};
use super::record::Record;
use super::signals::{Ending, Signals};
use super::suite::{self, Suite};
use super::verdict::Verdict;
use super::watch::Systems;
use super::{html, session, subject, table};
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
    /// Inbox that receives the notifications
    #[arg(long, env = "INBOX_URL", value_name = "URL", default_value = "http://127.0.0.1:8025")]
    inbox: Url,
    /// The stack's durations are divided by this: divides the drills' objectives, too
    #[arg(long, env = "TIME_SCALE", value_name = "N", default_value = "1", value_parser = scale)]
    scale: f64,
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
    for path in [&args.json, &args.html].into_iter().flatten() {
        // A report that cannot be written is found out now, not after half an hour.
        if let Err(error) = fs::OpenOptions::new().append(true).create(true).open(path) {
            return usage(&[format!("{}: cannot be written: {error}", path.display())]);
        }
    }
    let systems = match connect(&args) {
        Ok(systems) => systems,
        Err(error) => return usage(&[error]),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot start: {error}");
            return exit::FAILED;
        }
    };
    runtime.block_on(drill(&args, &suite, &systems))
}

fn usage<E: std::fmt::Display>(errors: &[E]) -> u8 {
    for error in errors {
        eprintln!("error: {error}");
    }
    exit::USAGE
}

fn connect(args: &Args) -> Result<Systems, SystemError> {
    Ok(Systems {
        prometheus: Prometheus::new(&args.prometheus)?,
        alertmanager: Alertmanager::new(&args.alertmanager)?,
        inbox: Inbox::new(&args.inbox)?,
    })
}

async fn drill(args: &Args, suite: &Suite, systems: &Systems) -> u8 {
    let mut signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => {
            eprintln!("error: signals cannot be handled: {error}");
            return exit::FAILED;
        }
    };
    // Names are held against the loaded rules before any traffic. A Prometheus that does not answer is not the
    // files' mistake: each drill's preflight refuses it with the reason.
    let rules = tokio::select! {
        biased;
        ending = signals.wait() => return ending.code(),
        rules = systems.prometheus.rules() => rules,
    };
    if let Ok(rules) = rules {
        let errors: Vec<_> =
            suite.drills.iter().flat_map(|(path, drill)| subject::check(path, drill, &rules)).collect();
        if !errors.is_empty() {
            return usage(&errors);
        }
    }
    let (run, records, ending) = session::run(systems, &args.target, suite, args.scale, &mut signals).await;
    print(&run, &records);
    let written = write(args, &run, &records);
    code(&records, ending, written)
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
    json && html
}

fn code(records: &[Record], ending: Option<Ending>, written: bool) -> u8 {
    if let Some(ending) = ending {
        return ending.code();
    }
    let proven = |record: &Record| {
        record.judgement.as_ref().is_some_and(|judgement| judgement.verdict == Verdict::Proven)
    };
    if !records.iter().all(proven) {
        return exit::NOT_PROVEN;
    }
    if written { exit::FINE } else { exit::FAILED }
}
