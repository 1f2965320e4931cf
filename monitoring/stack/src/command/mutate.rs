//! `stack mutate`: breaks every rule and route in turn, and checks that its drill notices.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::{TryStreamExt, stream};
use tokio::sync::OnceCell;

use super::signals::{Signals, exit_code};
use crate::error::Error;
use crate::mutate::drills::{self, Drill};
use crate::mutate::fate::{DrillResult, Fate, evaluate};
use crate::mutate::mutant::Mutant;
use crate::mutate::summary::{self, Control, MutantResult};
use crate::mutate::trial::Bench;
use crate::mutate::unnoticed;
use process::program;

/// Delay between the first starts, so that the stacks do not slow each other down beyond their limits.
const STAGGER: Duration = Duration::from_secs(4);

/// Maximum attempts of a trial, since a busy machine can also change its result.
const ATTEMPTS: u32 = 3;

/// Arguments of `stack mutate`. Each mutant is a separate stack with one change in its files, where a drill of the
/// alert must not be PROVEN. On the unchanged files the same drill must be PROVEN.
#[derive(Debug, Args)]
pub struct Mutate {
    /// Only mutants whose line in the list or drill name contains this text
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    /// Number of stacks at once
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=32))]
    jobs: u8,
    /// Divide every duration of the monitoring files by N
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    scale: f64,
    /// List the mutants without running them
    #[arg(long)]
    list: bool,
}

/// The results so far.
#[derive(Default)]
struct Found {
    results: Vec<MutantResult>,
    controls: Vec<Control>,
}

pub(super) async fn main(args: Mutate) -> Result<u8, Error> {
    let repository = program::repository();
    let monitoring = repository.join("monitoring");
    let drills = drills::load(&monitoring.join("drills"))?;
    let mut mutants = crate::mutate::all(&monitoring, &drills)?;
    if let Some(pattern) = args.pattern.as_ref().filter(|pattern| !pattern.is_empty()) {
        mutants.retain(|it| {
            it.title().contains(pattern.as_str())
                || it.drills.iter().any(|name| name.contains(pattern.as_str()))
        });
        if mutants.is_empty() {
            return Err(Error::Usage(format!(
                "no mutant matches `{pattern}`; list all with `stack mutate --list`"
            )));
        }
    }
    let (unnoticed, mut mutants): (Vec<_>, Vec<_>) =
        mutants.into_iter().partition(|mutant| unnoticed::reason(mutant).is_some());
    if args.list {
        for mutant in &mutants {
            println!("{}", mutant.title());
        }
        print!("{}", summary::unnoticed(&unnoticed));
        return Ok(0);
    }
    let work = repository.join(format!("target/mutate/{}", std::process::id()));
    let bench = Bench::new(monitoring, work.clone(), args.scale)?;
    let mut signals = Signals::catch(true)?;
    let started = Instant::now();
    mutants.sort_by_key(|mutant| std::cmp::Reverse(first(&drills, mutant).map(|drill| drill.promised)));
    let total = mutants.len();
    let controls = Controls::default();
    println!(
        "{total} mutants and their drills on the unchanged files, {} stacks at once, time scale {}",
        args.jobs, args.scale
    );
    let found = Mutex::new(Found::default());
    let trials = stream::iter(mutants.iter().enumerate().map(Ok)).try_for_each_concurrent(
        usize::from(args.jobs),
        |(index, mutant)| {
            let stagger = if index < args.jobs.into() { STAGGER * index as u32 } else { Duration::ZERO };
            let (bench, drills, controls, found) = (&bench, &drills, &controls, &found);
            async move {
                tokio::time::sleep(stagger).await;
                one_mutant(bench, mutant, index, drills, controls, found).await
            }
        },
    );
    let ended = tokio::select! {
        ended = trials => ended.map(|()| None),
        // Dropping the trials stops their stacks.
        signal = signals.next() => Ok(Some(signal)),
    };
    let Found { results, controls } = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    print!("{}", summary::unnoticed(&unnoticed));
    print!("{}", summary::table(&results, &controls, &unnoticed, started.elapsed()));
    let report = repository.join("target/mutate/report.json");
    fs::write(&report, format!("{:#}\n", summary::report(&results, &controls, &unnoticed)))
        .map_err(Error::io(format!("writing {}", report.display())))?;
    println!("Report: {}", short(&repository, &report));
    if let Some(signal) = ended? {
        println!("{signal}: {} of {total} mutants have no result", total - results.len());
        let _ = fs::remove_dir_all(&work); // it lies below target/
        return Ok(exit_code(signal));
    }
    let all_killed = summary::all_killed(&results, &controls);
    if all_killed {
        let _ = fs::remove_dir_all(&work);
    } else {
        println!("Logs of mutants that were not killed: {}", short(&repository, &work));
    }
    Ok(u8::from(!all_killed))
}

