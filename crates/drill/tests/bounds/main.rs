//! The bounds of a drill against a model of what takes time: no phase lasts longer than its bound, whatever the rules, the
//! intervals and how they lie to each other; and for each formula there is a way to lie at which it nearly does.
//!
//! `CASES=1000000` tries as many random graphs of rules, the same ones each time.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but clippy does not see helpers as such"
)]

mod model;

use std::time::Duration;

use clients::prometheus::{Alerting, Labels, RuleGroup};
use drill::rule::graph;
use drill::timing::bounds::{self, Bounds, Inputs};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use model::{Group, Model, Read, Reading, Rule, Run, SECOND, Source};

fn duration(micros: i64) -> Duration {
    Duration::from_micros(micros.unsigned_abs())
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap()
}

/// The expression of a rule, as far as its reads go.
fn expression(rule: &Rule) -> String {
    let text = |read: &Read| {
        let selector = match read.source {
            Source::Scraped => "x".to_owned(),
            Source::Recorded(number) => format!("r{number}"),
            Source::Firing(number) => format!("ALERTS{{alertname=\"a{number}\", alertstate=\"firing\"}}"),
            Source::Active(number) => format!("ALERTS{{alertname=\"a{number}\"}}"),
        };
        let offset =
            if read.offset > 0 { format!(" offset {}ms", read.offset / 1000) } else { String::new() };
        let ms = |micros: i64| format!("{}ms", micros / 1000);
        match read.reading {
            Reading::Instant => format!("{selector}{offset}"),
            Reading::Min(range) => format!("min_over_time({selector}[{}]{offset})", ms(range)),
            Reading::Max(range) => format!("max_over_time({selector}[{}]{offset})", ms(range)),
            Reading::MinSteps(range, step) => {
                format!("min_over_time({selector}[{}:{}]{offset})", ms(range), ms(step))
            }
            Reading::MaxSteps(range, step) => {
                format!("max_over_time({selector}[{}:{}]{offset})", ms(range), ms(step))
            }
        }
    };
    rule.reads.iter().map(text).collect::<Vec<_>>().join(if rule.all { " * " } else { " + " })
}

/// The groups as Prometheus's API gives them.
fn loaded(model: &Model) -> Vec<RuleGroup> {
    let mut number = 0;
    let mut rule = |rule: &Rule| {
        let alerting = rule.alert.map(|(hold, keep)| Alerting {
            hold: duration(hold),
            keep_firing: duration(keep),
            labels: Labels::new(),
            state: "inactive".into(),
            alerts: Vec::new(),
        });
        let name = if alerting.is_some() { format!("a{number}") } else { format!("r{number}") };
        number += 1;
        clients::prometheus::Rule {
            name,
            query: expression(rule),
            health: "ok".into(),
            last_error: String::new(),
            last_evaluation: None,
            alerting,
        }
    };
    let group = |group: &Group| RuleGroup {
        name: "g".into(),
        file: "g.yml".into(),
        interval: duration(group.interval),
        rules: group.rules.iter().map(&mut rule).collect(),
    };
    model.groups.iter().map(group).collect()
}

/// The bounds of the last rule.
fn bounds_of(model: &Model) -> Bounds {
    let groups = loaded(model);
    let rule = groups.last().unwrap().rules.last().unwrap();
    let sources = graph::sources(&groups, rule).unwrap();
    let last = model.groups.last().unwrap();
    let (hold, keep) = last.rules.last().unwrap().alert.unwrap();
    bounds::compute(&Inputs {
        scrape: duration(model.scrape),
        evaluation: duration(last.interval),
        rising: sources.longest(|path| path.lookback + path.rise),
        falling: sources.longest(|path| path.lookback + path.fall),
        hold: duration(hold),
        keep_firing: duration(keep),
        rise: None,
        ordered: Duration::ZERO,
        group_wait: Duration::ZERO,
        group_interval: Duration::ZERO,
        group_exists: false,
    })
}

/// The phases of a model and their bounds, in microseconds: pending, firing, resolved.
fn phases(model: &Model) -> ([i64; 3], [i64; 3]) {
    let bounds = bounds_of(model);
    let bounds = [bounds.pending, bounds.firing, bounds.resolved].map(micros);
    // Long enough before for every window to hold nothing but what was before, and after for all of it to have passed.
    let settled = bounds[0] + bounds[2] + model.scrape;
    let end = 4 * settled + 4 * bounds[1];
    let run = model.run(-settled, bounds[0], end);
    let Run { pending, firing, lifted, resolved } =
        run.unwrap_or_else(|| panic!("no end by {end}: {model:?}\n{:?}", loaded(model)));
    ([pending, firing - pending, resolved - lifted], bounds)
}

fn seconds(most: i64) -> impl Strategy<Value = i64> {
    (1..=most * 10).prop_map(|tenths| tenths * SECOND / 10)
}

