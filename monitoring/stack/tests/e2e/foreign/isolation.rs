//! A count does not name the alert: drills without an inbox must not count notifications of other alerts.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::bed::{Foreign, drill, path_with_tools};
use crate::support::{self, eventually};

/// Two receivers, one count. The receiver of RedisDown fails; its first attempt is late enough that the all-clear of
/// the other alert, 24 s after its start, comes first.
fn one_receiver_that_fails(nginx: u16) -> String {
    format!(
        r#"route:
  receiver: shop
  group_by: [alertname]
  group_wait: 1s
  group_interval: 24s
  routes:
    - receiver: shop-at-night
      matchers: [severity="critical"]
      group_wait: 10s
receivers:
  - name: shop
    webhook_configs: [{{url: "http://127.0.0.1:{nginx}/webhook"}}]
  - name: shop-at-night
    webhook_configs: [{{url: "http://127.0.0.1:1/"}}]
"#
    )
}

/// A shipped drill.
fn shipped(name: &str) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(drill(name)).unwrap()).unwrap()
}

/// Another alert than the rule under test, caused by the commands of its own drill.
struct Other<'a> {
    foreign: &'a Foreign,
    commands: Value,
}

impl<'a> Other<'a> {
    fn of(foreign: &'a Foreign) -> Self {
        Self { foreign, commands: shipped("redis-memory-high")["cause"]["run"].clone() }
    }

    async fn run(&self, which: &str) {
        let argv: Vec<&str> =
            self.commands[which].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        let mut command = Command::new(argv[0]);
        command.args(&argv[1..]).env("PATH", path_with_tools());
        command.env("REDIS_PORT", self.foreign.redis.to_string()).kill_on_drop(true);
        let output = support::finish(command, Duration::from_secs(30)).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Waits until Prometheus shows it as firing, or as inactive.
    async fn is(&self, firing: bool) {
        let url = format!("{}/api/v1/alerts", self.foreign.prometheus);
        let check = || async {
            let response = support::get_json(&url).await?;
            let alerts = response["data"]["alerts"].as_array()?;
            let own = alerts.iter().find(|alert| alert["labels"]["alertname"] == "RedisMemoryHigh");
            (own.map(|alert| &alert["state"]) == firing.then_some(&Value::from("firing"))).then_some(())
        };
        eventually(&format!("RedisMemoryHigh firing: {firing}"), Duration::from_secs(60), check).await;
    }
}

/// Notifications delivered to nginx, by Alertmanager's count.
async fn delivered(foreign: &Foreign) -> Option<f64> {
    let (_, text) = support::get(&format!("{}/metrics", foreign.alertmanager)).await?;
    let of = |name: &str| {
        let line = format!("{name}{{integration=\"webhook\"}} ");
        text.lines().find_map(|it| it.strip_prefix(&line)?.parse::<f64>().ok())
    };
    Some(
        of("alertmanager_notification_requests_total")?
            - of("alertmanager_notification_requests_failed_total")?,
    )
}

/// Writes a drill next to a suite file in which the other alert is ambient.
fn write(foreign: &Foreign, drill: &Value) -> PathBuf {
    let folder = foreign.dir.path().join("drills");
    std::fs::create_dir_all(&folder).unwrap();
    let ambient = "suite: here\nambient: [{alert: RedisMemoryHigh, reason: it comes and goes}]\n";
    std::fs::write(folder.join("suite.yaml"), ambient).unwrap();
    let file = folder.join(format!("{}.yaml", drill["drill"].as_str().unwrap()));
    std::fs::write(&file, drill.to_string()).unwrap(); // JSON is YAML
    file
}

/// A shipped drill that only expects the webhook, without a time limit.
fn by_webhook(name: &str) -> Value {
    let mut drill = shipped(name);
    drill["expect"]["delivered"] = ["webhook"].into();
    drill.as_object_mut().unwrap().remove("objective");
    drill
}

#[tokio::test]
async fn does_not_count_the_all_clear_of_another_alert() {
    let foreign = Foreign::start_with(false, |config, nginx| {
        std::fs::write(config.join("alertmanager.yml"), one_receiver_that_fails(nginx)).unwrap();
    })
    .await;
    let other = Other::of(&foreign);
    let count = |count: f64| {
        let foreign = &foreign;
        move || async move { (delivered(foreign).await? >= count).then_some(()) }
    };
    other.run("start").await;
    eventually("the other alert is notified", Duration::from_secs(60), count(1.0)).await;
    other.run("undo").await;
    other.is(false).await;
    assert_eq!(delivered(&foreign).await, Some(1.0), "its all-clear has not been sent yet");

    let finished = foreign.drill(&[write(&foreign, &by_webhook("redis-down"))]).await;
    assert_eq!(delivered(&foreign).await, Some(2.0), "its all-clear was sent meanwhile\n{}", finished.text);
    let (verdict, reason) = finished.verdict();
    assert_eq!((finished.code, verdict), (Some(5), "MISSED"), "{reason}\n{}", finished.text);
    let phases = &finished.report["drills"][0]["phases"];
    assert!(phases["firing"]["seconds"].is_f64(), "{phases:#}");
    assert!(phases["notified"]["seconds"].is_null(), "RedisDown was not notified: {phases:#}");
    assert!(
        finished.text.contains("RedisMemoryHigh fired before this drill, which waited until it ended"),
        "{}",
        finished.text
    );

    // One that keeps firing cannot be waited for.
    other.run("start").await;
    other.is(true).await;
    let finished = foreign.drill(&[write(&foreign, &by_webhook("nginx-down"))]).await;
    let (verdict, reason) = finished.verdict();
    assert_eq!((finished.code, verdict), (Some(5), "REFUSED"), "{reason}\n{}", finished.text);
    assert!(
        reason.contains("RedisMemoryHigh was firing at ") && reason.contains("is also sent by webhook"),
        "{reason}"
    );
    assert!(finished.report["drills"][0]["phases"]["firing"]["seconds"].is_null(), "{}", finished.text);
    foreign.stop().await;
}

#[tokio::test]
async fn another_alert_during_the_run_is_inconclusive() {
    let foreign = Foreign::start(false).await;
    let mut drill = by_webhook("nginx-busy");
    drill["cause"]["run"] = Other::of(&foreign).commands;
    let finished = foreign.drill(&[write(&foreign, &drill)]).await;
    let (verdict, reason) = finished.verdict();
    assert_eq!((finished.code, verdict), (Some(5), "INCONCLUSIVE"), "{reason}\n{}", finished.text);
    assert!(
        reason.contains("RedisMemoryHigh was firing at ") && reason.contains("is also sent by webhook"),
        "{reason}"
    );
    foreign.stop().await;
}
