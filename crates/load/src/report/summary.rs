//! The report as text of 80 columns.

use std::fmt::Write;

use crate::format;
use crate::record::distribution::Distribution;
use crate::record::window::NAMES;
use crate::report::model::{Loop, Report};
use crate::report::notes;
use crate::wire::error::Fault;
use common::duration;

const WIDTH: usize = 80;
/// Indentation as wide as the labels.
const INDENT: &str = "            ";

/// The summary of a run, with a trailing line break.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    heading(&mut text, report);
    entry(&mut text, "requests", &ledger(report));
    if let Some(warmup) = &report.warmup {
        let time = duration::format(std::time::Duration::from_secs_f64(warmup.seconds));
        entry(
            &mut text,
            "warm-up",
            &format!("{} in {time}, not included below", format::count(warmup.ledger.scheduled)),
        );
    }
    entry(&mut text, "rate", &rates(report));
    entry(&mut text, "statuses", &format::statuses(&report.statuses));
    entry(&mut text, "errors", &errors(report));
    latencies(&mut text, report);
    thresholds(&mut text, report);
    outcome(&mut text, report);
    text
}

fn thresholds(text: &mut String, report: &Report) {
    if report.thresholds.is_empty() {
        return;
    }
    text.push('\n');
    for result in &report.thresholds {
        let sign = if result.ok { "met" } else { "CROSSED" };
        let _ = writeln!(text, "{sign:<12}{:<28}{}", result.threshold, result.readable()); // writing to a String cannot fail
    }
}

fn heading(text: &mut String, report: &Report) {
    let name = report.pattern.as_deref().map(|name| format!("{name} · ")).unwrap_or_default();
    paragraph(text, &format!("{name}{}", report.target), "");
    let open = match report.r#loop {
        Loop::Open => "open loop",
        Loop::Closed => "CLOSED loop, each connection waits for its response",
    };
    let seed = report.seed.map(|seed| format!(", --seed {seed}")).unwrap_or_default();
    let merged = if report.runs > 1 { format!(", {} runs merged", report.runs) } else { String::new() };
    let threads = if report.generator.threads == 1 { "thread" } else { "threads" };
    let line = format!(
        "{open}, {}{seed}{merged}, {} {threads}, at most {} connections",
        report.planned, report.generator.threads, report.settings.connections
    );
    paragraph(text, &line, "");
    text.push('\n');
}

fn ledger(report: &Report) -> String {
    let ledger = &report.ledger;
    let number =
        |(what, count): (&str, u64)| format!("{} {what}", format::count(count)).replace(' ', "\u{a0}");
    let sign = if ledger.adds_up() { "=" } else { "DOES NOT EQUAL" };
    let parts = ledger.parts().map(number).join(" + ");
    format!("{} {sign} {parts}", number(("scheduled", ledger.scheduled)))
}

/// The target rate, the achieved rate and the elapsed time.
pub fn rates(report: &Report) -> String {
    let elapsed = std::time::Duration::from_secs_f64((report.elapsed_seconds * 10.0).round() / 10.0);
    let sent = format!("{} sent, in {}", format::rate(report.achieved_rate), duration::format(elapsed));
    report.target_rate.map_or(sent.clone(), |rate| format!("{} target, {sent}", format::rate(rate)))
}

fn errors(report: &Report) -> String {
    let kinds = Fault::ALL.into_iter().filter_map(|fault| Some((fault, *report.errors.get(fault.name())?)));
    format::faults(kinds)
}

fn latencies(text: &mut String, report: &Report) {
    text.push('\n');
    let columns = ["min", "mean", "p50", "p90", "p99", "p99.9", "max"];
    line(text, "", &columns.map(str::to_owned));
    for ((_, name), distribution) in NAMES.into_iter().zip(report.latency_seconds.each()) {
        let Distribution { min, mean, p50, p90, p99, p999, max, .. } = *distribution;
        line(text, name, &[min, mean, p50, p90, p99, p999, max].map(format::latency));
    }
    let note = match report.r#loop {
        Loop::Open => {
            "Response time counts from when each request was due, service time from when it was sent."
        }
        Loop::Closed => {
            "In a closed loop a slow response delays the next requests, and this delay is not measured: response times \
             look better than under an open loop."
        }
    };
    paragraph(text, note, "");
    if report
        .errors
        .keys()
        .any(|kind| Fault::ALL.iter().any(|fault| fault.is_timeout() && fault.name() == kind))
    {
        let limit = format::latency(Some(report.settings.timeout_seconds));
        paragraph(text, &format!("Timeouts are included as {limit}; other errors are not included."), "");
    }
    if report.ledger.unfinished > 0 {
        paragraph(text, "Unfinished requests are included with the time waited so far, a lower bound.", "");
    }
}

fn line(text: &mut String, name: &str, cells: &[String; 7]) {
    let _ = write!(text, "{name:<16}"); // writing to a String cannot fail
    cells.iter().for_each(|cell| {
        let _ = write!(text, " {cell:>8}");
    });
    text.push('\n');
}

fn outcome(text: &mut String, report: &Report) {
    text.push('\n');
    paragraph(text, &notes::outcome(report), "");
    for note in notes::more(report) {
        paragraph(text, &format!("- {note}"), "  ");
    }
}

/// No-break spaces preserve the label's padding when wrapped.
fn entry(text: &mut String, name: &str, value: &str) {
    paragraph(text, &format!("{name:\u{a0}<12}{value}"), INDENT);
}

fn paragraph(text: &mut String, content: &str, indent: &str) {
    format::wrapped(content, WIDTH, indent).iter().for_each(|line| text.extend([line, "\n"]));
}
