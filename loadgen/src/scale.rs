//! The `loadgen scale` command line.

use std::error::Error;
use std::fmt::{self, Write};
use std::path::PathBuf;

use alerting::scale::files::{self, Source};
use alerting::scale::{Factor, Options, Rendered, Replacement, Replacements, render};
use common::{console, exit};

/// Arguments of `loadgen scale`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory with prometheus.yml, its rule files and alertmanager.yml
    #[arg(value_name = "MONITORING_DIR")]
    dir: PathBuf,
    /// Divide every duration by this factor; 1 keeps the durations
    #[arg(long, value_name = "FACTOR")]
    by: Factor,
    /// Output directory; created if missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Directory to use in place of / for absolute paths in rule_files [default: /]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Replace an address in scrape targets, alertmanagers and receivers; repeatable
    #[arg(long = "address", value_name = "HOST:PORT=HOST:PORT")]
    addresses: Vec<Replacement>,
    /// Do not list the changes
    #[arg(long, short)]
    quiet: bool,
}

/// Runs the command and returns the exit code.
#[must_use]
pub fn main(args: Args) -> u8 {
    match run(&args) {
        Ok(rendered) => {
            for warning in &rendered.warnings {
                console::warning(format_args!("{}: {}: {}", warning.file, warning.field, warning.reason));
            }
            if !args.quiet {
                console::result(&list(&rendered, &args).unwrap_or_default()); // writing to a String cannot fail
            }
            exit::FINE
        }
        Err(reason) => {
            console::error(reason);
            exit::USAGE
        }
    }
}

fn run(args: &Args) -> Result<Rendered, Box<dyn Error>> {
    let addresses =
        Replacements::new(args.addresses.iter().cloned()).map_err(|reason| format!("--address: {reason}"))?;
    let source = Source { dir: &args.dir, root: args.root.as_deref() };
    let rendered = render(&files::read(source)?, &Options { factor: args.by, addresses })?;
    files::write(&rendered, source, &args.out)?;
    Ok(rendered)
}

fn list(rendered: &Rendered, args: &Args) -> Result<String, fmt::Error> {
    let mut out = String::new();
    let mut file = "";
    for change in &rendered.changes {
        if change.file != file {
            file = &change.file;
            writeln!(out, "{file}")?;
        }
        let note = change.note.as_ref().map(|note| format!("  ({note})")).unwrap_or_default();
        writeln!(out, "  {}: {} → {}{note}", change.field, change.from, change.to)?;
    }
    let (files, changes) = (rendered.files.len(), rendered.changes.len());
    writeln!(out, "{files} files written to {}, {changes} values changed", args.out.display())?;
    Ok(out)
}
