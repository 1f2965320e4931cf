//! Any text is read or rejected as a drill, a suite or a scenario. What is read can be checked, planned and sent.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use clients::prometheus::{Alerting, Labels, Rule, RuleGroup};
use common::{rng::Rng, yaml};
use drill::file::{drill as file, suite::SuiteFile};
use drill::rule;
use libfuzzer_sys::fuzz_target;
use load::plan::request::Request;
use load::schedule::arrivals::{Arrivals, Spacing};
use load::schedule::{mix::Mix, sparkline};
use load::spec::capture::{Given, Pools};
use load::spec::request::RequestSpec;
use load::spec::scenario::Scenario;
use load::spec::template::Moment;

static RULES: LazyLock<Vec<RuleGroup>> = LazyLock::new(|| {
    let rule = |name: &str, query: &str| Rule {
        name: name.to_owned(),
        query: query.to_owned(),
        health: "ok".to_owned(),
        last_error: String::new(),
        last_evaluation: None,
        alerting: Some(Alerting {
            hold: Duration::from_secs(120),
            keep_firing: Duration::ZERO,
            labels: Labels::from([("severity".to_owned(), "critical".to_owned())]),
            state: "inactive".to_owned(),
            alerts: Vec::new(),
        }),
    };
    let interval = Duration::from_secs(15);
    let rules = vec![rule("A", "rate(x[5m]) > 0.05"), rule("RedisDown", "redis_up == 0"), rule("B", "absent(y)")];
    vec![RuleGroup { name: "g".to_owned(), file: "rules.yml".to_owned(), interval, rules, ..RuleGroup::default() }]
});

fuzz_target!(|text: &str| {
    let path = Path::new("a.yaml");
    let _ = (yaml::document::<SuiteFile>(text).is_ok(), file::without_cause(text).is_some());
    if let Ok(drill) = file::parse(path, text) {
        let _ = (rule::check(path, &drill, &RULES), rule::aftermath(&drill, &RULES));
        let _ = drill.objective.scaled(20.0);
        for load in drill.baseline.iter().chain(&drill.cause.load) {
            send(&load.requests);
        }
    }
    if let Ok(scenario) = Scenario::parse(path, text) {
        send(&scenario.before);
        send(&scenario.requests);
        for schedule in [scenario.schedule.scaled(0.5, 2.0), scenario.schedule] {
            let end = schedule.duration().expect("every stage of a scenario ends");
            assert_eq!(sparkline::of(&schedule, 20).chars().count(), 20);
            let mut last = 0;
            for arrival in Arrivals::new(&schedule, Spacing::Even, Some(50), 0, 1) {
                assert!(arrival.due >= last && u128::from(arrival.due) <= end.as_nanos() + 1, "{arrival:?}");
                last = arrival.due;
            }
        }
    }
});

fn send(requests: &[RequestSpec]) {
    let weights: Vec<u32> = requests.iter().map(|request| request.weight).collect();
    let _ = Mix::new(&weights);
    for spec in requests {
        let request = Request::prepare(spec, "127.0.0.1:8000", false).expect("it was checked when it was read");
        let pools = Pools::with(&Given::default());
        let (elapsed, rng) = (Duration::from_secs(1), Rng::new(7));
        let mut moment = Moment { number: 3, elapsed, timestamp: 1_700_000_000, rng, pools: &pools };
        // `{{text 1000000}}` is allowed, and takes its time.
        if !format!("{spec:?}").contains("Text {") {
            let _ = request.make(&mut moment, &mut Vec::new());
        }
    }
}
