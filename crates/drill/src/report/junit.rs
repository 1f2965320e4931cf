//! The report as JUnit XML for continuous integration, with one test case per drill.

use std::time::Duration;

use jiff::Timestamp;
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::record::case::Case;
use crate::record::judgement::Verdict;
use crate::report::json::Run;
use crate::report::table;
use crate::timing::clock;

/// The report of a run.
///
/// # Errors
/// When the XML cannot be written.
pub fn report(run: &Run, records: &[Case]) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new("drills");
    suite.set_time(between(run.started, run.finished));
    // The library's timestamp field needs another calendar library.
    let began = run.started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    suite.extra.insert("timestamp".into(), began.into());
    suite.add_test_cases(records.iter().map(case));
    suite.add_test_cases(run.not_run.iter().map(|name| {
        let mut case = TestCase::new(name.as_str(), TestCaseStatus::skipped());
        case.set_classname("");
        case
    }));
    let mut report = Report::new("drills");
    report.add_test_suite(suite).to_string()
}

fn case(record: &Case) -> TestCase {
    let judgement = record.judgement.as_ref();
    let verdict = judgement.map_or(Verdict::Inconclusive, |judgement| judgement.verdict);
    let mut status = match verdict {
        Verdict::Proven => TestCaseStatus::success(),
        // An inconclusive drill is an error, a failed one a failure.
        Verdict::Refused | Verdict::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
        _ => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    if verdict != Verdict::Proven {
        let reason = judgement.map_or("", |judgement| judgement.reason.as_str());
        status.set_type(verdict.name()).set_message(reason).set_description(table::story(record));
    }
    let mut case = TestCase::new(record.drill.as_str(), status);
    case.set_classname(record.alert.as_str());
    case.set_time(between(record.started, record.ended.unwrap_or(record.started)));
    case
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_secs_f64(clock::seconds(from, to).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::judgement::Judgement;
    use crate::report::table::tests::{at, record};

    #[test]
    fn has_one_case_per_drill() {
        let mut missed = record();
        missed.judgement =
            Some(Judgement { verdict: Verdict::Missed, reason: "too <weak> & \"late\"".into() });
        let mut refused = record();
        refused.judgement = Some(Judgement { verdict: Verdict::Refused, reason: "gone".into() });
        let run = Run {
            started: at(0.0),
            finished: at(40.0),
            scale: 20.0,
            interrupted: None,
            not_run: vec!["b".into()],
        };
        let xml = report(&run, &[record(), missed, refused]).unwrap();
        for part in [
            "<testsuite name=\"drills\" tests=\"4\" skipped=\"1\" errors=\"1\" failures=\"1\" time=\"40.000\" \
             timestamp=\"2027-01-15T08:00:00Z\">",
            "<testcase name=\"high-error-rate\" classname=\"HighErrorRate\" time=\"0.000\"/>",
            "<failure message=\"too &lt;weak&gt; &amp; &quot;late&quot;\" type=\"MISSED\">",
            "<error message=\"gone\" type=\"REFUSED\">",
            "<testcase name=\"b\" classname=\"\">\n            <skipped/>",
        ] {
            assert!(xml.contains(part), "{part} in {xml}");
        }
    }
}
