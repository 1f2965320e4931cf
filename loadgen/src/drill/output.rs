//! The result of a run of drills: standard output, report files and exit code.

use std::fs;
use std::path::Path;

use crate::drill::args::Args;
use common::signals::Ending;
use common::{console, exit};
use drill::evidence::count::COUNTED_ONLY;
use drill::record::case::Case;
use drill::record::judgement::Verdict;
use drill::report::json::{self, Run};
use drill::report::{html, junit, table};

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

/// Writes the reports. Returns whether all reports and proofs could be written.
pub fn write(args: &Args, run: &Run, records: &[Case]) -> bool {
    let report = json::report(run, records);
    let put = |path: &Path, text: std::io::Result<String>| match text.and_then(|text| fs::write(path, text)) {
        Ok(()) => true,
        Err(error) => {
            console::error(format_args!("{}: cannot write the report: {error}", path.display()));
            false
        }
    };
    let not_kept: Vec<_> = records.iter().filter_map(|record| record.not_kept.as_ref()).collect();
    not_kept.iter().for_each(console::error);
    let json = args.json.as_ref().is_none_or(|path| put(path, Ok(format!("{report:#}\n"))));
    let html = args.html.as_ref().is_none_or(|path| put(path, Ok(html::page(run, records))));
    let junit = args
        .junit
        .as_ref()
        .is_none_or(|path| put(path, junit::report(run, records).map_err(std::io::Error::other)));
    json && html && junit && not_kept.is_empty()
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
