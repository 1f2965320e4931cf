//! Alerts of another stack (monitoring/foreign), proven by `loadgen` alone: no gateway, no `stack`.

mod bed;
mod isolation;
mod secured;

use std::time::Duration;

use self::bed::{Foreign, drill, files};
use crate::support::{self, Finished, replace};

fn assert_proven(finished: &Finished, delivery: &str, count: usize) {
    assert_eq!(finished.code, Some(0), "{}", finished.text);
    let drills = finished.report["drills"].as_array().unwrap();
    assert_eq!(drills.len(), count, "{}", finished.text);
    for drill in drills {
        assert_eq!(
            (&drill["verdict"], &drill["delivery"]),
            (&"PROVEN".into(), &delivery.into()),
            "{drill:#}"
        );
        for phase in ["pending", "firing", "notified", "resolved", "all_clear"] {
            let measured = &drill["phases"][phase];
            assert!(measured["seconds"].is_f64() && measured["bound_seconds"].is_f64(), "{phase}: {drill:#}");
        }
    }
}

#[tokio::test]
async fn proves_alerts_of_another_stack_and_observes_each_notification() {
    let foreign = Foreign::start(true).await;
    let finished = foreign.drill(&[files().join("drills")]).await;
    assert_proven(&finished, "seen", std::fs::read_dir(files().join("drills")).unwrap().count());
    assert!(!finished.text.contains("counters only"), "{}", finished.text);
    let inbox = format!("{}/notifications", foreign.inbox.as_deref().unwrap());
    let arrived = support::get_json(&inbox).await.unwrap();
    let of = |channel: &str, status: &str| {
        let all = arrived["notifications"].as_array().unwrap().iter();
        let ours = all.filter(|it| it["channel"] == channel && it["status"] == status);
        ours.filter_map(|it| it["alerts"][0]["alert"].as_str()).collect::<std::collections::BTreeSet<_>>()
    };
    let all = ["NginxBusy", "NginxDown", "RedisDown", "RedisMemoryHigh"].into();
    assert_eq!((of("webhook", "firing"), of("webhook", "resolved")), (std::clone::Clone::clone(&all), all));
    let critical = ["NginxDown", "RedisDown"].into();
    assert_eq!(of("slack", "firing"), critical);
    foreign.stop().await;
}

#[tokio::test]
async fn without_an_inbox_the_report_notes_that_delivery_was_counted() {
    let mut foreign = Foreign::start(false).await;
    let finished = foreign.drill(&[drill("redis-down"), drill("redis-memory-high")]).await;
    assert_proven(&finished, "counted", 2);
    assert!(
        finished.text.contains("delivery was checked by Alertmanager's counters only"),
        "{}",
        finished.text
    );

    // A failed request to the receiver is not a delivery.
    let conf = foreign.dir.path().join("nginx.conf");
    replace(&conf, "location / {", "location = /webhook { return 500; }\n    location / {");
    foreign.processes[0].signal(nix::sys::signal::Signal::SIGHUP);
    let refused = || async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://127.0.0.1:{}/webhook", foreign.nginx);
        (client.post(url).send().await.ok()?.status() == 500).then_some(())
    };
    support::eventually("nginx refuses", Duration::from_secs(20), refused).await;
    let finished = foreign.drill(&[drill("redis-down")]).await;
    assert_eq!(finished.code, Some(5), "{}", finished.text);
    assert_eq!(finished.verdict().0, "MISSED", "{}", finished.text);
    let phases = &finished.report["drills"][0]["phases"];
    assert!(phases["firing"]["seconds"].is_f64() && phases["notified"]["seconds"].is_null(), "{phases:#}");

    // Expectations that a count cannot check are refused before the cause.
    let text = std::fs::read_to_string(drill("redis-down")).unwrap();
    let file = foreign.dir.path().join("inhibited.yaml");
    std::fs::write(&file, text.replace("[webhook, slack]}", "[webhook], inhibited: [NginxDown]}")).unwrap();
    let finished = foreign.drill(&[file]).await;
    let (verdict, reason) = finished.verdict();
    assert_eq!(verdict, "REFUSED", "{}", finished.text);
    assert!(reason.contains("--inbox URL"), "{reason}");
    foreign.stop().await;
}
