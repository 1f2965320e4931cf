//! A run of drills: on each stack one drill after the other, then the evidence that explains each verdict.

use crate::record::event::Event;
use crate::record::log::Log;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use crate::causes::undo_list::UndoList;
use crate::context::Context;
use crate::context::Systems;
use crate::error::DrillError;
use crate::file::suite::Suite;
use crate::judge::verdict::judge;
use crate::lease::Lease;
use crate::observe::{gather, restarts};
use crate::pipeline;
use crate::progress::Progress;
use crate::record::case::Case;
use crate::record::judgement::Verdict;
use crate::record::stage::End;
use crate::report::json::Run;
use common::proof::{Proof, Took};
use common::signals::{Ending, Signals};

/// Time limit for collecting evidence after a drill.
const EVIDENCE: Duration = Duration::from_secs(20);
/// Time limit for collecting evidence after an interrupt, when a person is waiting.
const EVIDENCE_IN_HASTE: Duration = Duration::from_secs(2);

/// Time limit for undoing a cause after an interrupt.
const UNDO: Duration = Duration::from_secs(60);

/// One stack to drill.
#[derive(Debug)]
pub struct Shard {
    /// The systems of the stack.
    pub systems: Systems,
    /// What has to be undone on the stack, and its URLs.
    pub undo_list: UndoList,
}

/// What a run does and where.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The stacks; each drill goes to the first free one.
    pub shards: &'a [Shard],
    /// The drills and the ambient alerts.
    pub suite: &'a Suite,
    /// Indices of the suite's drills, in the order in which they start.
    pub order: Vec<usize>,
    /// Factor by which the stacks' durations are divided.
    pub scale: f64,
    /// Directory of the undo lists and of the lock files of stacks in use.
    pub leftovers: &'a Path,
    /// Directory in which the last proof of each drill is kept.
    pub proofs: Option<&'a Path>,
}

/// Runs the suite's drills until the end or a signal.
pub async fn run(plan: &Plan<'_>, signals: &Signals) -> (Run, Vec<Case>, Option<Ending>) {
    let started = Timestamp::now();
    let progress = Progress::new(plan.order.len());
    let next = AtomicUsize::new(0);
    let workers = plan.shards.iter().map(|shard| work(plan, shard, &next, &progress, signals.clone()));
    let mut ending = None;
    let mut found: Vec<(usize, Case)> = Vec::new();
    for (cases, ended) in futures_util::future::join_all(workers).await {
        found.extend(cases);
        ending = ending.or(ended);
    }
    found.sort_by_key(|(index, _)| *index);
    let ran: Vec<usize> = found.iter().map(|(index, _)| *index).collect();
    let names = plan.suite.drills.iter().enumerate().filter(|(index, _)| !ran.contains(index));
    let not_run = names.map(|(_, (_, drill))| drill.drill.value.clone()).collect();
    let cases = found.into_iter().map(|(_, case)| case).collect();
    let interrupted = ending.map(Ending::name);
    (Run { started, finished: Timestamp::now(), scale: plan.scale, interrupted, not_run }, cases, ending)
}