fn read(before: usize) -> impl Strategy<Value = Read> {
    let reading = prop_oneof![
        3 => Just(Reading::Instant),
        1 => seconds(30).prop_map(Reading::Min),
        1 => seconds(30).prop_map(Reading::Max),
        1 => (seconds(30), seconds(5)).prop_map(|(range, step)| Reading::MinSteps(range.max(step), step)),
        1 => (seconds(30), seconds(5)).prop_map(|(range, step)| Reading::MaxSteps(range.max(step), step)),
    ];
    let offset = prop_oneof![3 => Just(0), 1 => seconds(10)];
    (0..=before, reading, offset, any::<bool>()).prop_map(move |(source, reading, offset, firing)| Read {
        // Made right once it is known which rules are alerts.
        source: if source == before { Source::Scraped } else { Source::Recorded(source) },
        reading: if firing { reading } else { Reading::Instant },
        offset,
    })
}

/// Up to six rules, each reading what was made before it; then dealt to groups in any order, the last one stays last.
fn models() -> impl Strategy<Value = Model> {
    let rules = (1..=6_usize).prop_flat_map(|count| {
        let rule = move |number: usize| {
            let alert = prop_oneof![
                3 => Just(None),
                1 => (0..20_i64, 0..10_i64).prop_map(|(hold, keep)| Some((hold * SECOND, keep * SECOND))),
            ];
            let alert = if number + 1 == count {
                (0..20_i64, 0..10_i64).prop_map(|(hold, keep)| Some((hold * SECOND, keep * SECOND))).boxed()
            } else {
                alert.boxed()
            };
            (prop::collection::vec(read(number), 1..=2), any::<bool>(), alert)
                .prop_map(|(reads, all, alert)| Rule { reads, all, alert })
        };
        (0..count).map(rule).collect::<Vec<_>>()
    });
    let groups = prop::collection::vec((seconds(15), 0..1_000_000_i64), 3);
    (
        rules,
        groups,
        prop::collection::vec((0..3_usize, any::<u16>()), 6),
        seconds(10),
        0..1_000_000_i64,
        0..1_000_000_i64,
    )
        .prop_map(|(rules, groups, dealt, scrape, scrape_offset, grid)| {
            let count = rules.len();
            let mut places: Vec<(usize, u16, usize)> =
                (0..count).map(|number| (dealt[number].0, dealt[number].1, number)).collect();
            places[count - 1] = (2, u16::MAX, count - 1);
            places.sort_unstable();
            let number = |made: usize| places.iter().position(|(_, _, it)| *it == made).unwrap();
            let right = |read: &Read| {
                let source = match read.source {
                    Source::Recorded(made) if rules[made].alert.is_none() => Source::Recorded(number(made)),
                    Source::Recorded(made) if read.offset % 2 == 0 => Source::Firing(number(made)),
                    Source::Recorded(made) => Source::Active(number(made)),
                    other => other,
                };
                // A range over ALERTS has gaps and no zeros: whether some of it holds is all it can tell.
                let reading = match (source, read.reading) {
                    (Source::Firing(_) | Source::Active(_), Reading::Min(range)) => Reading::Max(range),
                    (_, reading) => reading,
                };
                Read { source, reading, ..*read }
            };
            let mut made: Vec<Group> = groups
                .iter()
                .map(|(interval, part)| Group {
                    interval: *interval,
                    offset: interval * part / 1_000_000,
                    rules: vec![],
                })
                .collect();
            for (group, _, number) in &places {
                let rule = &rules[*number];
                let reads = rule.reads.iter().map(right).collect();
                made[*group].rules.push(Rule { reads, ..rule.clone() });
            }
            made.retain(|group| !group.rules.is_empty());
            let written: Vec<i64> =
                made.iter().flat_map(|group| group.rules.iter().map(|_| group.interval)).collect();
            for read in made.iter_mut().flat_map(|group| &mut group.rules).flat_map(|rule| &mut rule.reads) {
                // A range shorter than the samples are apart is empty now and then, whatever the cause does.
                let apart = match read.source {
                    Source::Scraped => scrape,
                    Source::Recorded(number) | Source::Firing(number) | Source::Active(number) => {
                        written[number]
                    }
                };
                match &mut read.reading {
                    Reading::Min(range) | Reading::Max(range) => *range = (*range).max(apart),
                    _ => {}
                }
            }
            Model { scrape, scrape_offset: scrape * scrape_offset / 1_000_000, grid, groups: made }
        })
}

