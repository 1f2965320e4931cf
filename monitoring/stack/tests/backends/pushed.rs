//! A Prometheus that scrapes nothing and is fed by the remote write of another.

use process::port;
use stack::ready::Probe;

use crate::bed::{Bed, ROUTE, assert_verdict, http};

const RULES: &str = "groups: [{name: g, interval: 1s, rules: [{alert: Pushed, expr: v > 0, for: 2s}, {alert: Unknown, expr: w > 0}]}]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_on_pushed_samples_is_proven() {
    let mut bed = Bed::start(&[("v", 0.0)], 1, ROUTE).await;
    let (receiver, sender) = (port::free().unwrap(), port::free().unwrap());
    let rules = bed.write("rules.yml", RULES);
    let target = bed.alertmanagers[0].trim_start_matches("http://").to_owned();
    let config = format!(
        "rule_files: ['{rules}']\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['{target}']}}]}}]}}\n"
    );
    let config = bed.write("receiver.yml", &config);
    let args = vec![
        format!("--config.file={config}"),
        format!("--storage.tsdb.path={}", bed.path("receiver")),
        format!("--web.listen-address=127.0.0.1:{receiver}"),
        "--web.enable-remote-write-receiver".to_owned(),
        "--rules.alert.resend-delay=3s".to_owned(),
    ];
    bed.run("receiver", "prometheus", args, &Probe::Http(format!("{}/-/ready", http(receiver)))).await;
    let config = format!(
        "{}remote_write: [{{url: '{}/api/v1/write', queue_config: {{batch_send_deadline: 1s}}}}]\n",
        bed.scrape(),
        http(receiver)
    );
    let config = bed.write("sender.yml", &config);
    let args = vec![
        format!("--config.file={config}"),
        format!("--storage.agent.path={}", bed.path("sender")),
        format!("--web.listen-address=127.0.0.1:{sender}"),
        "--enable-feature=agent".to_owned(),
    ];
    bed.run("sender", "prometheus", args, &Probe::Http(format!("{}/-/ready", http(sender)))).await;
    let seen = || async {
        let url = format!("{}/api/v1/query?query=count_over_time(v[1m])", http(receiver));
        let count: f64 =
            crate::support::get_json(&url).await?["data"]["result"][0]["value"][1].as_str()?.parse().ok()?;
        (count > 4.0).then_some(())
    };
    crate::support::eventually("samples arrive", std::time::Duration::from_secs(30), seen).await;

    let url = http(receiver);
    let args = ["--prometheus", url.as_str()];
    let finished = bed.drills(&[bed.drill("Pushed", "v=1", "v=0")], &args).await;
    assert_verdict(&finished, 1, "PROVEN", "every phase was within its bound");
    let timeline = finished.report["drills"][0].to_string();
    assert!(timeline.contains("samples are 1s apart"), "{timeline}");

    // A metric without samples has no spacing; a suite file can state it.
    let drill = [bed.drill("Unknown", "w=1", "without=w")];
    let finished = bed.drills(&drill, &args).await;
    assert_verdict(&finished, 1, "REFUSED", "state `scrape_interval: 15s` in a suite file");
    let suite = bed.write("suite.yaml", "suite: pushed\nscrape_interval: 4s\n");
    let finished = bed.drills(&drill, &[&args[..], &[&suite]].concat()).await;
    assert_verdict(&finished, 1, "PROVEN", "every phase was within its bound");
    bed.stop().await;
}
