//! The bounds of a drill against a model of what takes time: no phase lasts longer than its bound, whatever the rules, the
//! intervals and how they lie to each other; and for each formula there is a way to lie at which it nearly does.
//!
//! `CASES=1000000` tries as many random graphs of rules, the same ones each time.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but clippy does not see helpers as such"
)]

mod model;
mod random;

use std::time::Duration;

use clients::prometheus::{Alerting, Labels, RuleGroup};
use drill::rule::graph;
use drill::timing::bounds::{self, Bounds, Inputs};
use proptest::prop_assert;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use model::{Delivery, Group, Model, Read, Reading, Route, Rule, Run, SECOND, Source};

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
        query_offset: duration(group.behind),
        rules: group.rules.iter().map(&mut rule).collect(),
        ..RuleGroup::default()
    };
    model.groups.iter().map(group).collect()
}

/// The bounds of the last rule, whose alert takes this route.
fn bounds_of(model: &Model, route: &Route) -> Bounds {
    let groups = loaded(model);
    let rule = groups.last().unwrap().rules.last().unwrap();
    let sources = graph::sources(&groups, rule, None).unwrap();
    let last = model.groups.last().unwrap();
    let (hold, keep) = last.rules.last().unwrap().alert.unwrap();
    let behind = duration(last.behind);
    bounds::compute(&Inputs {
        scrape: duration(model.scrape),
        evaluation: duration(last.interval),
        rising: sources.longest(|path| path.lookback + path.rise + path.behind.max(behind)),
        falling: sources.longest(|path| path.lookback + path.fall + path.behind.max(behind)),
        query_offset: behind,
        stamped_early: Duration::ZERO,
        peer_wait: duration(route.peers),
        hold: duration(hold),
        keep_firing: duration(keep),
        rise: None,
        ordered: Duration::ZERO,
        group_wait: duration(route.wait),
        group_interval: duration(route.interval),
        group_exists: false,
    })
}

/// The phases of a model and their bounds, in microseconds: pending, firing, resolved, notified, all-clear.
fn phases(model: &Model, route: &Route) -> ([i64; 5], [i64; 5]) {
    let bounds = bounds_of(model, route);
    let bounds =
        [bounds.pending, bounds.firing, bounds.resolved, bounds.notified, bounds.all_clear].map(micros);
    // Long enough before for every window to hold nothing but what was before, and after for all of it to have passed.
    let settled = bounds[0] + bounds[2] + model.scrape;
    // A cause is lifted once its notification has arrived.
    let total = bounds[0] + bounds[1] + bounds[3];
    let end = 4 * settled + total;
    let run = model.run(-settled, total, end);
    let Run { pending, firing, lifted, resolved } =
        run.unwrap_or_else(|| panic!("no end by {end}: {model:?}\n{:?}", loaded(model)));
    let Delivery { notified, all_clear } = route.deliver(firing, resolved);
    ([pending, firing - pending, resolved - lifted, notified - firing, all_clear - resolved], bounds)
}

