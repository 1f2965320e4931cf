//! A run of drills, one after the other, and what is left to ask when each has ended.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use url::Url;

use super::course::{self, Context};
use super::diagnose::{self, Signs};
use super::evidence;
use super::json::Run;
use super::phases::Instants;
use super::progress::Progress;
use super::record::{End, Record};
use super::signals::{Ending, Signals};
use super::suite::Suite;
use super::verdict::{Case, judge};
use super::watch::Systems;

/// How long evidence may be asked for after a drill.
const EVIDENCE: Duration = Duration::from_secs(20);
/// And after an interrupt, when somebody is waiting.
const EVIDENCE_IN_HASTE: Duration = Duration::from_secs(2);

/// Goes through the suite's drills until the end or a signal.
pub async fn run(
    systems: &Systems,
    target: &Url,
    suite: &Suite,
    scale: f64,
    signals: &mut Signals,
) -> (Run, Vec<Record>, Option<Ending>) {
    let started = Timestamp::now();
    let progress = Progress::default();
    let mut records: Vec<Record> = Vec::new();
    let mut ending = None;
    for (_, drill) in &suite.drills {
        let mut record = Record::new(drill, scale);
        let context = Context { systems, target, suite, progress: &progress, first: records.is_empty() };
        // Dropping the course is what stops its load and lifts its cause.
        ending = tokio::select! {
            biased;
            ending = signals.wait() => Some(ending),
            () = course::run(&context, drill, &mut record) => None,
        };
        if let Some(ending) = ending {
            interrupted(&mut record, ending);
        }
        explain(systems, &mut record, if ending.is_some() { EVIDENCE_IN_HASTE } else { EVIDENCE }).await;
        conclude(&mut record);
        progress.finish(&record);
        records.push(record);
        if ending.is_some() {
            break;
        }
    }
    let not_run =
        suite.drills.iter().skip(records.len()).map(|(_, drill)| drill.drill.value.clone()).collect();
    let interrupted = ending.map(Ending::name);
    (Run { started, finished: Timestamp::now(), scale, interrupted, not_run }, records, ending)
}

fn interrupted(record: &mut Record, ending: Ending) {
    let now = Timestamp::now();
    record.end = Some(End::Interrupted(ending.name()));
    record.event(now, format!("interrupted by {}: load stopped, cause undone", ending.name()));
    if record.instants.cause.is_some() {
        record.instants.lifted.get_or_insert(now);
    }
}

/// Asks for the rule's value through the drill, and for what else explains the verdict.
async fn explain(systems: &Systems, record: &mut Record, limit: Duration) {
    let Some((subject, start)) = record.subject.clone().zip(record.instants.baseline) else { return };
    let asked = evidence::gather(&systems.prometheus, &subject, start, Timestamp::now());
    match timeout(limit, asked).await {
        Ok(Ok(evidence)) => record.evidence = Some(evidence),
        Ok(Err(error)) => {
            record.event(Timestamp::now(), format!("the rule's value could not be asked: {error}"))
        }
        Err(_) => record.event(Timestamp::now(), "the rule's value could not be asked in time"),
    }
}

/// Gives the record its verdict.
fn conclude(record: &mut Record) {
    let end = record.end.clone().unwrap_or_else(|| End::Unseen("the course did not end".into()));
    let likeliest = match &end {
        End::Missed(missed) => {
            record.subject.as_ref().zip(record.evidence.as_ref()).map(|(subject, evidence)| {
                let Instants { notified, told, firing, lifted, resolved, .. } = &record.instants;
                let received = if *missed == super::record::Stage::Told { told } else { notified };
                let missing: Vec<_> = record
                    .expected
                    .iter()
                    .copied()
                    .filter(|channel| !received.contains_key(channel))
                    .collect();
                diagnose::likeliest(&Signs {
                    missed: *missed,
                    subject,
                    value: &evidence.value,
                    unknown_metrics: &evidence.unknown_metrics,
                    unmatched: &evidence.unmatched,
                    rule_error: &evidence.rule_error,
                    spells: &record.spells,
                    firing: *firing,
                    lifted: *lifted,
                    resolved: *resolved,
                    held: record.held.as_ref(),
                    missing: &missing,
                })
            })
        }
        _ => None,
    };
    let judgement = judge(&Case {
        end: &end,
        stage: record.stage,
        instants: &record.instants,
        bounds: record.bounds.as_ref(),
        expected: &record.expected,
        objective: record.objective,
        surprises: &record.surprises,
        gaps: &record.gaps,
        applied: record.applied.as_ref(),
        likeliest: likeliest.as_deref(),
    });
    record.judgement = Some(judgement);
}
