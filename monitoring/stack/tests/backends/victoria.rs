//! vmalert with VictoriaMetrics.

use std::time::Duration;

use futures_util::future::join_all;
use process::port;
use serde_json::json;
use stack::ready::Probe;

use crate::bed::{Bed, ROUTE, assert_verdict, http};
use crate::support::{Finished, eventually, get_json};

/// Ten alerts, as teams write them.
const RULES: &str = r#"
groups:
  - name: plain
    interval: 1s
    rules:
      - {alert: Gauge, expr: v0 > 0}
      - {alert: Held, expr: v1 > 0, for: 3s}
      - {alert: Labelled, expr: 'v2{job="test"} > 0', labels: {severity: page}}
      - {alert: Either, expr: v3 > 0 or v3 < -5, for: 1s}
      - {alert: Growing, expr: 'rate(test_total[5s]) > 4'}
      - {alert: Average, expr: 'avg_over_time(v4[4s]) > 0.5'}
      - {alert: Metricsql, expr: 'range_max(v5[3s]) keep_metric_names > 0'}
  - name: recorded
    interval: 2s
    rules:
      - {record: r6, expr: max by (job) (v6)}
      - {alert: SameGroup, expr: r6 > 0, for: 2s}
  - name: reading
    interval: 1s
    rules:
      - {alert: OtherGroup, expr: 'max_over_time(r6[3s]) > 0'}
      - {alert: Several, expr: v7 > 0 and on (job) v8 > 0}
"#;

/// The alerts, what causes each, and what ends that.
const ALERTS: [(&str, &str, &str); 10] = [
    ("Gauge", "v0=1", "v0=0"),
    ("Held", "v1=1", "v1=0"),
    ("Labelled", "v2=1", "v2=0"),
    ("Either", "v3=1", "v3=0"),
    ("Growing", "rate=20", "rate=0"),
    ("Average", "v4=1", "v4=0"),
    ("Metricsql", "v5=1", "v5=0"),
    ("SameGroup", "v6=1", "v6=0"),
    ("OtherGroup", "v6=1", "v6=0"),
    ("Several", "v7=1", "v7=0"),
];

const GAUGES: [(&str, f64); 9] = [
    ("v0", 0.0),
    ("v1", 0.0),
    ("v2", 0.0),
    ("v3", 0.0),
    ("v4", 0.0),
    ("v5", 0.0),
    ("v6", 0.0),
    ("v7", 0.0),
    ("v8", 1.0),
];

/// The chain, and the addresses of VictoriaMetrics and vmalert.
struct Victoria {
    bed: Bed,
    storage: String,
    vmalert: String,
}

impl Victoria {
    async fn start(rules: &str, route: &str, more: &[&str]) -> Self {
        let mut bed = Bed::start(&GAUGES, 1, route).await;
        let (storage, vmalert) = (port::free().unwrap(), port::free().unwrap());
        let scrape = bed.write("scrape.yml", &bed.scrape());
        let rules = bed.write("rules.yml", rules);
        let args = vec![
            format!("-httpListenAddr=127.0.0.1:{storage}"),
            format!("-storageDataPath={}", bed.path("storage")),
            format!("-promscrape.config={scrape}"),
            format!("-vmalert.proxyURL={}", http(vmalert)),
            "-search.latencyOffset=2s".to_owned(),
            "-memory.allowedBytes=64MB".to_owned(),
        ];
        bed.run(
            "victoria-metrics",
            "victoria-metrics",
            args,
            &Probe::Http(format!("{}/health", http(storage))),
        )
        .await;
        let mut args = vec![
            format!("-httpListenAddr=127.0.0.1:{vmalert}"),
            format!("-rule={rules}"),
            format!("-datasource.url={}", http(storage)),
            format!("-notifier.url={}", bed.alertmanagers[0]),
            "-remoteWrite.flushInterval=500ms".to_owned(),
            "-rule.validateExpressions=false".to_owned(),
        ];
        if !more.contains(&"no remote write") {
            args.push(format!("-remoteWrite.url={}", http(storage)));
        }
        bed.run("vmalert", "vmalert", args, &Probe::Http(format!("{}/health", http(vmalert)))).await;
        // Samples are visible after the latency offset, so that by now no server was started shortly before the drill.
        let url = format!("{}/api/v1/query?query=v0", http(storage));
        let seen = || async { get_json(&url).await?["data"]["result"][0]["value"][1].as_str().map(drop) };
        eventually("the exporter is scraped", Duration::from_secs(30), seen).await;
        Self { bed, storage: http(storage), vmalert: http(vmalert) }
    }