#[test]
fn no_phase_lasts_longer_than_its_bound() {
    let cases = std::env::var("CASES").map_or(20_000, |cases| cases.parse().expect("CASES is a number"));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let tried = runner.run(&(random::models(), random::routes()), |(model, route)| {
        let (phases, bounds) = phases(&model, &route);
        for (index, name) in ["pending", "firing", "resolved", "notified", "all_clear"].iter().enumerate() {
            prop_assert!(
                phases[index] <= bounds[index] + 1,
                "{} took {} us, bound {} us\n{:#?}\n{:?}",
                name,
                phases[index],
                bounds[index],
                loaded(&model),
                route
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
fn worst(scrape: i64, formula: &Formula, falling: i64, grid: i64) -> Model {
    let scrape = scrape * SECOND;
    let (mut due, mut before) = (scrape - 2, 0);
    let behinds = formula.behind.iter().map(|behind| behind * SECOND).chain(std::iter::repeat(0));
    let groups = formula.groups.iter().zip(behinds).map(|((interval, rules), behind)| {
        let interval = interval * SECOND;
        due += interval - 2 + (before - behind).max(0);
        before = behind;
        Group { interval, offset: due + behind + falling, behind, rules: rules.clone() }
    });
    let groups = groups.collect();
    Model { scrape, scrape_offset: -1 + falling, grid, left_open: false, groups }
}

/// A formula, groups that reach it, and by how much a range may stay below it, in seconds: a range waits for its oldest
/// sample to leave it, and while it does, for the newest to come. The bound counts both.
struct Formula {
    name: &'static str,
    groups: Vec<(i64, Vec<Rule>)>,
    /// `query_offset` of the groups, in seconds.
    behind: &'static [i64],
    rises: bool,
    falls: bool,
    slack: i64,
}

fn formulas() -> Vec<Formula> {
    use Reading::{Instant, Max, MaxSteps, Min, MinSteps};
    use Source::{Active, Firing, Recorded, Scraped};
    let (w, step) = (60 * SECOND, 10 * SECOND);
    let both = |name, groups| Formula { name, groups, behind: &[], rises: true, falls: true, slack: 0 };
    let recorded = || (10, vec![rule(Scraped, Instant)]);
    let reader = |reading| (10, vec![alert(Recorded(0), reading, 0, 0)]);
    let rising =
        |name, groups, slack| Formula { name, groups, behind: &[], rises: true, falls: false, slack };
    let falling =
        |name, groups, slack| Formula { name, groups, behind: &[], rises: false, falls: true, slack };
    let behind = |name, behind, groups| Formula { behind, ..both(name, groups) };
    let read = |source, hold, keep| {
        vec![(10, vec![alert(Scraped, Instant, hold, keep)]), (10, vec![alert(source, Instant, 0, 0)])]
    };
    vec![
        both("S + E", vec![(15, vec![alert(Scraped, Instant, 0, 0)])]),
        behind("S + E + Q", &[20], vec![(15, vec![alert(Scraped, Instant, 0, 0)])]),
        behind("S + R + E + Q, one group", &[20, 20], vec![recorded(), reader(Instant)]),
        behind("S + R + E + Q, recorded further behind", &[30, 20], vec![recorded(), reader(Instant)]),
        behind("S + R + E + Q, read further behind", &[20, 30], vec![recorded(), reader(Instant)]),
        behind(
            "S + R + E + Q, up and down",
            &[30, 0, 20],
            vec![
                recorded(),
                (10, vec![rule(Recorded(0), Instant)]),
                (10, vec![alert(Recorded(1), Instant, 0, 0)]),
            ],
        ),
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
    let at_once = Route { wait: 0, interval: 0, peers: 0, sending: 0 };
    for formula in formulas() {
        let Formula { name, rises, falls, slack, .. } = formula;
        let mut most = [0.0_f64; 2];
        // However the groups lie to the cause, they lie to its end in some other way: all of them are tried.
        let shifts = (0..120).flat_map(|shift| (-6..6).map(move |grid| (shift * SECOND / 2, grid)));
        for (shift, grid) in shifts {
            let (phases, bounds) = phases(&worst(10, &formula, shift, grid), &at_once);
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

/// Of a notification that begins just before the alert resolves, and takes the longest.
#[test]
fn the_formulas_of_notifications_are_reached() {
    let sending = micros(bounds::DELIVERY);
    for (wait, interval, peers) in [(30, 300, 0), (30, 300, 15), (1, 10, 30)] {
        let route =
            Route { wait: wait * SECOND, interval: interval * SECOND, peers: peers * SECOND, sending };
        let model = worst(10, &formulas()[0], 0, 0);
        let bounds = bounds_of(&model, &route);
        let Delivery { notified, all_clear } = route.deliver(0, route.wait + 1);
        assert_eq!(notified, micros(bounds.notified));
        assert_eq!(all_clear - (route.wait + 1), micros(bounds.all_clear) - 1);
    }
}
