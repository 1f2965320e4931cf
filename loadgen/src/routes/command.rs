//! The `loadgen routes` command line.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use alerting::assertions::check::differences;
use alerting::assertions::file::{self, Assertion};
use alerting::routing::labels;
use alerting::routing::tree::Routing;
use clients::address;
use clients::alertmanager::Alertmanager;
use clients::prometheus::Labels;
use common::{console, exit};
use load::report_file::ReportFile;

use super::{junit, story};
use crate::discreet::Discreet;
use crate::http_args::HttpArgs;

/// Arguments of `loadgen routes`. Silences are not part of a configuration, so they are not considered.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("configuration").required(true))]
#[command(after_help = "\
Examples:
  loadgen routes --alertmanager-config monitoring/alertmanager.yml \\
    --alert HighErrorRate,severity=critical --active RedisDown
  loadgen routes --alertmanager-config alertmanager.yml --assertions routes.yaml

Exit codes: 0 fine; 1 the configuration cannot be fetched or a report cannot be
written; 2 bad arguments or files; 5 an assertion does not hold.")]
pub struct Args {
    /// Configuration file of Alertmanager
    #[arg(long, value_name = "FILE", group = "configuration")]
    alertmanager_config: Option<PathBuf>,
    /// Use the configuration that this Alertmanager runs
    #[arg(long, value_name = "URL", value_parser = Discreet(address::parse, address::redacted), group = "configuration")]
    alertmanager: Option<Url>,
    #[command(flatten)]
    http: HttpArgs,
    /// Labels of an alert, such as HighErrorRate,severity=critical; repeatable
    #[arg(long = "alert", value_name = "LABELS", value_parser = labels::parse, required_unless_present = "assertions")]
    alerts: Vec<Labels>,
    /// Labels of an alert that fires at the same time and may inhibit the others; repeatable
    #[arg(long, value_name = "LABELS", value_parser = labels::parse, requires = "alerts")]
    active: Vec<Labels>,
    /// Time at which to evaluate time intervals, in RFC 3339, such as 2026-11-30T03:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, requires = "alerts")]
    at: Option<Timestamp>,
    /// Check the alerts in this YAML file, each with its expected receivers, and show what differs
    #[arg(long, value_name = "FILE.yaml", conflicts_with = "alerts")]
    assertions: Option<PathBuf>,
    /// Also write the result of the assertions as JUnit XML
    #[arg(long, value_name = "FILE.xml", requires = "assertions")]
    junit: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "expected a time in RFC 3339, such as 2026-11-30T03:00:00Z")
}

/// Runs the command and returns the exit code.
#[must_use]
pub fn main(args: Args) -> u8 {
    let text = match configuration(&args) {
        Ok(text) => text,
        Err(error) => {
            console::error(error);
            return if args.alertmanager.is_some() { exit::FAILED } else { exit::USAGE };
        }
    };
    match run(&args, &text) {
        Ok(code) => code,
        Err(error) => {
            console::error(error);
            exit::USAGE
        }
    }
}

/// The text of the configuration.
fn configuration(args: &Args) -> Result<String, Box<dyn Error>> {
    let Some(url) = &args.alertmanager else {
        return read(args.alertmanager_config.as_deref().unwrap_or(Path::new("")));
    };
    let alertmanager = Alertmanager::new(url, &args.http.config())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
    Ok(runtime.block_on(alertmanager.config())?)
}

fn read(path: &Path) -> Result<String, Box<dyn Error>> {
    fs::read_to_string(path)
        .map_err(|error| format!("{}: cannot read the file: {error}", path.display()).into())
}

fn run(args: &Args, text: &str) -> Result<u8, Box<dyn Error>> {
    let from = match (&args.alertmanager_config, &args.alertmanager) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(url)) => address::redacted(url.as_str()),
        (None, None) => String::new(),
    };
    let named = |error| format!("{from}: {error}");
    let routing = Routing::parse(text).map_err(named)?;
    routing.check().map_err(named)?;
    if let Some(path) = &args.assertions {
        return assertions(args, &routing, path, &from);
    }
    let at = args.at.unwrap_or_else(Timestamp::now);
    let (mut values, mut shown) = (Vec::new(), Vec::new());
    for alert in &args.alerts {
        let decision = routing.decide(alert, &args.active, at).map_err(named)?;
        if args.json {
            values.push(story::json(alert, at, &decision));
        } else {
            shown.push(story::text(alert, at, &decision));
        }
    }
    if args.json {
        console::result(&format!("{:#}\n", Value::Array(values)));
    } else {
        console::result(&shown.join("\n"));
    }
    Ok(exit::FINE)
}

/// An assertion with what differs from it.
type Checked = (Assertion, Vec<String>);

fn assertions(args: &Args, routing: &Routing, path: &Path, from: &str) -> Result<u8, Box<dyn Error>> {
    let report = args.junit.as_deref().map(|path| {
        ReportFile::at(path).map_err(|error| format!("{}: cannot write the report: {error}", path.display()))
    });
    let report = report.transpose()?;
    let mut checked: Vec<Checked> = Vec::new();
    for assertion in file::parse(path, &read(path)?)? {
        let found = differences(routing, &assertion)
            .map_err(|error| format!("{}: assertion `{}`: {error}", path.display(), assertion.name))?;
        checked.push((assertion, found));
    }
    let failed = checked.iter().filter(|(_, differences)| !differences.is_empty()).count();
    if args.json {
        console::result(&format!("{:#}\n", story::json_of_assertions(&checked)));
    } else {
        console::result(&story::text_of_assertions(&checked, from));
    }
    if let Some(report) = report {
        let written = junit::report(&checked).map_err(|error| error.to_string()).and_then(|xml| {
            report.write(|file| file.write_all(xml.as_bytes())).map_err(|error| error.to_string())
        });
        if let Err(error) = written {
            let path = args.junit.as_deref().unwrap_or(Path::new(""));
            console::error(format_args!("{}: cannot write the report: {error}", path.display()));
            return Ok(exit::FAILED);
        }
    }
    Ok(if failed == 0 { exit::FINE } else { exit::NOT_PROVEN })
}