    /// The drill of one of the alerts.
    fn drill(&self, name: &str) -> serde_json::Value {
        let (alert, cause, undo) = ALERTS.into_iter().find(|(alert, ..)| *alert == name).unwrap();
        let mut drill = self.bed.drill(alert, cause, undo);
        match name {
            "Metricsql" => drill["proves"]["lookback"] = "3s".into(),
            "SameGroup" => drill["expect"] = json!({"also": ["OtherGroup"]}),
            "OtherGroup" => drill["expect"] = json!({"also": ["SameGroup"]}),
            _ => {}
        }
        drill
    }

    async fn run(&self, drills: &[serde_json::Value]) -> Finished {
        self.bed.drills(drills, &["--prometheus", &self.storage, "--rules", &self.vmalert]).await
    }
}

/// One stack for each pair of alerts, so that a run takes as long as two drills; three runs in a row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_alerts_are_proven_three_times() {
    let stacks = join_all((0..5).map(|_| Victoria::start(RULES, ROUTE, &[]))).await;
    for run in 0..3 {
        let runs = stacks.iter().zip(ALERTS.chunks(2)).map(async |(stack, alerts)| {
            let drills: Vec<_> = alerts.iter().map(|(alert, ..)| stack.drill(alert)).collect();
            let finished = stack.run(&drills).await;
            assert_verdict(&finished, 2, "PROVEN", "every phase was within its bound");
            assert_eq!(finished.code, Some(0), "run {run}: {}", finished.text);
        });
        join_all(runs).await;
    }
    join_all(stacks.into_iter().map(|stack| stack.bed.stop())).await;
}

/// The same rules with one thing wrong, and the verdict that says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn misspelt_late_and_misrouted_rules_are_caught() {
    let elsewhere = ROUTE.replace(
        "receiver: hook,",
        "receiver: hook, routes: [{receiver: other, matchers: ['alertgroup=\"plain\"']}],",
    ) + "  - name: other\n";
    let slow = ROUTE.replace("group_wait: 1s", "group_wait: 14s");
    let cases = [
        ("misspelt", RULES.replace("v0 >", "w0 >"), ROUTE, "Gauge", "MISSED", "no series of `w0`"),
        ("misrouted by its group", RULES.to_owned(), &elsewhere, "Gauge", "REFUSED", "receiver `other`"),
        ("late", RULES.to_owned(), &slow, "Held", "LATE", "later than the objective"),
        ("without a stated lookback", RULES.to_owned(), ROUTE, "Metricsql", "REFUSED", "lookback: 5m"),
    ];
    join_all(cases.iter().map(async |(what, rules, route, alert, verdict, says)| {
        let stack = Victoria::start(rules, route, &[]).await;
        let mut drill = stack.drill(alert);
        match *what {
            "late" => drill["objective"] = json!({"notified": "12s"}),
            "without a stated lookback" => drill["proves"] = json!({"alert": alert}),
            _ => {}
        }
        let finished = stack.run(&[drill]).await;
        assert_verdict(&finished, 1, verdict, says);
        stack.bed.stop().await;
    }))
    .await;
}

/// What cannot be known is refused with the way out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_settings_are_refused() {
    let rules = "groups: [{name: plain, interval: 1s, rules: [{alert: Gauge, expr: v0 > 0}]}]";
    let stack = Victoria::start(rules, ROUTE, &["no remote write"]).await;
    let drill = stack.drill("Gauge");
    let finished = stack.run(std::slice::from_ref(&drill)).await;
    assert_verdict(&finished, 1, "REFUSED", "vmalert does not store the states of alerts");
    // Through VictoriaMetrics, vmalert's flags cannot be read.
    let finished = stack.bed.drills(&[drill], &["--prometheus", &stack.storage]).await;
    assert_verdict(&finished, 1, "REFUSED", "set --rules to the address of vmalert itself");
    // An inbox is no such server.
    let drill = stack.drill("Gauge");
    let finished = stack.bed.drills(&[drill], &["--prometheus", &stack.bed.inbox]).await;
    assert_verdict(&finished, 1, "REFUSED", "set --backend to one of prometheus, victoriametrics");
    stack.bed.stop().await;
}
