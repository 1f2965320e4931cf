use super::*;
use clients::prometheus::{Alerting, Labels};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn record(name: &str, query: &str) -> Rule {
    Rule {
        name: name.into(),
        query: query.into(),
        health: "ok".into(),
        last_error: String::new(),
        last_evaluation: None,
        alerting: None,
    }
}

fn alert(name: &str, query: &str, hold: u64, keep: u64, severity: &str) -> Rule {
    let alerting = Alerting {
        hold: s(hold),
        keep_firing: s(keep),
        labels: Labels::from([("severity".into(), severity.into())]),
        state: "inactive".into(),
        alerts: Vec::new(),
    };
    Rule { alerting: Some(alerting), ..record(name, query) }
}

fn group(interval: u64, rules: Vec<Rule>) -> RuleGroup {
    let name = format!("every {interval} s");
    RuleGroup { name, file: "a.yml".into(), interval: s(interval), rules, ..RuleGroup::default() }
}

/// (W, rise, fall) in seconds of each path of the rule `A`.
fn paths(groups: &[RuleGroup]) -> Vec<(u64, u64, u64)> {
    let found = of_a(groups).unwrap();
    let mut paths: Vec<_> =
        found.paths.iter().map(|it| (it.lookback.as_secs(), it.rise.as_secs(), it.fall.as_secs())).collect();
    paths.sort_unstable();
    paths
}

fn of_a(groups: &[RuleGroup]) -> Result<Sources, DrillError> {
    let rule = groups.iter().flat_map(|group| &group.rules).find(|rule| rule.name == "A").unwrap();
    sources(groups, rule, None)
}

#[test]
fn a_recording_rule_adds_its_interval_unless_it_was_evaluated_just_before() {
    let reader = || alert("A", "r > 0", 0, 0, "page");
    let recorded = || record("r", "max by (job) (rate(x[5m]))");
    for (name, groups, expected) in [
        ("scraped", vec![group(10, vec![alert("A", "rate(x[5m]) > 0", 0, 0, "")])], (300, 0, 0)),
        ("before it, in its group", vec![group(10, vec![recorded(), reader()])], (300, 0, 0)),
        (
            "before it, in its group, at another instant",
            vec![group(10, vec![recorded(), alert("A", "r offset 1s > 0", 0, 0, "page")])],
            (301, 10, 10),
        ),
        ("after it, in its group", vec![group(10, vec![reader(), recorded()])], (300, 10, 10)),
        ("a slower group", vec![group(30, vec![recorded()]), group(1, vec![reader()])], (300, 30, 30)),
        ("a faster group", vec![group(1, vec![recorded()]), group(30, vec![reader()])], (300, 1, 1)),
        (
            "a chain: the rule in the middle comes after its reader",
            vec![
                group(30, vec![record("q", "rate(x[5m])")]),
                group(10, vec![record("s", "r"), record("r", "avg_over_time(q[2m])")]),
                group(1, vec![alert("A", "s offset 1m > 0", 0, 0, "")]),
            ],
            (480, 50, 50),
        ),
    ] {
        assert_eq!(paths(&groups), [expected], "{name}");
    }
}

#[test]
fn follows_every_rule_that_records_a_name() {
    let groups = [
        group(60, vec![record("r", "rate(x[1m])")]),
        group(10, vec![record("r", "rate(y[1h])")]),
        group(20, vec![record("r", "rate(z[30m])")]),
        group(5, vec![alert("A", "r > 0", 0, 0, "")]),
    ];
    assert_eq!(paths(&groups), [(60, 60, 60), (1800, 20, 20), (3600, 10, 10)]);
    let found = of_a(&groups).unwrap();
    let slowest = found.longest(|path| path.lookback + path.fall);
    assert_eq!((slowest.lookback, slowest.fall), (s(3600), s(10)));
    let metrics: Vec<_> = found.selectors.iter().map(|it| it.metric.as_str()).collect();
    assert_eq!(metrics, ["x", "y", "z"]);
}

