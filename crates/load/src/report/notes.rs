//! The outcome of a run in words, shared by every report format.

use crate::report::model::Report;
use crate::verdict::Outcome;
use crate::wire::error::Fault;

/// The outcome in one sentence.
#[must_use]
pub fn outcome(report: &Report) -> String {
    match Outcome::of(report) {
        Outcome::Fine => "Fine: every response was as expected.".to_owned(),
        Outcome::Failed(why) => format!("FAILED: {why}."),
        Outcome::LedgerBroken(why) => format!("FAILED: the request counts do not add up: {why}."),
        Outcome::Threshold(which) => format!("THRESHOLD crossed: {which}."),
        Outcome::Invalid => "INVALID: these measurements do not describe the target.".to_owned(),
        Outcome::Interrupted(signal) => format!("Interrupted by {signal}: the report is partial."),
    }
}

/// Further notes: why the run ended early, why it is invalid, overload that did not decide the outcome, and the cause
/// of TLS errors.
#[must_use]
pub fn more(report: &Report) -> Vec<String> {
    let early = match report.ended_early_by.as_deref() {
        Some("threshold") => Some("ended early by --abort-on-fail"),
        Some(_) => Some("ended early by --deadline"),
        None => None,
    };
    let failed = matches!(Outcome::of(report), Outcome::Failed(_));
    let overload = report.overload.clone().filter(|_| !failed);
    let first = early.map(str::to_owned).into_iter().chain(report.invalid_because.clone()).chain(overload);
    first.chain(report.certificate_refused.clone()).chain(cut_off(report)).collect()
}

/// Over TLS, the end of a connection without close_notify may be a truncation (RFC 8446, 6.1).
fn cut_off(report: &Report) -> Option<String> {
    let closed = report.errors.contains_key(Fault::Closed.name());
    (closed && report.target.contains("https://")).then(|| {
        "a response over TLS without Content-Length or chunked encoding is complete only when the server sends close_notify \
         before it closes the connection; otherwise it may be truncated and counts as closed"
            .to_owned()
    })
}
