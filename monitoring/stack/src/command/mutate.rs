//! `stack mutate`: breaks every rule and route in turn; each time the drill has to notice.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::{TryStreamExt, stream};

use super::signals::{Signals, exit_code};
use crate::error::Error;
use crate::mutate::drills::{self, Drill};
use crate::mutate::fate::{Fate, Said, judge};
use crate::mutate::mutant::Mutant;
use crate::mutate::summary::{self, Control, Judged};
use crate::mutate::trial::Bench;
use process::program;

/// Time between the first starts, so that stacks do not slow one another's down past their limits.
const STAGGER: Duration = Duration::from_secs(4);

/// How often a trial is run whose end need not be the mutation's doing.
const ATTEMPTS: u32 = 3;

/// Arguments of `stack mutate`. Each mutant has a stack of its own with one change in its files, and a drill of that
/// alert must not say PROVEN; the same drill on the unbroken files, beside, must.
#[derive(Debug, Args)]
pub struct Mutate {
    /// Only mutants whose rule, route, drill or kind of change contains this text
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    /// How many stacks at once
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=32))]
    jobs: u8,
    /// Divide every duration of the monitoring files by N
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    scale: f64,
    /// Say what would be broken, and break nothing
    #[arg(long)]
    list: bool,
}

/// An alert's drills with the mutants that one of them has to notice, one after the other behind their controls.
struct Group<'a> {
    drills: Vec<&'a Drill>,
    mutants: Vec<Mutant>,
}

/// What is known so far.
#[derive(Default)]
struct Found {
    judged: Vec<Judged>,
    controls: Vec<Control>,
}

pub(super) async fn main(args: Mutate) -> Result<u8, Error> {
    let repository = program::repository();
    let monitoring = repository.join("monitoring");
    let drills = drills::load(&monitoring.join("drills"))?;
    let mut mutants = crate::mutate::all(&monitoring, &drills)?;
    if let Some(pattern) = args.pattern.as_ref().filter(|pattern| !pattern.is_empty()) {
        mutants.retain(|it| {
            let names = it.drills.iter().chain([&it.of]).map(String::as_str).chain([it.kind.name()]);
            names.into_iter().any(|name| name.contains(pattern.as_str()))
        });
        if mutants.is_empty() {
            return Err(Error::Usage(format!(
                "no mutant is called `{pattern}`: `stack mutate --list` prints all"
            )));
        }
    }
    if args.list {
        for mutant in &mutants {
            println!("{}: {}, {}", mutant.of, mutant.kind.name(), mutant.change);
        }
        return Ok(0);
    }
    let work = repository.join(format!("target/mutate/{}", std::process::id()));
    let bench = Bench::new(monitoring, work.clone(), args.scale)?;
    let mut signals = Signals::catch(true)?;
    let started = Instant::now();
    let groups = grouped(&drills, mutants);
    let total: usize = groups.iter().map(|group| group.mutants.len()).sum();
    println!(
        "{total} mutants and {} unbroken drills on {} stacks at once, time scale {}",
        groups.len(),
        args.jobs,
        args.scale
    );
    let found = Mutex::new(Found::default());
    let trials = stream::iter(groups.iter().enumerate().map(Ok)).try_for_each_concurrent(
        usize::from(args.jobs),
        |(index, group)| {
            let stagger = if index < args.jobs.into() { STAGGER * index as u32 } else { Duration::ZERO };
            let (bench, found) = (&bench, &found);
            async move {
                tokio::time::sleep(stagger).await;
                one_group(bench, group, index, found).await
            }
        },
    );
    let ended = tokio::select! {
        ended = trials => ended.map(|()| None),
        // The trials are dropped, and with them every stack.
        signal = signals.next() => Ok(Some(signal)),
    };
    let Found { judged, controls } = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    print!("{}", summary::table(&judged, &controls, started.elapsed()));
    let report = repository.join("target/mutate/report.json");
    fs::write(&report, format!("{:#}\n", summary::report(&judged, &controls)))
        .map_err(Error::io(format!("writing {}", report.display())))?;
    println!("All verdicts are in {}", short(&repository, &report));
    if let Some(signal) = ended? {
        println!("{signal}: {} of {total} mutants were not judged", total - judged.len());
        let _ = fs::remove_dir_all(&work); // it lies below target/
        return Ok(exit_code(signal));
    }
    let whole = summary::whole(&judged, &controls);
    if whole {
        let _ = fs::remove_dir_all(&work);
    } else {
        println!("Logs of what was not killed are below {}", short(&repository, &work));
    }
    Ok(u8::from(!whole))
}

