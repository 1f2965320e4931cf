//! An inbox on a free port, and message bodies.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use clients::HttpConfig;
use clients::alertmanager::Alertmanager;
use clients::inbox::{Inbox, Notification};
use common::allowed_hosts::AllowedHosts;
use inbox::store::history::Limits;
use inbox::{Config, Inbox as Server, InboxError};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running inbox; [`Running::stop`] ends it.
pub struct Running {
    pub base: String,
    pub smtp_address: String,
    pub http: reqwest::Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), InboxError>>,
}

impl Running {
    pub fn start(capacity: usize, data_dir: Option<PathBuf>) -> Self {
        Self::with(Config { data_dir, ..Self::config(capacity) })
    }

    /// An inbox in memory that allows the host name `inbox`.
    pub fn config(capacity: usize) -> Config {
        Config {
            limits: Limits { count: capacity, bytes: 64 << 20 },
            data_dir: None,
            heartbeat_limit: Duration::from_secs(300),
            allowed_hosts: AllowedHosts::new(vec!["inbox".parse().unwrap()]),
            proofs: None,
            runbooks: None,
        }
    }

    pub fn with(config: Config) -> Self {
        Self::open(config, None)
    }

    /// An inbox that shows an Alertmanager.
    pub fn showing(alertmanager: Alertmanager) -> Self {
        Self::open(Self::config(10), Some(alertmanager))
    }

    fn open(config: Config, alertmanager: Option<Alertmanager>) -> Self {
        let smtp = TcpListener::bind("127.0.0.1:0").unwrap();
        let smtp_address = smtp.local_addr().unwrap().to_string();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { stopped.await.unwrap_or(()) };
        let task = tokio::spawn(async move {
            let server = Server::open(&config)?;
            let server = match alertmanager {
                Some(alertmanager) => server.showing(alertmanager),
                None => server,
            };
            server.serve(listener, Some(smtp), shutdown).await
        });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base, smtp_address, http, stop, task }
    }

    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        drop(self.http); // the inbox waits for open connections
        self.task.await.unwrap().unwrap();
    }

    /// Status and body of the response.
    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let response = self.http.post(format!("{}{path}", self.base)).body(body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Status, content type and body of the response.
    pub async fn get(&self, path: &str) -> (u16, String, String) {
        let response = self.http.get(format!("{}{path}", self.base)).send().await.unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        (response.status().as_u16(), kind, response.text().await.unwrap())
    }

    /// Notifications, through the client of drills.
    pub async fn notifications(&self, after: u64) -> Vec<Notification> {
        let inbox = Inbox::new(&self.base.parse().unwrap(), &HttpConfig::default()).unwrap();
        inbox.ready().await.unwrap();
        inbox.notifications(after).await.unwrap().notifications
    }
}

pub fn webhook(status: &str, alert: &str) -> Value {
    let ends_at = if status == "firing" { "0001-01-01T00:00:00Z" } else { "2026-05-04T12:05:00Z" };
    json!({
        "version": "4", "groupKey": format!("{{}}:{{alertname=\"{alert}\"}}"), "truncatedAlerts": 0, "status": status,
        "receiver": "warning", "groupLabels": {"alertname": alert}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://127.0.0.1:9093",
        "alerts": [{"status": status, "labels": {"alertname": alert, "job": "api", "severity": "warning"},
            "annotations": {"summary": "8 % of responses are errors"}, "startsAt": "2026-05-04T12:00:00Z",
            "endsAt": ends_at, "generatorURL": "http://127.0.0.1:9090", "fingerprint": "0badcafe00000001"}],
    })
}

pub fn slack(heading: &str) -> Value {
    json!({"channel": "#alerts", "attachments": [{"title": heading, "fallback": heading, "color": "danger"}]})
}
