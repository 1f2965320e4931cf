//! The `loadgen coverage` command line.

use std::error::Error;
use std::path::PathBuf;

use url::Url;

use clients::HttpConfig;
use clients::address;
use clients::backend::{Backend, BackendConfig};
use common::{console, exit, proof};
use coverage::{Alert, Holdings, cover, report, rules, scaffold};
use drill::file::suite::{self, Suite};

use crate::discreet::Discreet;
use crate::http_args::HttpArgs;

/// Arguments of `loadgen coverage`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rule file, or directory of *.yml, *.yaml and *.rules files (not recursive)
    #[arg(long, value_name = "FILE|DIR", default_value = "monitoring/alert_rules")]
    rules: PathBuf,
    /// Use the alerts loaded by this Prometheus instead of rule files
    #[arg(long, value_name = "URL", value_parser = Discreet(address::parse, address::redacted), conflicts_with = "rules")]
    prometheus: Option<Url>,
    #[command(flatten)]
    http: HttpArgs,
    /// Directory of drill files
    #[arg(long, value_name = "DIR", default_value = "monitoring/drills")]
    drills: PathBuf,
    /// Directory of promtool unit tests
    #[arg(long, value_name = "DIR", default_value = "monitoring/rule_tests")]
    tests: PathBuf,
    /// Directory of runbooks named ALERTNAME.md
    #[arg(long, value_name = "DIR", default_value = "docs/runbooks")]
    runbooks: PathBuf,
    /// Directory of the last proofs
    #[arg(long, env = "PROOFS_DIR", value_name = "DIR", default_value = "deploy/proofs")]
    proofs: PathBuf,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
    /// Write a drill template for each alert that has no drill
    #[arg(long)]
    write_missing: bool,
}

/// Runs the command and returns the exit code: 0 when every alert has a drill, a unit test and a runbook, else 5.
#[must_use]
pub fn main(args: Args) -> u8 {
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            console::error(error);
            exit::USAGE
        }
    }
}

fn run(args: &Args) -> Result<u8, Box<dyn Error>> {
    let alerts = match &args.prometheus {
        Some(url) => fetch(url, &args.http.config())?,
        None => rules::alerts(&args.rules)?,
    };
    // A foreign rule set may have no tests or runbooks at all, so a missing directory is not an error.
    let missing = |path: &PathBuf| !path.exists();
    let holdings = Holdings {
        suite: if missing(&args.drills) { Suite::default() } else { drills(args)? },
        tested: if missing(&args.tests) { Vec::new() } else { rules::tested(&args.tests)? },
        runbooks: if missing(&args.runbooks) { Default::default() } else { rules::runbooks(&args.runbooks)? },
        proofs: proof::read_all(&args.proofs),
    };
    let covered = cover(&alerts, &holdings);
    let mut text =
        if args.json { format!("{:#}\n", report::json(&covered)) } else { report::table(&covered) };
    if args.write_missing {
        for path in scaffold::write_missing(&args.drills, &covered, &holdings.suite)? {
            if !args.json {
                text.push_str(&format!("written: {}\n", path.display()));
            }
        }
    }
    console::result(&text);
    Ok(if covered.iter().all(coverage::Covered::is_complete) { exit::FINE } else { exit::NOT_PROVEN })
}

fn drills(args: &Args) -> Result<Suite, Box<dyn Error>> {
    let (suite, errors) = suite::survey(std::slice::from_ref(&args.drills));
    let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
    if messages.is_empty() { Ok(suite) } else { Err(messages.join("\n").into()) }
}

fn fetch(url: &Url, config: &HttpConfig) -> Result<Vec<Alert>, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
    let prometheus = Backend::new(url, &BackendConfig::default(), config)?;
    let groups = runtime.block_on(prometheus.loaded())?;
    let alerts = rules::loaded(&groups);
    if alerts.is_empty() {
        let url = address::redacted(url.as_str());
        return Err(format!("{url}: no alerts found: this Prometheus has no alerting rules").into());
    }
    Ok(alerts)
}