fn short(repository: &std::path::Path, path: &std::path::Path) -> String {
    path.strip_prefix(repository).unwrap_or(path).display().to_string()
}

/// The drill that is run first for a mutant.
fn first<'a>(drills: &'a [Drill], mutant: &Mutant) -> Option<&'a Drill> {
    mutant.drills.first().and_then(|name| drills.iter().find(|drill| drill.name == *name))
}

/// The drills on the unchanged files, each run when the first mutant needs it.
#[derive(Default)]
struct Controls(Mutex<BTreeMap<String, Arc<OnceCell<Control>>>>);

impl Controls {
    async fn of(&self, bench: &Bench, drill: &Drill, found: &Mutex<Found>) -> Result<Control, Error> {
        let cell = Arc::clone(held(&self.0).entry(drill.name.clone()).or_default());
        let run = async || {
            let name = format!("control-{}", drill.name);
            let (result, folder) = tried(bench, &name, drill, None, |it| it.verdict == "PROVEN").await?;
            let control = Control { drill: drill.name.clone(), result };
            if control.proven() {
                bench.forget(&folder);
            }
            print!("{}", summary::control(&control));
            held(found).controls.push(control.clone());
            Ok(control)
        };
        cell.get_or_try_init(run).await.cloned()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs a drill up to [`ATTEMPTS`] times until its result is `clear`, because a busy machine must not spoil the run.
/// Also returns the folder of the last trial.
async fn tried(
    bench: &Bench,
    name: &str,
    drill: &Drill,
    mutant: Option<&Mutant>,
    clear: impl Fn(&DrillResult) -> bool,
) -> Result<(DrillResult, String), Error> {
    let mut attempt = 1;
    loop {
        let folder = format!("{name}-{attempt}");
        let result = bench.run(&folder, drill, mutant).await?;
        if clear(&result) || attempt == ATTEMPTS {
            return Ok((result, folder));
        }
        bench.forget(&folder);
        attempt += 1;
    }
}

async fn one_mutant(
    bench: &Bench,
    mutant: &Mutant,
    index: usize,
    drills: &[Drill],
    controls: &Controls,
    found: &Mutex<Found>,
) -> Result<(), Error> {
    let mut last = None;
    for (which, name) in mutant.drills.iter().enumerate() {
        let Some(drill) = drills.iter().find(|drill| drill.name == *name) else { continue };
        let control = controls.of(bench, drill, found).await?;
        let fate = |result: &DrillResult| evaluate(mutant, result, &control.result);
        let folder = format!("{index}-{which}");
        let clear = |result: &DrillResult| fate(result) != Fate::Unclear;
        let (result, folder) = tried(bench, &folder, drill, Some(mutant), clear).await?;
        let fate = fate(&result);
        if fate == Fate::Killed {
            bench.forget(&folder);
        }
        last = Some(MutantResult { mutant: mutant.clone(), drill: drill.name.clone(), result, fate });
        if fate == Fate::Killed {
            break;
        }
    }
    if let Some(results) = last {
        print!("{}", summary::line(&results));
        held(found).results.push(results);
    }
    Ok(())
}
