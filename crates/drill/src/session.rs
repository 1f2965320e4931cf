//! A run of drills, on each stack one after the other, and what is left to ask when each has ended.

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

/// How long evidence may be asked for after a drill.
const EVIDENCE: Duration = Duration::from_secs(20);
/// And after an interrupt, when somebody is waiting.
const EVIDENCE_IN_HASTE: Duration = Duration::from_secs(2);

/// How long undoing a cause may take after an interrupt.
const UNDO: Duration = Duration::from_secs(60);

/// One stack to drill.
#[derive(Debug)]
pub struct Shard {
    /// The systems under proof.
    pub systems: Systems,
    /// What has to be undone, and where causes act.
    pub undoing: UndoList,
}

/// What a run goes through.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The stacks; drills are given to whichever is free.
    pub shards: &'a [Shard],
    /// The drills and what is ambient.
    pub suite: &'a Suite,
    /// Indices of the suite's drills, in the order they are begun.
    pub order: Vec<usize>,
    /// By how much the stacks' durations are divided.
    pub scale: f64,
    /// Where lists of what has to be undone lie, and who drills a stack is written down.
    pub leftovers: &'a Path,
    /// Where last proofs are kept.
    pub proofs: Option<&'a Path>,
}

/// Goes through the suite's drills until the end or a signal.
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

/// The drills of one stack, one after the other.
async fn work(
    plan: &Plan<'_>,
    shard: &Shard,
    next: &AtomicUsize,
    progress: &Progress,
    mut signals: Signals,
) -> (Vec<(usize, Case)>, Option<Ending>) {
    let Shard { systems, undoing } = shard;
    let mut cases: Vec<(usize, Case)> = Vec::new();
    let lease = Lease::take(plan.leftovers, undoing.place(), systems.inbox.as_ref()).await;
    let mut interrupted_by = None;
    // A stack that could not be set right leaves the drills to those beside it, while there are any.
    let fit = || undoing.is_sound() || !plan.shards.iter().any(|other| other.undoing.is_sound());
    while fit()
        && let Some(&index) = plan.order.get(next.fetch_add(1, Ordering::Relaxed))
    {
        let (_, drill) = &plan.suite.drills[index];
        let log = Log::new(drill, plan.scale);
        let first = cases.is_empty();
        let context = Context {
            systems,
            undoing,
            drill,
            log: &log,
            suite: plan.suite,
            progress,
            first,
            scale: plan.scale,
        };
        // Dropping the run is what stops its load; the log outlives it.
        let ending = tokio::select! {
            biased;
            ending = signals.wait() => Some(ending),
            () = go(&context, lease.as_ref().err()) => None,
            never = progress.follow(&log) => match never {},
        };
        if let Some(ending) = ending {
            let failed = timeout(UNDO, undoing.undo_all()).await;
            log.not_undone(failed.unwrap_or_else(|_| {
                vec![format!("undoing took longer than {} s; the next start goes on with it", UNDO.as_secs())]
            }));
            interrupted(&log, ending);
        }
        if let Some(since) = log.case().instants.baseline {
            let asked = restarts::collect(systems, &drill.cause, since, &log);
            let _ = timeout(EVIDENCE_IN_HASTE, asked).await; // who does not answer in time has not said so
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

/// A drill, unless another run has the stack.
async fn go(context: &Context<'_>, busy: Option<&DrillError>) {
    match busy {
        Some(error) => context.log.append(Event::Ended(End::Refused(error.to_string()))),
        None => pipeline::run(context).await,
    }
}

/// Keeps the proof, if it is one.
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
        let why = format!("the proof of {} could not be kept in {}: {error}", proof.drill, dir.display());
        log.note(Timestamp::now(), why.clone());
        log.append(Event::NotKept(why));
    }
}

fn interrupted(log: &Log, ending: Ending) {
    let (now, case) = (Timestamp::now(), log.case());
    log.append(Event::Ended(End::Interrupted(ending.name())));
    let undone = if case.not_undone.is_empty() { "cause undone" } else { "the cause is not undone" };
    log.note(now, format!("interrupted by {}: load stopped, {undone}", ending.name()));
    if case.instants.cause.is_some() && case.instants.lifted.is_none() {
        log.append(Event::Lifted(now));
    }
}

/// Asks for the rule's value through the drill, and for what else explains the verdict.
async fn explain(systems: &Systems, log: &Log, limit: Duration) {
    let case = log.case();
    let Some((subject, start)) = case.expectation.subject.zip(case.instants.baseline) else { return };
    let asked = gather::gather(&systems.prometheus, &subject, start, Timestamp::now());
    match timeout(limit, asked).await {
        Ok(Ok(evidence)) => log.append(Event::Explained(Box::new(evidence))),
        Ok(Err(error)) => log.note(Timestamp::now(), format!("the rule's value could not be asked: {error}")),
        Err(_) => log.note(Timestamp::now(), "the rule's value could not be asked in time"),
    }
}
