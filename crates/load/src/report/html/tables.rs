//! The tables of the page.

use std::fmt::Write;

use crate::format;
use crate::record::distribution::Distribution;
use crate::report::model::Report;
use crate::verdict::threshold::Threshold;
use crate::wire::error::Fault;
use common::markup::escape;

/// Latencies and what they are held against.
pub fn figures(report: &Report) -> String {
    let latency = &report.latency_seconds;
    let mut text = String::from("<div class=\"scroll\"><table class=\"latencies\"><tr><th></th>");
    for column in ["min", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"] {
        let _ = write!(text, "<th>{column}</th>");
    }
    text.push_str("</tr>\n");
    for (name, distribution) in [
        ("response time", &latency.response),
        ("service time", &latency.service),
        ("pacer lag", &latency.pacer_lag),
        ("connection wait", &latency.connection_wait),
    ] {
        let Distribution { min, mean, p50, p90, p95, p99, p999, max, .. } = *distribution;
        let _ = write!(text, "<tr><td>{name}</td>");
        for value in [min, mean, p50, p90, p95, p99, p999, max] {
            let _ = write!(text, "<td>{}</td>", format::latency(value));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</table></div>\n<p class=\"soft\">Response time counts from when a request was due, service time from when it was sent.</p>\n");
    if !report.thresholds.is_empty() {
        text.push_str("<div class=\"scroll\"><table><tr><th>threshold</th><th>is</th><th></th></tr>\n");
        for held in &report.thresholds {
            let value = held
                .threshold
                .parse::<Threshold>()
                .map_or_else(|_| String::new(), |t| t.readable(held.value));
            let (class, word) = if held.ok { ("good", "kept") } else { ("bad", "crossed") };
            let threshold = escape(&held.threshold);
            let _ = writeln!(
                text,
                "<tr><td>{threshold}</td><td>{value}</td><td class=\"{class}\">{word}</td></tr>"
            );
        }
        text.push_str("</table></div>\n");
    }
    text
}

/// Where the arrivals went, answers by status, errors by kind.
pub fn counts(report: &Report) -> String {
    let ledger = &report.ledger;
    let mut rows = vec![
        ("scheduled".to_owned(), ledger.scheduled),
        ("= expected".to_owned(), ledger.expected),
        ("+ unexpected".to_owned(), ledger.unexpected),
        ("+ transport errors".to_owned(), ledger.transport_errors),
        ("+ local errors".to_owned(), ledger.local_errors),
        ("+ shed".to_owned(), ledger.shed),
        ("+ unfinished".to_owned(), ledger.unfinished),
    ];
    let mut text = String::from("<div class=\"grid\">\n");
    text.push_str(&rows_of("Where the requests went", &rows, ledger.scheduled));
    rows = report.statuses.iter().map(|(status, count)| (format!("status {status}"), *count)).collect();
    rows.extend(
        Fault::ALL
            .iter()
            .filter_map(|fault| Some((fault.meaning().to_owned(), *report.errors.get(fault.name())?))),
    );
    text.push_str(&rows_of("Statuses and errors", &rows, ledger.scheduled));
    text.push_str("</div>\n");
    text
}

fn rows_of(heading: &str, rows: &[(String, u64)], whole: u64) -> String {
    let mut text = format!("<section><h2>{heading}</h2><div class=\"scroll\"><table>\n");
    for (name, count) in rows {
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(name),
            format::count(*count),
            format::share(*count, whole)
        );
    }
    text + "</table></div></section>\n"
}
