//! The `loadgen check` command line.

use std::fs;
use std::path::{Path, PathBuf};

use alerting::assertions;
use common::source_error::FileError;
use common::{console, exit};
use drill::file::suite;
use load::spec::scenario::Scenario;

/// Arguments of `loadgen check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The first of the keys `drill`, `suite`, `scenario` and `assertions` at the top
level determines the kind of a file.

Exit codes: 0 every file is valid; 2 a file is not.")]
pub struct Args {
    /// Drill, suite, scenario and assertion files, or directories of them (*.yaml and *.yml, not recursive)
    #[arg(value_name = "FILE|DIRECTORY", required = true)]
    paths: Vec<PathBuf>,
}

/// The kind of a file.
enum Kind {
    /// A drill or suite file; these are read together, because names must be unique.
    Drill,
    Scenario,
    Assertions,
}

/// Runs the command and returns the exit code.
#[must_use]
pub fn main(args: &Args) -> u8 {
    let (mut drills, mut errors, mut count) = (Vec::new(), Vec::new(), 0_usize);
    let files = args.paths.iter().flat_map(|path| files_of(path).unwrap_or_else(|error| vec![Err(error)]));
    for file in files {
        let checked = file.and_then(|file| {
            count += 1;
            let text = fs::read_to_string(&file).map_err(unreadable(&file))?;
            match kind(&file, &text)? {
                Kind::Drill => drills.push(file),
                Kind::Scenario => Scenario::parse(&file, &text).map(drop)?,
                Kind::Assertions => assertions::file::parse(&file, &text).map(drop)?,
            }
            Ok(())
        });
        errors.extend(checked.err());
    }
    if !drills.is_empty() {
        let (suite, mistakes) = suite::survey(&drills);
        errors.extend(mistakes);
        errors.extend(suite.unfilled.into_iter().map(|unfilled| unfilled.error));
    }
    errors.iter().for_each(console::error);
    if errors.is_empty() {
        let files = if count == 1 { "file is" } else { "files are" };
        console::result(&format!("{count} {files} valid\n"));
        return exit::FINE;
    }
    exit::USAGE
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
    |error| FileError::file(path, format!("cannot read the file: {error}"))
}

/// The file itself, or the YAML files of a directory.
fn files_of(path: &Path) -> Result<Vec<Result<PathBuf, FileError>>, FileError> {
    if !path.is_dir() {
        return Ok(vec![Ok(path.to_owned())]);
    }
    let entries = fs::read_dir(path).map_err(unreadable(path))?;
    let mut files =
        entries.map(|entry| Ok(entry.map_err(unreadable(path))?.path())).collect::<Result<Vec<_>, _>>()?;
    files.retain(|file| file.extension().is_some_and(|it| it == "yaml" || it == "yml") && file.is_file());
    if files.is_empty() {
        return Err(FileError::file(path, "has no *.yaml or *.yml file".to_owned()));
    }
    files.sort();
    Ok(files.into_iter().map(Ok).collect())
}

/// The kind of a file, from its first known key at the start of a line.
fn kind(path: &Path, text: &str) -> Result<Kind, FileError> {
    let of = |line: &str| match line.split_once(':')?.0.trim_end() {
        "drill" | "suite" => Some(Kind::Drill),
        "scenario" => Some(Kind::Scenario),
        "assertions" => Some(Kind::Assertions),
        _ => None,
    };
    text.lines().find_map(of).ok_or_else(|| {
        let expected = "expected the key drill, suite, scenario or assertions at the start of a line";
        FileError::file(path, format!("unknown kind of file: {expected}"))
    })
}
