//! The report as one HTML file that needs no network, readable on a telephone and in the dark.

mod plots;
mod steps;
mod tables;

use std::fmt::Write;

use crate::format;
use crate::report::html::steps::Steps;
use crate::report::model::{Loop, Report};
use crate::report::notes;
use crate::report::summary;
use crate::verdict::Outcome;
use common::markup::escape;

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
    let class = if Outcome::of(report) == Outcome::Fine { "good" } else { "bad" };
    // Writing to a String cannot fail, here and below.
    let mut text = format!("<p class=\"{class}\">{}</p>\n", escape(&notes::outcome(report)));
    for remark in notes::more(report) {
        let _ = writeln!(text, "<p class=\"bad\">{}</p>", escape(&remark));
    }
    let kind = match report.r#loop {
        Loop::Open => "open loop",
        Loop::Closed => "CLOSED loop: each connection waits for its answer, which flatters the target",
    };
    let seed = report.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
    let merged = if report.runs > 1 { format!(", {} runs merged", report.runs) } else { String::new() };
    let warmup = report.warmup.as_ref().map(|warmup| {
        format!("; warmed up with {} requests, in no figure", format::count(warmup.ledger.scheduled))
    });
    let warmup = warmup.unwrap_or_default();
    let _ = writeln!(
        text,
        "<p class=\"soft\">{}; {kind}{seed}{merged}: {}{warmup}. {} UTC, from {}.</p>",
        escape(&report.planned),
        summary::rates(report),
        report.started_at.strftime("%Y-%m-%d %H:%M:%S"),
        escape(&report.host.name)
    );
    text
}
