//! How a run went, in the words of every report.

use crate::report::model::Report;
use crate::verdict::Outcome;
use crate::wire::error::Fault;

/// The outcome in a sentence.
#[must_use]
pub fn outcome(report: &Report) -> String {
    match Outcome::of(report) {
        Outcome::Fine => "Fine: every answer was as expected.".to_owned(),
        Outcome::Failed(why) => format!("FAILED: {why}."),
        Outcome::LedgerBroken(why) => format!("FAILED: the ledger does not add up: {why}."),
        Outcome::Threshold(which) => format!("THRESHOLD crossed: {which}."),
        Outcome::Invalid => "INVALID: these figures say little about the target.".to_owned(),
        Outcome::Interrupted(signal) => format!("Interrupted by {signal}: the report is partial."),
    }
}

/// What else is to be known: why it ended early, why it is invalid, that the target did not keep up where something else
/// decided the outcome, and what lies behind errors of TLS.
#[must_use]
pub fn more(report: &Report) -> Vec<String> {
    let early = match report.ended_early_by.as_deref() {
        Some("threshold") => Some("ended early, as --abort-on-fail asks"),
        Some(_) => Some("ended early by --deadline"),
        None => None,
    };
    let failed = matches!(Outcome::of(report), Outcome::Failed(_));
    let overload = report.overload.clone().filter(|_| !failed);
    let first = early.map(str::to_owned).into_iter().chain(report.invalid_because.clone()).chain(overload);
    first.chain(report.certificate_refused.clone()).chain(cut_off(report)).collect()
}

/// Over TLS the end of a connection says nothing unless it is a signed one (RFC 8446, 6.1).
fn cut_off(report: &Report) -> Option<String> {
    let closed = report.errors.contains_key(Fault::Closed.name());
    (closed && report.target.contains("https://")).then(|| {
        "over TLS an answer without Content-Length or chunks is complete only when the server sends close_notify before \
         it closes: without it the rest may have been cut off, and it counts as closed before it was complete"
            .to_owned()
    })
}
