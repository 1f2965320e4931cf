//! The page of alerts, silences and routes, from a real Alertmanager.

use std::time::{Duration, Instant};

use clients::HttpConfig;
use clients::alertmanager::Alertmanager;
use process::{Launch, Process, port, program};
use serde_json::{Value, json};

use crate::chromium::Page;
use crate::running::Running;

const CONFIG: &str = r##"
route:
  receiver: team
  group_by: [alertname]
  group_wait: 30s
  routes:
    - {receiver: pager, matchers: ['severity="critical"'], group_wait: 5s}
receivers:
  - name: team
    slack_configs: [{api_url: "http://127.0.0.1:1/hush", channel: "#a"}]
  - name: pager
    webhook_configs: [{url: "http://127.0.0.1:1/hush"}]
    email_configs: [{to: a@example.com, from: b@example.com, smarthost: "127.0.0.1:1", auth_password: hush}]
"##;

fn at(base: &str) -> Alertmanager {
    Alertmanager::new(&base.parse().unwrap(), &HttpConfig::default()).unwrap()
}

async fn data(inbox: &Running) -> (u16, Value) {
    let (status, _, body) = inbox.get("/status/data").await;
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_alerts_silences_and_routes_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("alertmanager.yml");
    std::fs::write(&config, CONFIG).unwrap();
    let port = port::free().unwrap();
    let base = format!("http://127.0.0.1:{port}");
    let arguments = [
        format!("--config.file={}", config.display()),
        format!("--storage.path={}", dir.path().display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
    ];
    let launch = Launch::new("alertmanager", program::external("alertmanager").unwrap(), arguments.to_vec());
    let mut process = Process::start(&launch, &dir.path().join("log")).unwrap();
    let started = Instant::now();
    while at(&base).ready().await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(30), "Alertmanager is not ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let inbox = Running::showing(at(&base));
    let post = async |path: &str, body: Value| {
        let sent = inbox.http.post(format!("{base}{path}")).json(&body).send().await.unwrap();
        assert_eq!(sent.status(), 200, "{path}");
    };
    let matcher = json!({"name": "alertname", "value": "Quiet", "isRegex": false, "isEqual": true});
    post(
        "/api/v2/silences",
        json!({"matchers": [matcher], "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
            "createdBy": "ada", "comment": "planned work"}),
    )
    .await;
    let alert = |name: &str, severity: &str| json!({"labels": {"alertname": name, "severity": severity, "job": "api"}});
    post("/api/v2/alerts", json!([alert("Loud", "critical"), alert("Quiet", "warning")])).await;

    let state = |all: &Value, name: &str| {
        let alerts = all["alerts"].as_array().unwrap().iter();
        alerts.filter(|it| it["labels"]["alertname"] == name).map(|it| it["silenced"] == true).next()
    };
    let started = Instant::now();
    let found = loop {
        let (status, found) = data(&inbox).await;
        assert_eq!(status, 200, "{found}");
        if (state(&found, "Loud"), state(&found, "Quiet")) == (Some(false), Some(true)) {
            break found;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{found}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(found["silences"][0]["matchers"], json!([r#"alertname="Quiet""#]));
    assert_eq!(found["silences"][0]["comment"], "planned work");
    assert_eq!(found["route"]["routes"][0]["receiver"], "pager");
    assert_eq!(found["receivers"]["pager"], json!(["email", "webhook"]));
    assert!(!found.to_string().contains("hush"), "{found}");

    if let Some(mut page) = Page::open(1000, 700) {
        page.go(&format!("{}/status", inbox.base));
        page.until("document.querySelector('#link.live')");
        let text = page.eval("document.querySelector('main').innerText");
        let text = text.as_str().unwrap();
        for word in
            ["Loud", "critical", "Quiet", "silenced", "planned work", "pager (email, webhook)", "waits 5s"]
        {
            assert!(text.contains(word), "{word} is not in {text}");
        }
        page.picture("inbox-status.png");
    }

    process.stop(Duration::from_secs(5)).await;
    let started = Instant::now();
    loop {
        let (status, reason) = data(&inbox).await;
        if status == 502 {
            assert!(reason.as_str().unwrap().contains("Alertmanager"), "{reason}");
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "the last reading is too old");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    inbox.stop().await;
}

#[tokio::test]
async fn without_an_alertmanager_it_says_how_to_name_one() {
    let inbox = Running::start(3, None);
    let (status, reason) = data(&inbox).await;
    assert_eq!(status, 404);
    assert!(reason.as_str().unwrap().contains("--alertmanager URL"), "{reason}");
    inbox.stop().await;
}
