//! The model against which the bounds of drills are tested, held against a real Prometheus and Alertmanager: thirty
//! configurations are drawn, run beside each other, and each phase happens when the model says.
//!
//! The model gets the times of scrapes and evaluations from the samples, so that its
//! result is an instant and not a range over all ways in which these may lie to each other. What no sample shows is how
//! long a scrape or an evaluation takes; the results for up to [`DELAY`] are the range in which the real phase has to lie. A
//! configuration that lies outside is run again, since the machine may have been busy; outside the range for [`BUSY`] it is wrong.
//!
//! `SEED=1` draws others.

#![allow(clippy::unwrap_used)] // a test fails by panicking
#![allow(dead_code, reason = "the shapes' chain can do more")]

#[path = "../shapes/chain.rs"]
mod chain;
mod draw;
#[path = "../shapes/exporter.rs"]
mod exporter;
mod history;
#[path = "../../../../crates/drill/tests/bounds/model.rs"]
mod model;
#[path = "../shapes/routes.rs"]
mod routes;
#[path = "../shapes/rules.rs"]
mod rules;
#[path = "../e2e/support.rs"]
mod support;
#[path = "../shapes/table.rs"]
mod table;
mod text;

use std::time::Duration;

use crate::chain::Chain;
use crate::draw::Configuration;
use crate::history::{History, Real};
use crate::model::{Model, Route, SECOND};

const CONFIGURATIONS: usize = 30;
/// The longest that a scrape, an evaluation or a request takes on an idle machine, in microseconds.
const DELAY: i64 = 150_000;
/// The same on a busy one.
const BUSY: i64 = SECOND;
/// The longest from Alertmanager's decision until the inbox has the notification, in microseconds.
const SENDING: i64 = SECOND;
/// How often a configuration is run at most.
const ROUNDS: usize = 3;
/// By when every phase must have happened: the drawn ranges, intervals and holds come to less.
const LIMIT: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_real_configurations_do_as_the_model_says() {
    let seed = std::env::var("SEED").map_or(1, |seed| seed.parse().expect("SEED is a number"));
    let query_offset = chain::version() >= (2, 53);
    let mut open: Vec<Configuration> =
        (0..CONFIGURATIONS).map(|number| draw::configuration(seed, number, query_offset)).collect();
    let mut wrong = Vec::new();
    let (mut exact, mut unjudged) = (0, Vec::new());
    for round in 0..ROUNDS {
        let history = run(&open).await;
        let mut again = Vec::new();
        unjudged.clear();
        for configuration in open {
            match judge(&configuration, &history) {
                Judged::Exact(line) => {
                    exact += 1;
                    println!("{line}");
                }
                Judged::Near(line) => {
                    println!("{line}: outside in round {round}, as on a busy machine");
                    again.push(configuration);
                }
                Judged::Disturbed(why) => {
                    println!("{:>2}  round {round}: {why}", configuration.number);
                    unjudged.push(configuration.number);
                    again.push(configuration);
                }
                Judged::Wrong(why) => wrong.push(format!("{why}\n{}", text::rules(&configuration))),
            }
        }
        open = again;
        if open.is_empty() {
            break;
        }
    }
    println!(
        "seed {seed}: {exact} of {CONFIGURATIONS} within {DELAY} us of the model, {} within {BUSY}",
        open.len()
    );
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n\n"));
    assert!(
        unjudged.is_empty(),
        "seed {seed}: Prometheus left out scrapes or evaluations of {unjudged:?} in each round"
    );
}

