//! The JSON report of a run of drills.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::record::case::Case;
use crate::report::timeline;

/// Version of the format. It increases when a field is removed or changes its meaning.
pub const VERSION: u32 = 1;

/// Metadata of the run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Start time.
    pub started: Timestamp,
    /// End time.
    pub finished: Timestamp,
    /// The factor by which the stack's durations were divided.
    pub scale: f64,
    /// The signal that ended the run early.
    pub interrupted: Option<&'static str>,
    /// Drills that were not started because of it.
    pub not_run: Vec<String>,
}

/// The report of a run.
#[must_use]
pub fn report(run: &Run, records: &[Case]) -> Value {
    json!({
        "version": VERSION,
        "started": run.started,
        "finished": run.finished,
        "scale": run.scale,
        "interrupted": run.interrupted,
        "not_run": run.not_run,
        "drills": records.iter().map(drill).collect::<Vec<_>>(),
    })
}

fn drill(record: &Case) -> Value {
    let judgement = record.judgement.as_ref();
    let [(_, notified), (_, all_clear)] = timeline::objectives(record);
    json!({
        "drill": record.drill,
        "alert": record.alert,
        "verdict": judgement.map(|judgement| judgement.verdict),
        "reason": judgement.map(|judgement| &judgement.reason),
        "disturbed": record.disturbed,
        "near": record.near,
        "delivery": if record.expectation.counted { "counted" } else { "seen" },
        "phases": record.phases(),
        "summary": record.summary,
        "labels": record.labels,
        "fingerprint": record.fingerprint,
        "objectives": {"notified": notified, "all_clear": all_clear},
        "instants": record.instants,
        "rule": record.expectation.rule_under_test.as_ref().map(|rule| json!({
            "group": rule.group,
            "file": rule.file,
            "query": rule.query,
            "for_seconds": rule.hold.as_secs_f64(),
            "keep_firing_for_seconds": rule.keep_firing.as_secs_f64(),
        })),
        "bound_inputs": record.expectation.inputs.map(|inputs| json!({
            "scrape_interval_seconds": inputs.scrape.as_secs_f64(),
            "evaluation_interval_seconds": inputs.evaluation.as_secs_f64(),
            "widest_range_seconds": inputs.falling.lookback.as_secs_f64(),
            "other_rules_seconds": {
                "rise": inputs.rising.rise.as_secs_f64(),
                "fall": inputs.falling.fall.as_secs_f64(),
            },
            "threshold_by_share": inputs.rise,
            "ordered_seconds": inputs.ordered.as_secs_f64(),
            "query_offset_seconds": inputs.query_offset.as_secs_f64(),
            "peer_wait_seconds": inputs.peer_wait.as_secs_f64(),
            "group_wait_seconds": inputs.group_wait.as_secs_f64(),
            "group_interval_seconds": inputs.group_interval.as_secs_f64(),
            "group_exists": inputs.group_exists,
            "delivery_seconds": crate::timing::bounds::DELIVERY.as_secs_f64(),
        })),
        "receivers": record.expectation.routes.iter().map(|route| &route.receiver).collect::<Vec<_>>(),
        "cause": record.applied,
        "not_undone": record.not_undone,
        "gaps": record.gaps,
        "restarts": record.restarts,
        "unexpected": record.unexpected,
        "evidence": record.evidence,
        "alertmanager": record.held,
        "timeline": timeline::of(record),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::tests::{at, record};

    #[test]
    fn has_the_documented_fields() {
        let run =
            Run { started: at(-9.0), finished: at(40.0), scale: 20.0, interrupted: None, not_run: vec![] };
        let report = report(&run, &[record()]);
        assert_eq!(report["version"], 1);
        let drill = &report["drills"][0];
        assert_eq!(drill["drill"], "high-error-rate");
        assert_eq!(drill["alert"], "HighErrorRate");
        assert_eq!(drill["verdict"], "PROVEN");
        assert_eq!(drill["reason"], "every phase was within its bound");
        for (name, seconds, bound) in [
            ("pending", 9.0, 11.4),
            ("firing", 6.0, 6.0),
            ("notified", 4.0, 5.0),
            ("resolved", 10.0, 17.0),
            ("all_clear", 5.0, 17.0),
        ] {
            assert_eq!(drill["phases"][name], json!({"seconds": seconds, "bound_seconds": bound}), "{name}");
        }
        assert_eq!(drill["objectives"]["all_clear"], json!({"seconds": 35.0, "bound_seconds": null}));
        assert_eq!(drill["instants"]["notified"]["slack"], "2027-01-15T08:00:19Z");
        assert_eq!(drill["evidence"]["value"]["points"][1][1], 0.04);
    }

    #[test]
    fn missing_events_are_null() {
        let mut refused = record();
        refused.instants = crate::timing::phases::Instants::default();
        refused.expectation.bounds = None;
        let run = Run {
            started: at(0.0),
            finished: at(1.0),
            scale: 1.0,
            interrupted: Some("SIGINT"),
            not_run: vec!["b".into()],
        };
        let report = report(&run, &[refused]);
        assert_eq!(
            report["drills"][0]["phases"]["all_clear"],
            json!({"seconds": null, "bound_seconds": null})
        );
        assert_eq!((&report["interrupted"], &report["not_run"]), (&json!("SIGINT"), &json!(["b"])));
    }
}
