//! The result of a run of drills: standard output, report files and exit code.

use std::path::{Path, PathBuf};

use crate::drill::args::Args;
use common::signals::Ending;
use common::{console, exit};
use drill::evidence::count::COUNTED_ONLY;
use drill::record::case::Case;
use drill::record::judgement::Verdict;
use drill::report::json::{self, Run};
use drill::report::{html, junit, markdown, table};
use load::error::LoadError;
use load::report_file::ReportFile;

pub fn is_proven(record: &Case) -> bool {
    record.judgement.as_ref().is_some_and(|judgement| judgement.verdict == Verdict::Proven)
}

pub fn print(run: &Run, records: &[Case]) {
    let mut text = String::new();
    for record in records {
        let details = table::story(record);
        if !details.is_empty() {
            text.push_str(&details);
            text.push('\n');
        }
    }
    text.push_str(&table::table(records));
    for record in records.iter().filter(|record| is_proven(record)) {
        if let Some(first) = &record.disturbed {
            text.push_str(&format!(
                "{} was proven when run alone; in parallel with others it was {first}\n",
                record.drill
            ));
        }
    }
    if records.iter().any(|record| record.expectation.counted && is_proven(record)) {
        text.push_str(&format!("{COUNTED_ONLY}, because no inbox is configured\n"));
    }
    if !run.not_run.is_empty() {
        text.push_str(&format!("not run: {}\n", run.not_run.join(", ")));
    }
    console::result(&text);
}

/// The report files of a run.
#[derive(Debug)]
pub struct Reports {
    json: Option<Output>,
    html: Option<Output>,
    junit: Option<Output>,
    markdown: Option<Output>,
}

/// A report file and its path as given.
#[derive(Debug)]
struct Output(PathBuf, ReportFile);

impl Output {
    fn check(path: &Path) -> Result<Self, LoadError> {
        let unwritable =
            |error| LoadError::Output(format!("{}: cannot write the report: {error}", path.display()));
        Ok(Self(path.to_owned(), ReportFile::at(path).map_err(unwritable)?))
    }

    fn write(&self, text: std::io::Result<String>) -> bool {
        match text.and_then(|text| self.1.write(|file| file.write_all(text.as_bytes()))) {
            Ok(()) => true,
            Err(error) => {
                console::error(format_args!("{}: cannot write the report: {error}", self.0.display()));
                false
            }
        }
    }
}

impl Reports {
    /// Checks that the files can be written.
    ///
    /// # Errors
    /// Names the first that cannot.
    pub fn check(args: &Args) -> Result<Self, LoadError> {
        let output = |path: &Option<PathBuf>| path.as_deref().map(Output::check).transpose();
        Ok(Self {
            json: output(&args.json)?,
            html: output(&args.html)?,
            junit: output(&args.junit)?,
            markdown: output(&args.markdown)?,
        })
    }

    /// Writes the reports. Returns whether all reports and proofs could be written.
    pub fn write(&self, run: &Run, records: &[Case]) -> bool {
        let not_kept: Vec<_> = records.iter().filter_map(|record| record.not_kept.as_ref()).collect();
        not_kept.iter().for_each(console::error);
        let json = |to: &Output| to.write(Ok(format!("{:#}\n", json::report(run, records))));
        let json = self.json.as_ref().is_none_or(json);
        let html = self.html.as_ref().is_none_or(|to| to.write(Ok(html::page(run, records))));
        let junit = |to: &Output| to.write(junit::report(run, records).map_err(std::io::Error::other));
        let junit = self.junit.as_ref().is_none_or(junit);
        let markdown = |to: &Output| to.write(Ok(markdown::report(run, records)));
        let markdown = self.markdown.as_ref().is_none_or(markdown);
        json && html && junit && markdown && not_kept.is_empty()
    }
}

pub fn code(records: &[Case], ending: Option<Ending>, written: bool) -> u8 {
    if let Some(ending) = ending {
        return ending.code();
    }
    if !records.iter().all(is_proven) {
        return exit::NOT_PROVEN;
    }
    if written { exit::FINE } else { exit::FAILED }
}
