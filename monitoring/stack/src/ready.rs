//! Readiness probes: whether a service actually serves, not only runs.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(2);

/// A readiness probe.
#[derive(Debug, Clone)]
pub enum Probe {
    /// Redis replies PONG to PING.
    RedisPing(u16),
    /// This URL responds 200.
    Http(String),
    /// This URL responds 200 with this line in the body.
    Line(String, String),
    /// Prometheus is ready, every target is up, every rule has been evaluated, and it has discovered an Alertmanager,
    /// which takes a few seconds after its start.
    PrometheusTargets(String),
}

/// Why a service is not ready yet.
#[derive(Debug, thiserror::Error)]
pub enum NotYet {
    /// No response in time.
    #[error("no response within {LIMIT:?}")]
    Silent,
    /// An HTTP error.
    #[error("{}", chain(.0))]
    Http(#[from] reqwest::Error),
    /// A TCP error.
    #[error(transparent)]
    Tcp(#[from] std::io::Error),
    /// A response that is not valid JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// An error status.
    #[error("{0}: status {1}")]
    Status(String, reqwest::StatusCode),
    /// Another condition is not met.
    #[error("{0}")]
    Missing(String),
}

/// Probes once.
///
/// # Errors
/// The condition that is not met.
pub async fn check(client: &reqwest::Client, probe: &Probe) -> Result<(), NotYet> {
    let response = async {
        match probe {
            Probe::RedisPing(port) => redis_ping(*port).await,
            Probe::Http(url) => get(client, url).await.map(drop),
            Probe::Line(url, line) => match get(client, url).await?.lines().any(|have| have == line) {
                true => Ok(()),
                false => Err(NotYet::Missing(format!("{url} does not have the line `{line}`"))),
            },
            Probe::PrometheusTargets(base) => prometheus_targets(client, base).await,
        }
    };
    tokio::time::timeout(LIMIT, response).await.unwrap_or(Err(NotYet::Silent))
}

async fn get(client: &reqwest::Client, url: &str) -> Result<String, NotYet> {
    let response = client.get(url).send().await?;
    let status = response.status();
    let body = response.text().await?;
    if status.is_success() { Ok(body) } else { Err(NotYet::Status(url.to_owned(), status)) }
}

async fn redis_ping(port: u16) -> Result<(), NotYet> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    // The user `probe` of deploy/redis/users.acl accepts any password. A server without users refuses the login and responds
    // to PING all the same.
    stream.write_all(b"AUTH probe -\r\nPING\r\n").await?;
    let mut replies = BufReader::new(stream).take(1_000).lines();
    replies.next_line().await?;
    match replies.next_line().await?.as_deref() {
        Some("+PONG") => Ok(()),
        reply => Err(NotYet::Missing(format!("unexpected reply to PING: {}", reply.unwrap_or_default()))),
    }
}

async fn prometheus_targets(client: &reqwest::Client, base: &str) -> Result<(), NotYet> {
    get(client, &format!("{base}/-/ready")).await?;
    let json = async |path: &str| -> Result<Value, NotYet> {
        Ok(serde_json::from_str(&get(client, &format!("{base}/api/v1/{path}")).await?)?)
    };
    let missing = |what: String| Err(NotYet::Missing(what));
    let targets = json("targets?state=active").await?;
    let targets = targets["data"]["activeTargets"].as_array().map(Vec::as_slice).unwrap_or_default();
    if targets.is_empty() {
        return missing("no targets yet".to_owned());
    }
    if let Some(down) = targets.iter().find(|target| target["health"] != "up") {
        let (url, health, error) = (&down["scrapeUrl"], &down["health"], &down["lastError"]);
        return missing(format!("target {url} is {health}: {error}"));
    }
    let rules = json("rules").await?;
    let groups = rules["data"]["groups"].as_array().into_iter().flatten();
    let mut rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    if let Some(unknown) = rules.find(|rule| rule["health"] == "unknown") {
        return missing(format!("rule {} has not been evaluated yet", unknown["name"]));
    }
    let found = json("alertmanagers").await?;
    if found["data"]["activeAlertmanagers"].as_array().is_none_or(Vec::is_empty) {
        return missing("no Alertmanager discovered yet".to_owned());
    }
    Ok(())
}

/// An error with its causes, which the text of reqwest's error omits.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