/// Runs drills on one stack, one after the other.
async fn work(
    plan: &Plan<'_>,
    shard: &Shard,
    next: &AtomicUsize,
    progress: &Progress,
    mut signals: Signals,
) -> (Vec<(usize, Case)>, Option<Ending>) {
    let Shard { systems, undo_list } = shard;
    let mut cases: Vec<(usize, Case)> = Vec::new();
    let lease = Lease::take(plan.leftovers, undo_list.stack(), systems.inbox.as_ref()).await;
    let mut interrupted_by = None;
    // A stack that could not be repaired leaves the drills to the other stacks, while there are any.
    let fit = || undo_list.is_sound() || !plan.shards.iter().any(|other| other.undo_list.is_sound());
    while fit()
        && let Some(&index) = plan.order.get(next.fetch_add(1, Ordering::Relaxed))
    {
        let (_, drill) = &plan.suite.drills[index];
        let log = Log::new(drill, plan.scale);
        let first = cases.is_empty();
        let context = Context {
            systems,
            undo_list,
            drill,
            log: &log,
            suite: plan.suite,
            progress,
            first,
            scale: plan.scale,
        };
        // Dropping the run stops its load; the log outlives it.
        let ending = tokio::select! {
            biased;
            ending = signals.wait() => Some(ending),
            () = go(&context, lease.as_ref().err()) => None,
            never = progress.follow(&log) => match never {},
        };
        if let Some(ending) = ending {
            let failed = timeout(UNDO, undo_list.undo_all()).await;
            log.not_undone(failed.unwrap_or_else(|_| {
                vec![format!("timed out after {} s; the next run undoes the rest", UNDO.as_secs())]
            }));
            interrupted(&log, ending);
        }
        if let Some(since) = log.case().instants.baseline {
            let restarted = restarts::collect(systems, &drill.cause, since, &log);
            let _ = timeout(EVIDENCE_IN_HASTE, restarted).await; // no response in time counts as no restart
        }
        explain(systems, &log, if ending.is_some() { EVIDENCE_IN_HASTE } else { EVIDENCE }).await;
        log.append(Event::Judged(judge(&log.case()), Timestamp::now()));
        keep(plan, &log);
        let case = log.case();
        progress.finish(&case);
        cases.push((index, case));
        if ending.is_some() {
            interrupted_by = ending;
            break;
        }
    }
    if let Ok(lease) = lease {
        lease.release().await;
    }
    (cases, interrupted_by)
}

/// Runs a drill, unless another run has the stack.
async fn go(context: &Context<'_>, busy: Option<&DrillError>) {
    match busy {
        Some(error) => context.log.append(Event::Ended(End::Refused(error.to_string()))),
        None => pipeline::run(context).await,
    }
}

/// Stores the proof of a drill that is PROVEN.
fn keep(plan: &Plan<'_>, log: &Log) {
    let case = log.case();
    let proven = case.judgement.as_ref().is_some_and(|judgement| judgement.verdict == Verdict::Proven);
    let Some(dir) = plan.proofs.filter(|_| proven && !case.alert.is_empty()) else { return };
    let took = |(name, phase): (&str, crate::timing::phases::Measured)| {
        let took = Took { seconds: phase.seconds?, bound_seconds: phase.bound_seconds? };
        Some((name.to_owned(), took))
    };
    let proof = Proof {
        alert: case.alert.clone(),
        drill: case.drill.clone(),
        proven_at: Timestamp::now(),
        scale: plan.scale,
        phases: case.phases().named().into_iter().filter_map(took).collect(),
    };
    if let Err(error) = common::proof::keep(dir, &proof) {
        let why = format!("cannot store the proof of {} in {}: {error}", proof.drill, dir.display());
        log.note(Timestamp::now(), why.clone());
        log.append(Event::NotKept(why));
    }
}

fn interrupted(log: &Log, ending: Ending) {
    let (now, case) = (Timestamp::now(), log.case());
    log.append(Event::Ended(End::Interrupted(ending.name())));
    let undone = if case.not_undone.is_empty() { "cause undone" } else { "cause not undone" };
    log.note(now, format!("interrupted by {}: load stopped, {undone}", ending.name()));
    if case.instants.cause.is_some() && case.instants.lifted.is_none() {
        log.append(Event::Lifted(now));
    }
}

/// Queries the rule's value during the drill, and what else explains the verdict.
async fn explain(systems: &Systems, log: &Log, limit: Duration) {
    let case = log.case();
    let Some((rule_under_test, start)) = case.expectation.rule_under_test.zip(case.instants.baseline) else {
        return;
    };
    let gathered = gather::gather(&systems.prometheus, &rule_under_test, start, Timestamp::now());
    match timeout(limit, gathered).await {
        Ok(Ok(evidence)) => log.append(Event::Explained(Box::new(evidence))),
        Ok(Err(error)) => {
            log.note(Timestamp::now(), format!("the query for the rule's value failed: {error}"))
        }
        Err(_) => log.note(Timestamp::now(), "the query for the rule's value timed out"),
    }
}