/// Runs the configurations from a cause that all of them see to the last all-clear.
async fn run(configurations: &[Configuration]) -> History {
    let leak = |text: String| -> &'static str { text.leak() };
    let rules: String = configurations.iter().map(text::rules).collect();
    let names: Vec<&'static str> = configurations.iter().map(|it| leak(it.series())).collect();
    let series: Vec<(&'static str, f64)> = names.iter().map(|name| (*name, 0.0)).collect();
    let shape = table::Shape {
        name: "model",
        rules: leak(format!("groups:\n{rules}")),
        alertmanager: leak(text::routes(configurations)),
        scrapes: leak(text::scrapes(configurations)),
        series: leak_series(series),
        ..table::gauge()
    };
    let chain = Chain::start(&shape, None).await;
    let mut history = History::new(&chain);
    history.set(&names, 1).await;
    history
        .wait("notified", LIMIT, |history| configurations.iter().all(|it| history.received(it, "firing")))
        .await;
    history.set(&names, 0).await;
    history
        .wait("all-clear", LIMIT, |history| configurations.iter().all(|it| history.received(it, "resolved")))
        .await;
    history.read().await;
    chain.stop().await;
    history
}

fn leak_series(series: Vec<(&'static str, f64)>) -> &'static [(&'static str, f64)] {
    series.leak()
}

/// What a configuration comes to.
enum Judged {
    Exact(String),
    /// As on a busy machine.
    Near(String),
    /// Prometheus left out a scrape or an evaluation.
    Disturbed(String),
    Wrong(String),
}

/// A range of microseconds from the cause.
#[derive(Clone, Copy)]
struct Span(i64, i64);

impl Span {
    fn around(self, other: i64) -> Self {
        Self(self.0.min(other), self.1.max(other))
    }
}

/// A line with the phases of a configuration, each beside when the model has it.
fn judge(configuration: &Configuration, history: &History) -> Judged {
    let real = match history.of(configuration) {
        Ok(real) => real,
        Err(why) => return Judged::Disturbed(why),
    };
    match compare(configuration, &real, DELAY) {
        Ok(line) => Judged::Exact(line),
        Err(_) => match compare(configuration, &real, BUSY) {
            Ok(line) => Judged::Near(line),
            Err(why) => Judged::Wrong(why),
        },
    }
}

fn compare(configuration: &Configuration, real: &Real, delay: i64) -> Result<String, String> {
    let predictions = predictions(configuration, real, delay)?;
    let happened = [real.pending, real.firing, real.resolved, real.notified, real.all_clear];
    let names = ["pending", "firing", "resolved", "notified", "all-clear"];
    let mut line = format!("{:>2}", configuration.number);
    for ((name, at), Span(from, to)) in names.iter().zip(happened).zip(predictions) {
        let seconds = |micros: i64| micros as f64 / SECOND as f64;
        line.push_str(&format!("  {name} {:.2} ({:.2} to {:.2})", seconds(at), seconds(from), seconds(to)));
        if at < from || at > to {
            return Err(format!("{line}: {name} lies outside\n{configuration:?}\n{real:?}"));
        }
    }
    Ok(line)
}

/// When the model has pending, firing, resolved, notified and all-clear, whatever takes up to `delay`.
fn predictions(configuration: &Configuration, real: &Real, delay: i64) -> Result<[Span; 5], String> {
    let late = |bit: usize, mask: usize| if (mask >> bit) & 1 == 1 { delay } else { 0 };
    let mut spans: Option<[Span; 5]> = None;
    let groups = configuration.model.groups.len();
    // Each of: the scrape, every group, the request of the cause, that of its end.
    for mask in 0..1_usize << (groups + 3) {
        let mut model = Model { grid: real.grid, left_open: real.left_open, ..configuration.model.clone() };
        // A cause or an end that comes late is one before which everything else comes early.
        let cause = late(0, mask);
        model.scrape_offset = real.scraped + late(1, mask) - cause;
        for (index, group) in model.groups.iter_mut().enumerate() {
            group.offset = real.evaluated[index] + late(3 + index, mask) - cause;
        }
        model.grid -= cause;
        let lift = real.lifted + late(2, mask) - cause;
        let Some(run) = model.run(-60 * SECOND, lift, lift + 200 * SECOND) else {
            return Err(format!("the model has no end: {configuration:?}"));
        };
        let (firing, resolved) = (run.firing + cause, run.resolved + cause);
        for (early, sending) in [(0, 0), (delay, SENDING)] {
            let route = Route { sending, ..configuration.route };
            for late_resolved in [0, delay] {
                let delivery = route.deliver(firing + early, resolved + late_resolved);
                let all = [run.pending + cause, firing, resolved, delivery.notified, delivery.all_clear];
                spans = Some(match spans {
                    None => all.map(|at| Span(at, at)),
                    Some(spans) => std::array::from_fn(|index| spans[index].around(all[index])),
                });
            }
        }
    }
    // Timestamps of samples are whole milliseconds.
    spans
        .map(|spans| spans.map(|Span(from, to)| Span(from - 2000, to + 2000)))
        .ok_or_else(|| "no prediction".to_owned())
}
