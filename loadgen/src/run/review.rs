//! `loadgen report`: reports read again, merged, held against thresholds, written in another form.

use std::path::PathBuf;

use super::merge::merge;
use super::outfile::OutFile;
use super::reader::read;
use super::summary;
use super::threshold::Threshold;
use super::verdict::Outcome;
use crate::{exit, say};

/// Arguments of `loadgen report`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  loadgen report run.json --out run.html
  loadgen report machine-1.json machine-2.json --out both.json --threshold 'p99<250ms'

The exit code is that of a run that came to the same.")]
pub struct Args {
    /// Reports that `loadgen run --out FILE.json` wrote; several are merged, their histograms without loss
    #[arg(required = true, value_name = "FILE.json")]
    pub files: Vec<PathBuf>,
    /// Write the report as JSON, as one offline HTML file, or its series as CSV; repeatable
    #[arg(long, value_name = "FILE.json|.html|.csv")]
    pub out: Vec<PathBuf>,
    /// Exit 3 unless it holds, such as p99<250ms; repeatable
    #[arg(long = "threshold", value_name = "BOUND")]
    pub thresholds: Vec<Threshold>,
}

/// Prints the summary; the exit code.
#[must_use]
pub fn main(args: &Args) -> u8 {
    match review(args) {
        Ok(code) => code,
        Err((error, code)) => {
            say::error(error);
            code
        }
    }
}

fn review(args: &Args) -> Result<u8, (String, u8)> {
    let usage = |error: String| (error, exit::USAGE);
    let reports = args.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>().map_err(usage)?;
    let mut report = merge(reports).map_err(|error| usage(error.to_string()))?;
    if !args.thresholds.is_empty() {
        report.hold(&args.thresholds).map_err(usage)?;
    }
    let outs = OutFile::all(&args.out).map_err(usage)?;
    say::result(&summary::text(&report));
    outs.into_iter().try_for_each(|out| out.finish(&report)).map_err(|error| (error, exit::FAILED))?;
    Ok(Outcome::of(&report).exit_code())
}
