//! Every query of every panel of every dashboard returns data while drills run.

use std::time::{Duration, Instant};

use ::dashboards::fill::{Values, escaped};
use ::dashboards::{boards, lint, render};
use serde_json::{Value, json};

use crate::support::{self, Bed};

/// The time scale of the demo.
const DEMO: f64 = 20.0;

/// Panels without data on local processes, by dashboard, with the reason.
const WITHOUT_DATA: &[(&str, &str, &str)] = &[
    ("firedrill-hosts", "Container memory", CADVISOR),
    ("firedrill-hosts", "Container CPU", CADVISOR),
    ("firedrill-hosts", "Restarts of containers", CADVISOR),
    ("firedrill-endpoint", "Requests by country", "a country is only counted behind a proxy that names it"),
];
/// Queries without data in a new Prometheus.
const NO_PAST: (&str, &str) = (" offset 1w", "there is no last week");
const CADVISOR: &str =
    "cAdvisor reports on containers, which do not exist here; containers/engine.rs covers them";

/// A query of a panel and its results.
struct PanelQuery {
    place: String,
    query: String,
    excuse: Option<&'static str>,
    /// Whether it has returned data with every job and instance.
    all: bool,
    /// The job and the instance that returned data when only they were chosen.
    one: Option<(String, String)>,
    /// Whether it uses the variables.
    varied: bool,
    /// The series whose jobs and instances the dashboard's variables offer.
    offered: &'static str,
}

impl PanelQuery {
    fn done(&self) -> bool {
        self.all && (self.one.is_some() || !self.varied)
    }
}

#[tokio::test]
async fn every_query_of_every_panel_returns_data_while_drills_run() {
    let mut bed = Bed::start(DEMO).await;
    let traffic = Traffic { api: bed.stack.url("api").to_owned() };
    let prometheus = Prometheus::new(bed.stack.url("prometheus"));
    let traffic = tokio::spawn(traffic.send());
    let drills = ["high-error-rate", "rate-limit-hits"];
    let drills = drills.map(|name| support::drills().join(name).with_extension("yaml"));
    let mut drill = bed.drill(&drills.each_ref().map(|file| file.as_path()));
    // The proofs folder of the stack's inbox.
    drill.arg("--proofs").arg(bed.stack.settings().dir.join("data/proofs"));
    let mut drill = drill.stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut load = load(&bed);
    let mut load = load.spawn().unwrap();

    let querying = run_queries(&prometheus, &mut drill);
    let queries = tokio::select! {
        queries = querying => queries,
        () = bed.stack.tend(|line| println!("{line}")) => unreachable!("tending never ends"),
    };
    traffic.abort();
    load.kill().await.unwrap();

    let empty: Vec<String> = queries
        .iter()
        .filter(|it| !it.done() && it.excuse.is_none())
        .map(|it| {
            let how = if it.all { "with one job and one instance" } else { "with all jobs and instances" };
            format!("no data {how}: {}\n    {}", it.place, it.query)
        })
        .collect();
    assert!(empty.is_empty(), "{}", empty.join("\n"));
    let idle: Vec<String> = queries
        .iter()
        .filter_map(|it| it.excuse.filter(|_| it.all).map(|excuse| format!("{}: {excuse}", it.place)))
        .collect();
    assert!(idle.is_empty(), "unused exceptions, these have data:\n{}", idle.join("\n"));
    bed.stack.stop().await;
}

/// A run of the load generator that exports metrics and does not disturb drills.
fn load(bed: &Bed) -> tokio::process::Command {
    let ports = bed.stack.settings().ports;
    let mut command = support::loadgen();
    command
        .args(["run", &format!("{}/livez", bed.stack.url("api")), "-q", "5", "-z", "15m", "--no-tui"])
        .args(["--prometheus-addr", &format!("127.0.0.1:{}", ports.load)])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    command
}