#[test]
fn no_phase_lasts_longer_than_its_bound() {
    let cases = std::env::var("CASES").map_or(20_000, |cases| cases.parse().expect("CASES is a number"));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let tried = runner.run(&models(), |model| {
        let (phases, bounds) = phases(&model);
        for (index, name) in ["pending", "firing", "resolved"].iter().enumerate() {
            prop_assert!(
                phases[index] <= bounds[index] + 1,
                "{} took {} us, bound {} us\n{:#?}",
                name,
                phases[index],
                bounds[index],
                loaded(&model)
            );
        }
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

fn rule(source: Source, reading: Reading) -> Rule {
    Rule { reads: vec![Read { source, reading, offset: 0 }], all: true, alert: None }
}

fn alert(source: Source, reading: Reading, hold: i64, keep: i64) -> Rule {
    Rule { alert: Some((hold * SECOND, keep * SECOND)), ..rule(source, reading) }
}

/// Groups that each miss what they read by a moment, on a scrape that has just missed the cause.
fn worst(scrape: i64, groups: Vec<(i64, Vec<Rule>)>, falling: i64, grid: i64) -> Model {
    let scrape = scrape * SECOND;
    let mut due = scrape - 2;
    let groups = groups.into_iter().map(|(interval, rules)| {
        let interval = interval * SECOND;
        due += interval - 2;
        Group { interval, offset: due + falling, rules }
    });
    let groups = groups.collect();
    Model { scrape, scrape_offset: -1 + falling, grid, groups }
}

/// A formula, groups that reach it, and by how much a range may stay below it, in seconds: a range waits for its oldest
/// sample to leave it, and while it does, for the newest to come. The bound counts both.
struct Formula {
    name: &'static str,
    groups: Vec<(i64, Vec<Rule>)>,
    rises: bool,
    falls: bool,
    slack: i64,
}

fn formulas() -> Vec<Formula> {
    use Reading::{Instant, Max, MaxSteps, Min, MinSteps};
    use Source::{Active, Firing, Recorded, Scraped};
    let (w, step) = (60 * SECOND, 10 * SECOND);
    let both = |name, groups| Formula { name, groups, rises: true, falls: true, slack: 0 };
    let recorded = || (10, vec![rule(Scraped, Instant)]);
    let reader = |reading| (10, vec![alert(Recorded(0), reading, 0, 0)]);
    let rising = |name, groups, slack| Formula { name, groups, rises: true, falls: false, slack };
    let falling = |name, groups, slack| Formula { name, groups, rises: false, falls: true, slack };
    let read = |source, hold, keep| {
        vec![(10, vec![alert(Scraped, Instant, hold, keep)]), (10, vec![alert(source, Instant, 0, 0)])]
    };
    vec![
        both("S + E", vec![(15, vec![alert(Scraped, Instant, 0, 0)])]),
        both(
            "S + R + E, another group",
            vec![(30, vec![rule(Scraped, Instant)]), (15, vec![alert(Recorded(0), Instant, 0, 0)])],
        ),
        both(
            "S + R + E, the round before",
            vec![
                (30, vec![rule(Recorded(1), Instant), rule(Scraped, Instant)]),
                (5, vec![alert(Recorded(0), Instant, 0, 0)]),
            ],
        ),
        rising("W + S + E", vec![(10, vec![alert(Scraped, Min(w), 0, 0)])], 10),
        falling("W + S + E, falling", vec![(10, vec![alert(Scraped, Max(w), 0, 0)])], 10),
        rising("W + S + R + E", vec![recorded(), reader(Min(w))], 10),
        falling("W + S + R + E, falling", vec![recorded(), reader(Max(w))], 10),
        rising("W with a step", vec![recorded(), reader(MinSteps(w, step))], 10),
        falling("W with a step, falling", vec![recorded(), reader(MaxSteps(w, step))], 10),
        rising("⌈F/E⌉·E of an alert that is read firing", read(Firing(0), 25, 0), 0),
        both("an alert that is read active", read(Active(0), 25, 0)),
        falling("⌈K/E⌉·E of an alert that is read", read(Firing(0), 0, 45), 0),
        falling("⌈K/E⌉·E", vec![(10, vec![alert(Scraped, Instant, 0, 35)])], 0),
    ]
}

#[test]
fn each_formula_is_nearly_reached() {
    for Formula { name, groups, rises, falls, slack } in formulas() {
        let mut most = [0.0_f64; 2];
        // However the groups lie to the cause, they lie to its end in some other way: all of them are tried.
        let shifts = (0..120).flat_map(|shift| (-6..6).map(move |grid| (shift * SECOND / 2, grid)));
        for (shift, grid) in shifts {
            let (phases, bounds) = phases(&worst(10, groups.clone(), shift, grid));
            for (index, phase) in [(0, 0), (1, 2)] {
                let part = phases[phase] as f64 / (bounds[phase] - slack * SECOND) as f64;
                most[index] = most[index].max(part);
            }
        }
        println!("{name}: pending {:.1} %, resolved {:.1} %", most[0] * 100.0, most[1] * 100.0);
        assert!(!rises || most[0] >= 0.95, "{name}: {most:?}");
        assert!(!falls || most[1] >= 0.95, "{name}: {most:?}");
    }
}
