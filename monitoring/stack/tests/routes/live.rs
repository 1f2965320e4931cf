//! What is notified, muted and inhibited is what a running Alertmanager notifies, mutes and inhibits.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use futures_util::{StreamExt, stream};
use process::{Launch, Process, port, program};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{Labels, decisions, draw, written};

const SEED: u64 = 12;
const CONFIGURATIONS: u64 = 24;
const PATIENCE: Duration = Duration::from_secs(30);

/// Receiver and labels of every alert of a notification.
type Received = Arc<Mutex<BTreeSet<(String, String)>>>;

/// Starts a server that records what webhooks send to `/NUMBER/RECEIVER`; returns its port.
fn collector(received: &Received) -> u16 {
    let received = web::Data::from(Arc::clone(received));
    let take = |path: web::Path<(u64, String)>,
                body: web::Json<Value>,
                received: web::Data<Mutex<BTreeSet<_>>>| async move {
        let (number, receiver) = path.into_inner();
        for alert in body["alerts"].as_array().unwrap() {
            let labels: Labels = serde_json::from_value(alert["labels"].clone()).unwrap();
            received.lock().unwrap().insert((format!("{number}/{receiver}"), written(&labels)));
        }
        HttpResponse::Ok().finish()
    };
    let app =
        move || App::new().app_data(received.clone()).route("/{number}/{receiver}", web::post().to(take));
    let server = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let port = server.addrs()[0].port();
    tokio::spawn(server.run());
    port
}

/// Alerts that differ in a label that no configuration reads.
fn distinct(alerts: &[Labels]) -> Vec<Labels> {
    let number = |(index, alert): (usize, &Labels)| {
        let mut alert = alert.clone();
        alert.insert("number".to_owned(), index.to_string());
        alert
    };
    alerts.iter().enumerate().map(number).collect()
}

/// What differs between `loadgen routes` and an Alertmanager of this configuration.
async fn different(number: u64, collector: u16, received: &Received) -> (Vec<String>, usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let drawn = draw::configuration(SEED, number, &format!("http://127.0.0.1:{collector}/{number}"));
    let config = folder.path().join("alertmanager.yml");
    fs::write(&config, &drawn.yaml).unwrap();
    let url = format!("http://127.0.0.1:{}", port::free().unwrap());
    let args = [
        format!("--config.file={}", config.display()),
        format!("--storage.path={}", folder.path().display()),
        format!("--web.listen-address={}", url.trim_start_matches("http://")),
        "--cluster.listen-address=".to_owned(),
    ];
    let launch = Launch::new("alertmanager", program::external("alertmanager").unwrap(), args);
    let mut process = Process::start(&launch, &folder.path().join("log")).unwrap();
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let ready = || async { client.get(format!("{url}/-/ready")).send().await?.error_for_status() };
    process.ready(PATIENCE, ready).await.unwrap();

    let alerts = distinct(&drawn.alerts);
    let others = alerts.iter().flat_map(|alert| ["--active".to_owned(), written(alert)]);
    let asked = alerts.iter().flat_map(|alert| ["--alert".to_owned(), written(alert)]);
    let decided = decisions(&config, &asked.chain(others).collect::<Vec<_>>());
    let expected: BTreeSet<_> = alerts
        .iter()
        .zip(&decided)
        .flat_map(|(alert, decision)| {
            let receivers = decision["notified"].as_array().unwrap().iter();
            receivers.map(|it| (format!("{number}/{}", it.as_str().unwrap()), written(alert)))
        })
        .collect();

    let post = |alerts: &[Labels]| {
        let body: Vec<_> = alerts.iter().map(|labels| json!({"labels": labels})).collect();
        client.post(format!("{url}/api/v2/alerts")).json(&body).send()
    };
    assert!(post(&alerts).await.unwrap().status().is_success());
    let here = format!("{number}/");
    let arrived = || -> BTreeSet<_> {
        received.lock().unwrap().iter().filter(|(receiver, _)| receiver.starts_with(&here)).cloned().collect()
    };
    let started = Instant::now();
    while !arrived().is_superset(&expected) && started.elapsed() < PATIENCE {
        sleep(Duration::from_millis(100)).await;
    }
    // Every route waits as long for its first notification. What is notified late, or not to be notified, has had four times
    // that since the alerts arrived.
    sleep(Duration::from_secs(4).saturating_sub(started.elapsed())).await;
    let found = arrived();
    let mut differences: Vec<_> =
        expected.difference(&found).map(|it| format!("not notified: {it:?}")).collect();
    differences.extend(found.difference(&expected).map(|it| format!("notified: {it:?}")));

    let held: Value = client.get(format!("{url}/api/v2/alerts")).send().await.unwrap().json().await.unwrap();
    let inhibited = |alert: &Labels| {
        let held = held.as_array().unwrap().iter().find(|it| it["labels"] == json!(alert)).unwrap();
        !held["status"]["inhibitedBy"].as_array().unwrap().is_empty()
    };
    for (alert, decision) in alerts.iter().zip(&decided) {
        if inhibited(alert) == decision["inhibited_by"].is_null() {
            differences.push(format!("inhibited: {}: {decision}", written(alert)));
        }
    }
    process.stop(Duration::from_secs(5)).await;
    let muted =
        decided.iter().flat_map(|it| it["routes"].as_array().unwrap()).filter(|it| !it["muted"].is_null());
    let inhibited = decided.iter().filter(|it| !it["inhibited_by"].is_null());
    if !differences.is_empty() {
        differences.push(drawn.yaml);
    }
    (differences, muted.count(), inhibited.count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_agree_with_a_running_alertmanager() {
    let received = Received::default();
    let port = collector(&received);
    let all = stream::iter(0..CONFIGURATIONS).map(|number| different(number, port, &received));
    let all: Vec<_> = all.buffer_unordered(6).collect().await;
    let differences: Vec<_> = all.iter().flat_map(|(differences, _, _)| differences).cloned().collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let (muted, inhibited) =
        all.iter().fold((0, 0), |sum, (_, muted, inhibited)| (sum.0 + muted, sum.1 + inhibited));
    assert!(muted >= 10 && inhibited >= 10, "too few cases: {muted} muted, {inhibited} inhibited");
}
