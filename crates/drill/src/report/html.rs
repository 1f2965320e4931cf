//! The HTML report: one page that needs no network, readable on a telephone and in the dark.

use std::fmt::Write;

use crate::record::case::Case;
use crate::record::judgement::Verdict;
use crate::report::chart;
use crate::report::json::Run;
use crate::report::{table, timeline};
use crate::timing::clock::{precise_time_of_day, readable};
use common::markup::escape;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5b6675;--paper:#fff;--line:#d5dae2;--good:#1a7f4b;--bad:#b3261e;\
--pending:#c98a00;--firing:#c6362c;--mark:#2563c9}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#9aa5b4;--paper:#14181f;--line:#323a47;--good:#4cc38a;\
--bad:#ff7b72;--pending:#e0a93b;--firing:#ff6a5f;--mark:#74a9ff}}\
*{box-sizing:border-box}body{margin:0 auto;max-width:46rem;padding:1rem;background:var(--paper);color:var(--ink);\
font:1rem/1.5 system-ui,sans-serif}h1{font-size:1.4rem}h2{font-size:1.15rem;margin:2.2rem 0 .3rem}\
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}\
th,td{padding:.25rem .7rem .25rem 0;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}\
td.wrap{white-space:normal}.soft{color:var(--soft)}.good{color:var(--good);font-weight:600}\
.bad{color:var(--bad);font-weight:600}code{font-size:.85em;overflow-wrap:anywhere}svg{width:100%;height:auto;display:block;margin:.6rem 0}\
svg text{font:10.5px system-ui,sans-serif;fill:var(--soft)}a{color:var(--mark)}";

/// The page.
#[must_use]
pub fn page(run: &Run, records: &[Case]) -> String {
    let proven = records.iter().filter(|record| verdict(record) == Some(Verdict::Proven)).count();
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Drills: {proven} of {} proven</title><style>{STYLE}</style></head><body>\n\
         <h1>{proven} of {} drills proven</h1>\n<p class=\"soft\">{} to {} UTC, time scale {}.</p>\n",
        records.len(),
        records.len(),
        run.started.strftime("%Y-%m-%d %H:%M:%S"),
        run.finished.strftime("%H:%M:%S"),
        run.scale
    );
    // Writing to a String cannot fail, here and below.
    if let Some(signal) = run.interrupted {
        let not_run = if run.not_run.is_empty() { "none".to_owned() } else { run.not_run.join(", ") };
        let _ =
            writeln!(text, "<p class=\"bad\">Ended early by {signal}; not run: {}.</p>", escape(&not_run));
    }
    text.push_str(&summary(records));
    for record in records {
        text.push_str(&section(record));
    }
    text.push_str("</body></html>\n");
    text
}

fn verdict(record: &Case) -> Option<Verdict> {
    record.judgement.as_ref().map(|judgement| judgement.verdict)
}

/// The verdict with its colour; the word says it without.
fn badge(record: &Case) -> String {
    let verdict = verdict(record);
    let class = if verdict == Some(Verdict::Proven) { "good" } else { "bad" };
    format!("<span class=\"{class}\">{}</span>", verdict.map_or("", Verdict::name))
}

fn summary(records: &[Case]) -> String {
    let mut text =
        "<div class=\"scroll\"><table><thead><tr><th>alert<th>verdict<th>pending<th>firing<th>notified\
                    <th>resolved<th>all_clear</tr></thead><tbody>\n"
            .to_owned();
    for record in records {
        let (drill, alert) = (escape(&record.drill), escape(record.title()));
        let _ = write!(text, "<tr><td><a href=\"#{drill}\">{alert}</a><td>{}", badge(record));
        for (_, phase) in record.phases().named() {
            let _ = write!(text, "<td>{}", table::cell(phase));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody></table></div>\n<p class=\"soft\">Each phase: took / at most, seconds.</p>\n");
    text
}

fn section(record: &Case) -> String {
    let reason = record.judgement.as_ref().map_or("", |judgement| judgement.reason.as_str());
    let mut text = format!(
        "<section id=\"{}\"><h2>{} {}</h2>\n<p>{}</p>\n<p>{}</p>\n",
        escape(&record.drill),
        escape(record.title()),
        badge(record),
        escape(&record.summary),
        escape(reason)
    );
    if let Some(rule) = timeline::rule(record) {
        let _ = writeln!(text, "<p><code>{}</code></p>", escape(&rule));
    }
    text.push_str(&chart::svg(record));
    for (name, promise, since) in [
        ("notified", record.objective.notified, &record.instants.notified),
        ("all-clear", record.objective.all_clear, &record.instants.all_clear),
    ] {
        let at =
            crate::timing::phases::last_of(since, &record.expectation.channels).zip(record.instants.cause);
        if let Some((promise, (at, cause))) = promise.zip(at) {
            let took = readable(crate::timing::clock::seconds(cause, at));
            let promise = readable(promise.as_secs_f64());
            let _ = writeln!(
                text,
                "<p class=\"soft\">{name} {took} after the cause began, promised {promise}.</p>"
            );
        }
    }
    text.push_str("<details><summary>Timeline, UTC</summary><table><tbody>\n");
    for event in timeline::of(record) {
        let (at, what) = (precise_time_of_day(event.at), escape(&event.what));
        let _ = writeln!(text, "<tr><td>{at}<td class=\"wrap\">{what}</tr>");
    }
    text.push_str("</tbody></table></details></section>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::tests::{at, record};

    #[test]
    fn the_page_stands_alone_and_escapes_what_it_shows() {
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
            "<td>9.0/11.4s<td>6.0/6.0s<td>4.0/5.0s<td>10.0/17.0s<td>5.0/17.0s",
            "Ended early by SIGINT; not run: other.",
            "prefers-color-scheme:dark",
            "<td>08:00:15.000<td class=\"wrap\">firing",
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