fn short(repository: &std::path::Path, path: &std::path::Path) -> String {
    path.strip_prefix(repository).unwrap_or(path).display().to_string()
}

/// By their drills, those that take longest first.
fn grouped(drills: &[Drill], mutants: Vec<Mutant>) -> Vec<Group<'_>> {
    let mut by_drills: BTreeMap<Vec<String>, Vec<Mutant>> = BTreeMap::new();
    for mutant in mutants {
        by_drills.entry(mutant.drills.clone()).or_default().push(mutant);
    }
    let named = |names: &[String]| {
        names.iter().filter_map(|name| drills.iter().find(|it| it.name == *name)).collect()
    };
    let groups = by_drills.into_iter().map(|(names, mutants)| Group { drills: named(&names), mutants });
    let mut groups: Vec<Group<'_>> = groups.collect();
    let lasts = |group: &Group<'_>| -> Duration {
        group.drills.iter().map(|drill| drill.promised * (1 + group.mutants.len() as u32)).sum()
    };
    groups.sort_by_key(|group| std::cmp::Reverse(lasts(group)));
    groups
}

/// Runs a drill, again while what it came to is not `clear` and up to [`ATTEMPTS`] times: a busy machine is not to spoil
/// the run. Gives the last trial's folder, too.
async fn tried(
    bench: &Bench,
    name: &str,
    drill: &Drill,
    mutant: Option<&Mutant>,
    clear: impl Fn(&Said) -> bool,
) -> Result<(Said, String), Error> {
    let mut attempt = 1;
    loop {
        let folder = format!("{name}-{attempt}");
        let said = bench.run(&folder, drill, mutant).await?;
        if clear(&said) || attempt == ATTEMPTS {
            return Ok((said, folder));
        }
        bench.forget(&folder);
        attempt += 1;
    }
}

async fn one_group(
    bench: &Bench,
    group: &Group<'_>,
    index: usize,
    found: &Mutex<Found>,
) -> Result<(), Error> {
    let lock = || found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut controls = Vec::new();
    for (which, drill) in group.drills.iter().enumerate() {
        let name = format!("{index}-control-{which}");
        let (said, folder) = tried(bench, &name, drill, None, |said| said.verdict == "PROVEN").await?;
        let control = Control { drill: drill.name.clone(), said };
        if control.proven() {
            bench.forget(&folder);
        }
        print!("{}", summary::control(&control));
        lock().controls.push(control.clone());
        controls.push((*drill, control));
    }
    for (number, mutant) in group.mutants.iter().enumerate() {
        let mut last = None;
        for (which, (drill, control)) in controls.iter().enumerate() {
            let name = format!("{index}-{number}-{which}");
            let fate = |said: &Said| judge(mutant, said, &control.said);
            let (said, folder) =
                tried(bench, &name, drill, Some(mutant), |said| fate(said) != Fate::Unclear).await?;
            let fate = fate(&said);
            if fate == Fate::Killed {
                bench.forget(&folder);
            }
            last = Some(Judged { mutant: mutant.clone(), drill: drill.name.clone(), said, fate });
            if fate == Fate::Killed {
                break;
            }
        }
        if let Some(judged) = last {
            print!("{}", summary::line(&judged));
            lock().judged.push(judged);
        }
    }
    Ok(())
}
