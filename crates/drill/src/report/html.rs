//! The HTML report: one self-contained page, for small screens and dark mode too.

use maud::{Markup, html};

use crate::record::case::Case;
use crate::record::judgement::Verdict;
use crate::report::chart;
use crate::report::json::Run;
use crate::report::{table, timeline};
use crate::timing::clock::{precise_time_of_day, readable};
use crate::timing::phases::Measured;
use load::report::html::document;

/// The page of a run.
#[must_use]
pub fn page(run: &Run, records: &[Case]) -> String {
    let proven = records.iter().filter(|record| verdict(record) == Some(Verdict::Proven)).count();
    let not_run = if run.not_run.is_empty() { "none".to_owned() } else { run.not_run.join(", ") };
    let body = html! {
        p.soft {
            (run.started.strftime("%Y-%m-%d %H:%M:%S")) " to " (run.finished.strftime("%H:%M:%S"))
            " UTC, time scale " (run.scale) "."
        }
        @if let Some(signal) = run.interrupted { p.bad { "Interrupted by " (signal) "; drills not run: " (not_run) "." } }
        (summary(records))
        @for record in records { (section(record)) }
    };
    document(&format!("{proven} of {} drills proven", records.len()), "drills", &body)
}

fn verdict(record: &Case) -> Option<Verdict> {
    record.judgement.as_ref().map(|judgement| judgement.verdict)
}

/// The verdict with its colour.
fn badge(record: &Case) -> Markup {
    let verdict = verdict(record);
    let class = if verdict == Some(Verdict::Proven) { "good" } else { "bad" };
    html! { span class=(class) { (verdict.map_or("", Verdict::name)) } }
}

fn summary(records: &[Case]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                @for name in ["alert", "verdict", "pending", "firing", "notified", "resolved", "all_clear"] { th { (name) } }
            } }
            tbody {
                @for record in records {
                    tr {
                        td { a href={ "#" (record.drill) } { (record.title()) } }
                        td { (badge(record)) }
                        @for (_, phase) in record.phases().named() { td { (table::cell(phase)) } }
                    }
                }
            }
        } }
        p.soft { "Each phase shows its duration / bound, in seconds." }
    }
}

fn section(record: &Case) -> Markup {
    html! {
        section id=(record.drill) {
            h2 { (record.title()) " " (badge(record)) }
            p { (record.summary) }
            p { (record.judgement.as_ref().map_or("", |judgement| &judgement.reason)) }
            @if let Some(rule) = timeline::rule(record) { p { code { (rule) } } }
            (chart::svg(record))
            @for (name, Measured { seconds, bound_seconds }) in timeline::objectives(record) {
                @if let Some((took, objective)) = seconds.zip(bound_seconds) {
                    p.soft { (name) " " (readable(took)) " after the cause began, objective " (readable(objective)) "." }
                }
            }
            details {
                summary { "Timeline, UTC" }
                table { tbody {
                    @for event in timeline::of(record) {
                        tr { td { (precise_time_of_day(event.at)) } td.wrap { (event.what) } }
                    }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::tests::{at, record};

    #[test]
    fn page_is_self_contained_and_escapes_text() {
        let mut late = record();
        late.drill = "late".into();
        late.judgement = Some(crate::record::judgement::Judgement {
            verdict: Verdict::Late,
            reason: "took <too> long".into(),
        });
        let run = Run {
            started: at(-9.0),
            finished: at(40.0),
            scale: 20.0,
            interrupted: Some("SIGINT"),
            not_run: vec!["other".into()],
        };
        let page = page(&run, &[record(), late]);
        for part in [
            "<h1>1 of 2 drills proven</h1>",
            "too many &lt;errors&gt;",
            "took &lt;too&gt; long",
            "<td>9.0/11.4s</td><td>6.0/6.0s</td><td>4.0/5.0s</td><td>10.0/17.0s</td><td>5.0/17.0s</td>",
            "Interrupted by SIGINT; drills not run: other.",
            "prefers-color-scheme:dark",
            "<td>08:00:15.000</td><td class=\"wrap\">firing",
        ] {
            assert!(page.contains(part), "{part}");
        }
        for network in ["http:", "https:", "<script", "@import", "url("] {
            assert!(!page.contains(network), "{network}");
        }
        assert_eq!(page.matches("<svg").count(), 2);
        assert_eq!(page.matches("</section>").count(), 2);
    }
}