#[test]
fn reading_an_alert_adds_its_phases() {
    let below = |query| {
        let named = |name, hold, severity| alert(name, "rate(x[2m]) > 1", hold, 25, severity);
        vec![
            group(10, vec![named("B", 15, "page"), named("B", 300, "info"), named("Other", 900, "page")]),
            group(1, vec![alert("A", query, 0, 0, "")]),
        ]
    };
    for (query, expected) in [
        (r#"ALERTS{alertname="B", severity="page", alertstate="firing"}"#, (120, 30, 40)),
        (r#"ALERTS{alertname="B", severity="page"}"#, (120, 10, 40)),
        (r#"ALERTS{alertname="B", alertstate="firing"}"#, (120, 310, 40)),
        (r#"ALERTS_FOR_STATE{alertname="B"}"#, (120, 10, 40)),
        (r#"count_over_time(ALERTS{alertname=~"B|C", alertstate="firing"}[5m]) > 3"#, (420, 310, 40)),
    ] {
        assert_eq!(paths(&below(query)), [expected], "{query}");
    }
}

#[test]
fn reading_its_own_state_does_not_delay_an_alert() {
    let query = r#"x > 10 or (x > 5 and ALERTS{alertname="A"})"#;
    assert_eq!(paths(&[group(10, vec![alert("A", query, 60, 0, "")])]), [(0, 0, 0)]);
}

#[test]
fn rejects_a_cycle_of_recording_rules() {
    let groups = [
        group(10, vec![record("r", "0.9 * s + 0.1 * x"), record("s", "r offset 1m")]),
        group(10, vec![alert("A", "r > 0", 0, 0, "")]),
    ];
    let error = of_a(&groups).unwrap_err().to_string();
    assert!(error.contains("form a cycle, `r` → `s` → `r`: "), "{error}");
    let own = [group(10, vec![record("r", "r + 1"), alert("A", "r > 0", 0, 0, "")])];
    assert!(of_a(&own).unwrap_err().to_string().contains("`r` → `r`"));
    // A cycle that the alert does not read is no error.
    let beside = [group(10, vec![record("r", "r + 1"), alert("A", "x > 0", 0, 0, "")])];
    assert_eq!(paths(&beside), [(0, 0, 0)]);
}

#[test]
fn a_selector_without_a_metric_reads_what_is_scraped_and_recorded() {
    let groups = [
        group(30, vec![record("r", "rate(x[5m])"), record("n", r#"count({__name__=~".+"})"#)]),
        group(10, vec![alert("A", r#"count({__name__=~"r|x"}) > 9"#, 0, 0, "")]),
    ];
    assert_eq!(paths(&groups), [(300, 30, 30)]);
    assert!(of_a(&groups).unwrap().selectors.iter().all(|it| it.metric == "x"));
}

#[test]
fn errors_name_the_rule() {
    let groups = [group(10, vec![record("broken", "rate(x["), alert("A", "broken > 1", 0, 0, "")])];
    let error = of_a(&groups).unwrap_err().to_string();
    assert!(error.contains("the rule `broken`") && error.contains("`rate(x[`"), "{error}");
}

/// Each rule reads the two before it, so the number of paths doubles; only the slowest are kept.
#[test]
fn follows_a_graph_with_a_million_paths_once() {
    let mut rules = vec![record("r0", "x"), record("r1", "rate(x[1m])")];
    for index in 2..60 {
        rules.push(record(&format!("r{index}"), &format!("r{} + r{}", index - 1, index - 2)));
    }
    rules.push(alert("A", "r59 > 0", 0, 0, ""));
    assert_eq!(paths(&[group(10, rules)]), [(60, 0, 0)]);
}

#[test]
fn refuses_chains_that_would_overflow_the_stack() {
    let chain = |length: usize| {
        let link = |number: usize| record(&format!("r{number}"), &format!("r{}", number + 1));
        let mut rules = vec![alert("A", "r0 > 0", 0, 0, "page")];
        rules.extend((0..length).map(link));
        of_a(&[group(10, rules)])
    };
    assert_eq!(chain(100).unwrap().paths[0].rise, s(1_000));
    let error = chain(20_000).unwrap_err().to_string();
    assert!(error.contains("the alert depends on a chain of more than 200 rules"), "{error}");
}

#[test]
fn a_query_offset_delays_those_who_read_nearer_to_the_present() {
    let behind = |offset, group: RuleGroup| RuleGroup { query_offset: s(offset), ..group };
    let groups = |first, second| {
        vec![
            behind(first, group(10, vec![record("p", "x")])),
            behind(second, group(20, vec![record("q", "p")])),
            group(5, vec![alert("A", "q > 0", 0, 0, "page")]),
        ]
    };
    for (first, second, rise, offset) in
        [(0, 0, 30, 0), (7, 0, 37, 0), (0, 7, 30, 7), (7, 7, 30, 7), (9, 7, 32, 7)]
    {
        let found = of_a(&groups(first, second)).unwrap();
        let expected = Path { rise: s(rise), fall: s(rise), behind: s(offset), ..Path::default() };
        assert_eq!(found.paths, [expected], "{first} {second}");
        assert_eq!(found.rules, [(0, 0), (1, 0), (2, 0)].into());
    }
}

#[test]
fn late_samples_add_up_along_the_path() {
    let late = |group: RuleGroup| RuleGroup { unseen: s(40), stored_after: Some(s(6)), ..group };
    let reader = || alert("A", "r > 0", 0, 0, "page");
    let recorded = || record("r", "max by (job) (rate(x[5m]))");
    for (name, groups, expected) in [
        ("scraped", vec![group(10, vec![alert("A", "rate(x[5m]) > 0", 0, 0, "")])], (300, 40, 40)),
        // 40 until the recording rule sees it, 10 until its turn, 6 until it is stored, 40 until the alert sees that.
        ("in its own group", vec![group(10, vec![recorded(), reader()])], (300, 96, 96)),
        ("in another group", vec![group(30, vec![recorded()]), group(10, vec![reader()])], (300, 116, 116)),
    ] {
        let groups: Vec<_> = groups.into_iter().map(late).collect();
        assert_eq!(paths(&groups), [expected], "{name}");
    }
}

#[test]
fn an_expression_that_is_not_promql_reads_as_far_back_as_stated() {
    let groups = vec![RuleGroup {
        unseen: s(30),
        ..group(10, vec![alert("A", "range_max(x[5m]) keep_metric_names > 0", 0, 0, "")])
    }];
    let rule = &groups[0].rules[0];
    let stated = sources(&groups, rule, Some(s(300))).unwrap();
    let path = Path { lookback: s(300), rise: s(30), fall: s(30), ..Path::default() };
    assert_eq!((stated.paths, stated.selectors.len()), (vec![path], 0));
    let error = sources(&groups, rule, None).unwrap_err().to_string();
    assert!(error.contains("`A`") && error.contains("lookback: 5m"), "{error}");
    let plain = vec![group(10, vec![alert("A", "rate(x[5m]) > 0", 0, 0, "")])];
    let read = sources(&plain, &plain[0].rules[0], Some(s(7))).unwrap();
    assert_eq!(read.paths[0].lookback, s(300), "PromQL says it itself");
}
