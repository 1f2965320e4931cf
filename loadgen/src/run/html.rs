//! The report as one HTML file that needs no network, readable on a telephone and in the dark.

mod plots;
mod steps;
mod tables;

use std::fmt::Write;
use std::time::Duration;

use super::report::{Loop, Report};
use super::verdict::Outcome;
use crate::duration;
use crate::markup::escape;
use steps::Steps;

const STYLE: &str = include_str!("html/style.css");

/// The page.
#[must_use]
pub fn page(report: &Report) -> String {
    let name = report.pattern.as_deref().map(|name| format!("{name} · ")).unwrap_or_default();
    let title = escape(&format!("{name}{}", report.target));
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    );
    text.push_str(&heading(report));
    text.push_str(&tables::figures(report));
    text.push_str("<div class=\"grid\">\n");
    let steps = Steps::of(report);
    text.push_str(&plots::all(report, &steps));
    text.push_str("</div>\n");
    text.push_str(&tables::counts(report));
    text.push_str("</body></html>\n");
    text
}

fn heading(report: &Report) -> String {
    let (class, words) = match Outcome::of(report) {
        Outcome::Fine => ("good", "Fine: every answer was as expected.".to_owned()),
        Outcome::Failed(why) => ("bad", format!("FAILED: {why}.")),
        Outcome::LedgerBroken(why) => ("bad", format!("FAILED: the ledger does not add up: {why}.")),
        Outcome::Threshold(which) => ("bad", format!("THRESHOLD crossed: {which}.")),
        Outcome::Invalid => ("bad", "INVALID: these figures say little about the target.".to_owned()),
        Outcome::Interrupted(signal) => ("bad", format!("Interrupted by {signal}: the report is partial.")),
    };
    let mut text = format!("<p class=\"{class}\">{}</p>\n", escape(&words));
    for cause in &report.invalid_because {
        let _ = writeln!(text, "<p class=\"bad\">{}</p>", escape(cause)); // writing to a String cannot fail, here and below
    }
    let kind = match report.r#loop {
        Loop::Open => "open loop",
        Loop::Closed => "CLOSED loop: each connection waits for its answer, which flatters the target",
    };
    let seed = report.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
    let merged = if report.runs > 1 { format!(", {} runs merged", report.runs) } else { String::new() };
    let _ = writeln!(
        text,
        "<p class=\"soft\">{}; {kind}{seed}{merged}. {} UTC, {}, from {}.</p>",
        escape(&report.planned),
        report.started_at.strftime("%Y-%m-%d %H:%M:%S"),
        duration::format(Duration::from_secs(report.elapsed_seconds.round() as u64)),
        escape(&report.host.name)
    );
    text
}
