//! Two Prometheis with the same rules and three clustered Alertmanagers.

use std::time::Duration;

use process::port;
use stack::ready::Probe;

use crate::bed::{Bed, ROUTE, assert_verdict, http};
use crate::support::{Finished, eventually, get_json};

const RULES: &str = "groups: [{name: g, interval: 1s, rules: [{alert: Pair, expr: v > 0, for: 3s}]}]";

struct Pair {
    bed: Bed,
    prometheis: Vec<String>,
}

impl Pair {
    async fn start(route: &str) -> Self {
        let mut bed = Bed::start(&[("v", 0.0)], 3, route).await;
        let rules = bed.write("rules.yml", RULES);
        let targets: Vec<_> = bed
            .alertmanagers
            .iter()
            .map(|url| format!("\"{}\"", url.trim_start_matches("http://")))
            .collect();
        let config = format!(
            "{}rule_files: ['{rules}']\nalerting: {{alertmanagers: [{{static_configs: [{{targets: [{}]}}]}}]}}\n",
            bed.scrape(),
            targets.join(", ")
        );
        let config = bed.write("prometheus.yml", &config);
        let mut prometheis = Vec::new();
        for name in ["prometheus-a", "prometheus-b"] {
            let web = port::free().unwrap();
            let args = vec![
                format!("--config.file={config}"),
                format!("--storage.tsdb.path={}", bed.path(name)),
                format!("--web.listen-address=127.0.0.1:{web}"),
                "--rules.alert.resend-delay=3s".to_owned(),
            ];
            bed.run(name, "prometheus", args, &Probe::PrometheusTargets(http(web))).await;
            prometheis.push(http(web));
        }
        Self { bed, prometheis }
    }

    async fn run(&self) -> Finished {
        let drill = self.bed.drill("Pair", "v=1", "v=0");
        let [one, other] = &self.prometheis[..] else { panic!("two") };
        self.bed.drills(&[drill], &["--prometheus", one, "--prometheus", other]).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_with_three_alertmanagers_is_proven() {
    let pair = Pair::start(ROUTE).await;
    assert_verdict(&pair.run().await, 1, "PROVEN", "every phase was within its bound");
    pair.bed.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_delivery_is_caught() {
    let twice = ROUTE.replace(
        "receiver: hook,",
        "receiver: hook, routes: [{receiver: hook, continue: true, matchers: ['alertname=\"Pair\"']}, {receiver: hook}],",
    );
    let pair = Pair::start(&twice).await;
    assert_verdict(&pair.run().await, 1, "UNEXPECTED", "a duplicate");
    pair.bed.stop().await;
}

/// Whichever of each ends, and whenever: what the others show is enough, or the verdict says that it is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_each_may_be_killed_in_mid_drill() {
    for (prometheus, alertmanager, state) in
        [("prometheus-a", "alertmanager-0", "pending"), ("prometheus-b", "alertmanager-2", "firing")]
    {
        let pair = Pair::start(ROUTE).await;
        let survivor = usize::from(prometheus == "prometheus-a");
        let url = format!("{}/api/v1/alerts", pair.prometheis[survivor]);
        let killed = {
            let (run, active) = (pair.run(), async {
                let check = || async {
                    let response = get_json(&url).await?;
                    (response["data"]["alerts"][0]["state"] == state).then_some(())
                };
                eventually("the alert is active", Duration::from_secs(90), check).await;
            });
            let mut run = std::pin::pin!(run);
            tokio::select! {
                finished = &mut run => panic!("it ended before: {}", finished.text),
                () = active => {}
            }
            for name in [prometheus, alertmanager] {
                pair.bed.kill(name);
            }
            run.await
        };
        let drill = &killed.report["drills"][0];
        let verdict = drill["verdict"].as_str().unwrap_or_default();
        assert!(["PROVEN", "INCONCLUSIVE"].contains(&verdict), "{state}: {}", killed.text);
        let gone = drill["restarts"].as_array().unwrap().iter().filter(|it| it["gone"] == true).count();
        assert_eq!(gone, 2, "{state}: {drill:#}");
        pair.bed.stop().await;
    }
}
