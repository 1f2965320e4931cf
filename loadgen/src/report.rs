//! The `loadgen report` command line: merges reports, checks thresholds and converts formats.

use std::path::PathBuf;

use common::{console, exit};
use load::error::LoadError;
use load::report::merge::merge;
use load::report::model::Report;
use load::report::output::OutFile;
use load::report::read::read;
use load::report::{comparable, summary};
use load::verdict::Outcome;
use load::verdict::threshold::Threshold;

/// Arguments of `loadgen report`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  loadgen report run.json --out run.html
  loadgen report a.json b.json --out both.json --threshold 'p99<250ms'

The thresholds of the runs are checked against the merged report, unless
--threshold replaces them. Exit codes are those of `loadgen run`.")]
pub struct Args {
    /// Reports written by `loadgen run --out FILE.json`; several are merged, with lossless histograms
    #[arg(required = true, value_name = "FILE.json")]
    pub files: Vec<PathBuf>,
    /// Write the report as JSON, as self-contained HTML, or its series as CSV; repeatable
    #[arg(long, value_name = "FILE.json|.html|.csv")]
    pub out: Vec<PathBuf>,
    /// Exit with 3 if this threshold is crossed, such as p99<250ms; replaces the runs' thresholds; repeatable
    #[arg(long = "threshold", value_name = "BOUND")]
    pub thresholds: Vec<Threshold>,
}

/// Prints the summary and returns the exit code.
#[must_use]
pub fn main(args: &Args) -> u8 {
    match review(args) {
        Ok(code) => code,
        Err((error, code)) => {
            console::error(error);
            code
        }
    }
}

fn review(args: &Args) -> Result<u8, (String, u8)> {
    let usage = |error: LoadError| (error.to_string(), exit::USAGE);
    let reports = args.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>().map_err(usage)?;
    let name = |index: usize| args.files[index].display();
    if let Some((one, other)) = comparable::twice(&reports) {
        let reason = format!(
            "{} and {} contain the same run, started at {}: remove one of them",
            name(one),
            name(other),
            reports[one].started_at
        );
        return Err((reason, exit::USAGE));
    }
    comparable::doubts(&reports).iter().for_each(console::warning);
    let report = merged(&reports, &args.thresholds).map_err(|error| (error, exit::USAGE))?;
    for (index, verdict) in comparable::hidden(&reports, &report) {
        console::warning(format_args!("{}: {verdict} The merged report is fine", name(index)));
    }
    let outs = OutFile::all(&args.out).map_err(usage)?;
    console::result(&summary::text(&report));
    outs.into_iter()
        .try_for_each(|out| out.finish(&report))
        .map_err(|error| (error.to_string(), exit::FAILED))?;
    Ok(Outcome::of(&report).exit_code())
}

/// Merges reports. Given thresholds replace those of the runs.
fn merged(reports: &[Report], thresholds: &[Threshold]) -> Result<Report, String> {
    let mut reports = reports.to_vec();
    if !thresholds.is_empty() {
        reports.iter_mut().for_each(|report| report.thresholds.clear());
    }
    let mut report = merge(reports).map_err(|error| error.to_string())?;
    if !thresholds.is_empty() {
        report.evaluate_thresholds(thresholds)?;
    }
    Ok(report)
}
