//! The tables of the page.

use maud::{Markup, html};

use crate::format;
use crate::record::distribution::Distribution;
use crate::record::window::NAMES;
use crate::report::model::Report;
use crate::wire::error::Fault;

/// Latencies and thresholds.
pub fn figures(report: &Report) -> Markup {
    let figures = |of: &Distribution| [of.min, of.mean, of.p50, of.p90, of.p95, of.p99, of.p999, of.max];
    html! {
        div.scroll { table.latencies {
            tr { th {} @for name in ["min", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"] { th { (name) } } }
            @for ((_, name), distribution) in NAMES.into_iter().zip(report.latency_seconds.each()) {
                tr { td { (name) } @for figure in figures(distribution) { td { (format::latency(figure)) } } }
            }
        } }
        p.soft { "Response time counts from when a request was due, service time from when it was sent." }
        @if !report.thresholds.is_empty() {
            div.scroll { table {
                tr { th { "threshold" } th { "measured" } th {} }
                @for result in &report.thresholds {
                    tr {
                        td { (result.threshold) }
                        td { (result.readable()) }
                        @if result.ok { td.good { "met" } } @else { td.bad { "crossed" } }
                    }
                }
            } }
        }
    }
}

/// Requests by outcome, responses by status, errors by kind.
pub fn counts(report: &Report) -> Markup {
    let ledger = &report.ledger;
    let parts = ledger.parts().into_iter().zip(["=", "+", "+", "+", "+", "+"]);
    let parts = parts.map(|((what, count), sign)| (format!("{sign} {what}"), count));
    let mut all = std::iter::once(("scheduled".to_owned(), ledger.scheduled)).chain(parts);
    let statuses = report.statuses.iter().map(|(status, count)| (format!("status {status}"), *count));
    let error = |fault: Fault| Some((fault.meaning().to_owned(), *report.errors.get(fault.name())?));
    let table = |heading: &str, rows: &mut dyn Iterator<Item = (String, u64)>| {
        html! {
            section { h2 { (heading) } div.scroll { table {
                @for (name, count) in rows {
                    tr { td { (name) } td { (format::count(count)) } td { (format::share(count, ledger.scheduled)) } }
                }
            } } }
        }
    };
    html! {
        div.grid {
            (table("Requests by outcome", &mut all))
            (table("Statuses and errors", &mut statuses.chain(Fault::ALL.into_iter().filter_map(error))))
        }
    }
}
