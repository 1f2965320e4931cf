//! The report as JUnit XML, which continuous integration shows: a test case a drill.

use std::fmt::Write;

use crate::record::case::Case;
use crate::record::judgement::Verdict;
use crate::report::json::Run;
use crate::report::table;
use crate::timing::clock;

/// The whole report.
#[must_use]
pub fn report(run: &Run, records: &[Case]) -> String {
    let is = |record: &Case, verdict: Verdict| {
        record.judgement.as_ref().is_some_and(|judgement| judgement.verdict == verdict)
    };
    let skipped = run.not_run.len();
    // What could not be judged is an error, what was judged against is a failure.
    let error = |record: &Case| is(record, Verdict::Refused) || is(record, Verdict::Inconclusive);
    let errors = records.iter().filter(|record| error(record)).count();
    let failures = records.iter().filter(|record| !error(record) && !is(record, Verdict::Proven)).count();
    let seconds = clock::seconds(run.started, run.finished);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let tests = records.len() + skipped;
    let _ = writeln!(
        xml,
        "<testsuite name=\"drills\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" \
         skipped=\"{skipped}\" time=\"{seconds:.3}\" timestamp=\"{}\">",
        run.started.strftime("%Y-%m-%dT%H:%M:%SZ")
    ); // writing to a String cannot fail
    for record in records {
        let _ = write!(
            xml,
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escaped(&record.alert),
            escaped(&record.drill),
            clock::seconds(record.started, record.ended.unwrap_or(record.started))
        );
        match &record.judgement {
            Some(judgement) if judgement.verdict == Verdict::Proven => xml.push_str("/>\n"),
            judgement => {
                let (verdict, reason) = judgement.as_ref().map_or(("INCONCLUSIVE", ""), |judgement| {
                    (judgement.verdict.name(), judgement.reason.as_str())
                });
                let element = if error(record) { "error" } else { "failure" };
                let _ = writeln!(
                    xml,
                    ">\n    <{element} type=\"{verdict}\" message=\"{}\">{}</{element}>\n  </testcase>",
                    escaped(reason),
                    escaped(&table::story(record))
                );
            }
        }
    }
    for name in &run.not_run {
        let _ = writeln!(xml, "  <testcase classname=\"\" name=\"{}\"><skipped/></testcase>", escaped(name));
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// Text as XML 1.0 takes it; control characters, which it does not take at all, are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            control if control.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::judgement::Judgement;
    use crate::report::table::tests::{at, record};

    #[test]
    fn a_case_a_drill() {
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
        let xml = report(&run, &[record(), missed, refused]);
        for part in [
            "tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" time=\"40.000\" timestamp=\"2027-01-15T08:00:00Z\"",
            "<testcase classname=\"HighErrorRate\" name=\"high-error-rate\" time=\"0.000\"/>",
            "<failure type=\"MISSED\" message=\"too &lt;weak&gt; &amp; &quot;late&quot;\">",
            "<error type=\"REFUSED\" message=\"gone\">",
            "<testcase classname=\"\" name=\"b\"><skipped/></testcase>",
        ] {
            assert!(xml.contains(part), "{part} in {xml}");
        }
    }
}
