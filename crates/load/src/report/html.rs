//! The report as a self-contained HTML file, for small screens and dark mode too.

mod frame;
mod plots;
mod steps;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::format;
use crate::report::html::steps::Steps;
use crate::report::model::{Loop, Report};
use crate::report::notes;
use crate::report::summary;
use crate::verdict::Outcome;

const STYLE: &str = include_str!("html/style.css");

/// A complete page in the common style of reports; `class` is the class of its body.
#[must_use]
pub fn document(title: &str, class: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body class=(class) { h1 { (title) } (body) }
        }
    };
    page.into_string()
}

/// The page of a report.
#[must_use]
pub fn page(report: &Report) -> String {
    let name = report.pattern.as_deref().map(|name| format!("{name} · ")).unwrap_or_default();
    let body = html! {
        (heading(report))
        (tables::figures(report))
        div.grid { (plots::all(report, &Steps::of(report))) }
        (tables::counts(report))
    };
    document(&format!("{name}{}", report.target), "run", &body)
}

fn heading(report: &Report) -> Markup {
    let class = if Outcome::of(report) == Outcome::Fine { "good" } else { "bad" };
    let kind = match report.r#loop {
        Loop::Open => "open loop",
        Loop::Closed => {
            "CLOSED loop: each connection waits for its response, so response times look better than under an open loop"
        }
    };
    html! {
        p class=(class) { (notes::outcome(report)) }
        @for note in notes::more(report) { p.bad { (note) } }
        p.soft {
            (report.planned) "; " (kind)
            @if let Some(seed) = report.seed { ", seed " (seed) }
            @if report.runs > 1 { ", " (report.runs) " runs merged" }
            ": " (summary::rates(report))
            @if let Some(warmup) = &report.warmup {
                "; warmed up with " (format::count(warmup.ledger.scheduled)) " requests, not included in the figures"
            }
            ". " (report.started_at.strftime("%Y-%m-%d %H:%M:%S")) " UTC, from " (report.host.name) "."
        }
    }
}
