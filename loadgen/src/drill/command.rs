//! The `loadgen drill` command line.

use std::fs;

use crate::drill::args::Args;
use crate::drill::output::{code, is_proven, print, write};
use crate::drill::stacks::{self, connect};
use common::signals::{Ending, Signals};
use common::{console, exit, proof};
use drill::causes::leftovers;
use drill::causes::stack::Stack;
use drill::causes::undo_list::UndoList;
use drill::file::suite::{self, Suite};
use drill::record::case::Case;
use drill::report::json::Run;
use drill::rule;
use drill::session::{self, Plan, Shard};

/// Runs the command and gives the exit code: 0 when every drill is PROVEN, 5 when one is not, 2 for bad
/// arguments or files, 130 or 143 when interrupted.
#[must_use]
pub fn main(args: Args) -> u8 {
    let suite = match suite::load(&args.drills) {
        Ok(suite) => suite,
        Err(errors) => return usage(&errors),
    };
    for path in [&args.json, &args.html, &args.junit].into_iter().flatten() {
        // A report that cannot be written is found out now, not after half an hour.
        if let Err(error) = fs::OpenOptions::new().append(true).create(true).open(path) {
            return usage(&[format!("{}: cannot be written: {error}", path.display())]);
        }
    }
    if let Some(dir) = &args.proofs
        && let Err(error) = proof::check(dir)
    {
        return usage(&[format!("--proofs {}: proofs cannot be kept there: {error}", dir.display())]);
    }
    if let Some(shards) = args.shards {
        return usage(&[stacks::on_stacks_of_its_own(shards, args.scale)]);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            console::error(format_args!("the runtime cannot start: {error}"));
            return exit::FAILED;
        }
    };
    runtime.block_on(async {
        match stacks::places(&args).await {
            Ok(places) => drill(&args, &suite, places).await,
            Err(error) => usage(&[error]),
        }
    })
}

fn usage<E: std::fmt::Display>(errors: &[E]) -> u8 {
    for error in errors {
        console::error(error);
    }
    exit::USAGE
}

async fn drill(args: &Args, suite: &Suite, places: Vec<Stack>) -> u8 {
    let mut signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => {
            console::error(format_args!("signals cannot be handled: {error}"));
            return exit::FAILED;
        }
    };
    let lists = args.leftovers.clone().unwrap_or_else(leftovers::default_dir);
    let found = tokio::select! {
        biased;
        ending = signals.wait() => return ending.code(),
        found = leftovers::go_through(&lists) => found,
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return usage(&[format!("--leftovers: {error}")]),
    };
    for said in &found.said {
        console::line(said);
    }
    let mut shards = Vec::new();
    for (number, place) in places.into_iter().enumerate() {
        let systems = match connect(&place) {
            Ok(systems) => systems,
            Err(error) => return usage(&[error]),
        };
        match UndoList::new(&lists, place, number) {
            Ok(undoing) => {
                undoing.bar(&found.left);
                shards.push(Shard { systems, undoing });
            }
            Err(error) => return usage(&[format!("--leftovers: {error}")]),
        }
    }
    // Names are held against the loaded rules before any traffic. A Prometheus that does not answer is not the
    // files' mistake: each drill's preflight refuses it with the reason.
    let rules = tokio::select! {
        biased;
        ending = signals.wait() => return ending.code(),
        rules = shards[0].systems.prometheus.rules() => rules,
    };
    let mut order: Vec<usize> = (0..suite.drills.len()).collect();
    if let Ok(rules) = rules {
        let mut errors: Vec<_> =
            suite.drills.iter().flat_map(|(path, drill)| rule::check(path, drill, &rules)).collect();
        errors.extend(rule::check_ambient(suite, &rules));
        if !errors.is_empty() {
            return usage(&errors);
        }
        if shards.len() > 1 {
            // What takes long to resolve holds the next drill up: it comes last on its stack.
            order.sort_by_key(|index| rule::aftermath(&suite.drills[*index].1, &rules));
        }
    }
    let proofs = args.proofs.as_deref();
    let plan = Plan { shards: &shards, suite, order, scale: args.scale, leftovers: &lists, proofs };
    let (mut run, mut records, mut ending) = session::run(&plan, &signals).await;
    if ending.is_none() && shards.len() > 1 {
        ending = again_alone(&plan, &mut run, &mut records, &signals).await;
    }
    print(&run, &records);
    let written = write(args, &run, &records);
    code(&records, ending, written)
}

/// A drill that failed is told apart from one that the others beside it disturbed: what is not proven runs once more,
/// alone, and the second verdict stands.
async fn again_alone(
    plan: &Plan<'_>,
    run: &mut Run,
    records: &mut [Case],
    signals: &Signals,
) -> Option<Ending> {
    let names = |index: &usize| plan.suite.drills[*index].1.drill.value.as_str();
    // A cause that could not be undone is nobody else's doing.
    let disturbed = |record: &Case| !is_proven(record) && record.not_undone.is_empty();
    let order: Vec<usize> = (0..plan.suite.drills.len())
        .filter(|index| records.iter().any(|record| record.drill == names(index) && disturbed(record)))
        .collect();
    if order.is_empty() {
        return None;
    }
    let mut whole = 0;
    for (index, shard) in plan.shards.iter().enumerate() {
        if shard.undoing.is_sound()
            && shard.systems.prometheus.ready().await.is_ok()
            && shard.systems.alertmanager.ready().await.is_ok()
        {
            whole = index;
            break;
        }
    }
    console::line(format_args!("again, alone: {}", order.iter().map(names).collect::<Vec<_>>().join(", ")));
    let shards = std::slice::from_ref(&plan.shards[whole]);
    let second = Plan { shards, order, ..*plan };
    let (again, found, ending) = session::run(&second, signals).await;
    for case in found {
        if let Some(first) = records.iter_mut().find(|first| first.drill == case.drill) {
            let disturbed =
                first.judgement.as_ref().map(|it| format!("{}: {}", it.verdict.name(), it.reason));
            *first = Case { disturbed, ..case };
        }
    }
    run.finished = again.finished;
    run.interrupted = again.interrupted;
    ending
}