/// Queries until every query has returned data or the drills have ended.
async fn run_queries(prometheus: &Prometheus, drill: &mut tokio::process::Child) -> Vec<PanelQuery> {
    let mut queries = everything();
    let limit = Duration::from_secs(420);
    let started = Instant::now();
    let mut after = None;
    // As long as the drills run, and until their effects have been scraped.
    while after.is_none_or(|ended: Instant| ended.elapsed() < Duration::from_secs(15)) {
        assert!(started.elapsed() < limit, "the drills did not end within {limit:?}");
        for it in queries.iter_mut().filter(|it| !it.done()) {
            prometheus.try_query(it).await;
        }
        if after.is_none() && drill.try_wait().unwrap().is_some() {
            after = Some(Instant::now());
        }
        if queries.iter().all(|it| it.done() || it.excuse.is_some()) && after.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    queries
}

/// Every query of every panel and annotation.
fn everything() -> Vec<PanelQuery> {
    let mut queries = Vec::new();
    for board in boards::all() {
        let dashboard = render::json(&board);
        let mut add = |title: String, query: &str| {
            let excuse = WITHOUT_DATA
                .iter()
                .find(|(uid, panel, _)| *uid == board.uid && title == *panel)
                .map(|(_, _, reason)| *reason)
                .or_else(|| query.contains(NO_PAST.0).then_some(NO_PAST.1));
            queries.push(PanelQuery {
                place: format!("{} / {title}", board.title),
                query: query.to_owned(),
                excuse,
                all: false,
                one: None,
                varied: query.contains("$job"),
                offered: board.offered,
            });
        };
        for panel in lint::panels(&dashboard) {
            for target in panel["targets"].as_array().unwrap() {
                add(panel["title"].as_str().unwrap().to_owned(), target["expr"].as_str().unwrap());
            }
        }
        for annotation in dashboard["annotations"]["list"].as_array().unwrap() {
            if let Some(query) = annotation["target"]["expr"].as_str() {
                add(format!("annotation {}", annotation["name"].as_str().unwrap()), query);
            }
        }
    }
    assert!(queries.len() > 100, "{} queries", queries.len());
    queries
}

struct Prometheus {
    url: String,
    client: reqwest::Client,
}

impl Prometheus {
    fn new(url: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Self { url: url.to_owned(), client }
    }

    async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let response = self.client.get(format!("{}{path}", self.url)).query(parameters).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["status"], "success", "{path} {parameters:?}: {body}");
        body["data"].clone()
    }

    async fn try_query(&self, it: &mut PanelQuery) {
        it.all = it.all || self.has_data(&scaled(Values::all()).fill(&it.query)).await;
        if !it.all || !it.varied || it.one.is_some() {
            return;
        }
        for job in self.label("job", it.offered).await {
            let values = Values { job: escaped(&job), ..scaled(Values::all()) };
            let within_job = values.fill(&render::within_job(it.offered));
            for instance in self.label("instance", &within_job).await {
                let values = Values { instance: escaped(&instance), ..values.clone() };
                if self.has_data(&values.fill(&it.query)).await {
                    it.one = Some((job, instance));
                    return;
                }
            }
        }
    }

    /// The values of a variable `label_values(selector, label)`.
    async fn label(&self, label: &str, selector: &str) -> Vec<String> {
        let values = self.get(&format!("/api/v1/label/{label}/values"), &[("match[]", selector)]).await;
        values.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }

    /// Whether a result has a number.
    async fn has_data(&self, query: &str) -> bool {
        let data = self.get("/api/v1/query", &[("query", query)]).await;
        let number = |value: &Value| value[1].as_str().is_some_and(|text| text != "NaN");
        match data["resultType"].as_str() {
            Some("vector") => data["result"].as_array().unwrap().iter().any(|it| number(&it["value"])),
            _ => number(&data["result"]),
        }
    }
}

/// Grafana's `$__rate_interval` of four scrapes, at this stack's time scale.
fn scaled(values: Values) -> Values {
    let scrape = (15.0 / DEMO).max(1.0);
    Values {
        rate_interval: format!("{}ms", (4.0 * scrape * 1000.0).round()),
        range: "5m".to_owned(),
        ..values
    }
}

/// Traffic that drills do not send: a few readings and inferences per second.
struct Traffic {
    api: String,
}

impl Traffic {
    async fn send(self) {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        let _ = client.put(format!("{}/models/iris", self.api)).send().await;
        for second in 0.. {
            let reading = |stream: &str, value: f64| json!({"device": "d1", "stream": stream, "timestamp": 1_790_000_000 + second, "value": value});
            let readings = json!({"readings": [
                reading("heart_rate", 61.0), reading("hrv_rmssd", 42.0), reading("steps", 3.0), reading("spo2", 98.0),
            ]});
            let inference = json!({"model_name": "iris", "input_data": [[5.1, 3.5, 1.4, 0.2]]});
            for (path, body) in [("/api/ingest", &readings), ("/inference", &inference)] {
                // A drill may cause refusals of this client; missing data shows in its panel.
                let _ = client.post(format!("{}{path}", self.api)).json(body).send().await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}
