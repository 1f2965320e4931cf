//! The `loadgen drill` command line.

use crate::drill::args::Args;
use crate::drill::output::{Reports, code, is_proven, print};
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

/// Runs the command and returns the exit code: 0 when every drill is PROVEN, 5 when one is not, 2 for bad
/// arguments or files, 130 or 143 when interrupted.
#[must_use]
pub fn main(args: Args) -> u8 {
    let suite = match suite::load(&args.drills) {
        Ok(suite) => suite,
        Err(errors) => return usage(&errors),
    };
    // Checks now, not after the drills, that the reports can be written.
    let reports = match Reports::check(&args) {
        Ok(reports) => reports,
        Err(error) => return usage(&[error]),
    };
    if let Some(dir) = &args.proofs
        && let Err(error) = proof::check(dir)
    {
        return usage(&[format!("--proofs {}: cannot store proofs: {error}", dir.display())]);
    }
    if let Some(shards) = args.shards {
        return usage(&[stacks::exec_with_shards(shards, args.scale)]);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            console::error(format_args!("cannot start the runtime: {error}"));
            return exit::FAILED;
        }
    };
    runtime.block_on(async {
        match stacks::resolve(&args).await {
            Ok(stacks) => drill(&args, &suite, &reports, stacks).await,
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

async fn drill(args: &Args, suite: &Suite, reports: &Reports, stacks: Vec<Stack>) -> u8 {
    let mut signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => {
            console::error(format_args!("cannot handle signals: {error}"));
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
    for line in &found.messages {
        console::line(line);
    }
    let mut shards = Vec::new();
    for (number, stack) in stacks.into_iter().enumerate() {
        let systems = match connect(&stack) {
            Ok(systems) => systems,
            Err(error) => return usage(&[error]),
        };
        match UndoList::new(&lists, stack, number) {
            Ok(undo_list) => {
                undo_list.bar(&found.left);
                shards.push(Shard { systems, undo_list });
            }
            Err(error) => return usage(&[format!("--leftovers: {error}")]),
        }
    }
    // Names are checked against the loaded rules before any traffic. If Prometheus does not respond, the preflight of
    // each drill reports it.
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
            // Alerts that take long to resolve delay the next drill, so they come last.
            order.sort_by_key(|index| rule::aftermath(&suite.drills[*index].1, &rules));
        }
    }
    let proofs = args.proofs.as_deref();
    let plan = Plan { shards: &shards, suite, order, scale: args.scale, leftovers: &lists, proofs };
    let (mut run, mut records, mut ending) = session::run(&plan, &signals).await;
    if ending.is_none() && shards.len() > 1 {
        ending = rerun_alone(&plan, &mut run, &mut records, &signals).await;
    }
    print(&run, &records);
    let written = reports.write(&run, &records);
    code(&records, ending, written)
}

/// Runs every drill that was not proven a second time, alone, as parallel drills may have disturbed it. The second
/// verdict counts.
async fn rerun_alone(
    plan: &Plan<'_>,
    run: &mut Run,
    records: &mut [Case],
    signals: &Signals,
) -> Option<Ending> {
    let name = |index: &usize| plan.suite.drills[*index].1.drill.value.as_str();
    // A drill whose cause could not be undone was not disturbed by others.
    let disturbed = |record: &Case| !is_proven(record) && record.not_undone.is_empty();
    let order: Vec<usize> = (0..plan.suite.drills.len())
        .filter(|index| records.iter().any(|record| record.drill == name(index) && disturbed(record)))
        .collect();
    if order.is_empty() {
        return None;
    }
    let mut healthy = 0;
    for (index, shard) in plan.shards.iter().enumerate() {
        if shard.undo_list.is_sound()
            && shard.systems.prometheus.ready().await.is_ok()
            && shard.systems.alertmanager.ready().await.is_ok()
        {
            healthy = index;
            break;
        }
    }
    console::line(format_args!(
        "rerunning one at a time: {}",
        order.iter().map(name).collect::<Vec<_>>().join(", ")
    ));
    let shards = std::slice::from_ref(&plan.shards[healthy]);
    let second = Plan { shards, order, ..*plan };
    let (rerun, found, ending) = session::run(&second, signals).await;
    for case in found {
        if let Some(first) = records.iter_mut().find(|first| first.drill == case.drill) {
            let disturbed =
                first.judgement.as_ref().map(|it| format!("{}: {}", it.verdict.name(), it.reason));
            *first = Case { disturbed, ..case };
        }
    }
    run.finished = rerun.finished;
    run.interrupted = rerun.interrupted;
    ending
}
