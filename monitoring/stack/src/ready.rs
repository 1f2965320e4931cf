//! Questions that tell whether a service truly serves, not merely runs.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(2);

/// How readiness is asked.
#[derive(Debug, Clone)]
pub enum Probe {
    /// Redis's PING answered by PONG.
    RedisPing(u16),
    /// This URL answers 200.
    Http(String),
    /// This URL answers 200 and its body has this line.
    Line(String, String),
    /// Prometheus is ready, every target is up, every rule has been evaluated, and it has found an Alertmanager
    /// to send to (which it looks for a few seconds after its start).
    PrometheusTargets(String),
}

/// Asks once.
///
/// # Errors
/// What is missing, in words.
pub async fn ask(client: &reqwest::Client, probe: &Probe) -> Result<(), String> {
    let answer = async {
        match probe {
            Probe::RedisPing(port) => redis_ping(*port).await,
            Probe::Http(url) => get(client, url).await.map(drop),
            Probe::Line(url, line) => match get(client, url).await?.lines().any(|have| have == line) {
                true => Ok(()),
                false => Err(format!("{url} does not say `{line}`")),
            },
            Probe::PrometheusTargets(base) => prometheus_targets(client, base).await,
        }
    };
    tokio::time::timeout(LIMIT, answer).await.unwrap_or_else(|_| Err(format!("no answer within {LIMIT:?}")))
}

async fn get(client: &reqwest::Client, url: &str) -> Result<String, String> {
    let answer = client.get(url).send().await.map_err(|error| chain(&error))?;
    let status = answer.status();
    let body = answer.text().await.map_err(|error| chain(&error))?;
    if status.is_success() { Ok(body) } else { Err(format!("{url} answers {status}")) }
}

async fn redis_ping(port: u16) -> Result<(), String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| error.to_string())?;
    stream.write_all(b"PING\r\n").await.map_err(|error| error.to_string())?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.map_err(|error| error.to_string())?;
    if &answer == b"+PONG" {
        Ok(())
    } else {
        Err(format!("PING answered {}", String::from_utf8_lossy(&answer)))
    }
}

async fn prometheus_targets(client: &reqwest::Client, base: &str) -> Result<(), String> {
    get(client, &format!("{base}/-/ready")).await?;
    let json =
        |text: String| serde_json::from_str::<serde_json::Value>(&text).map_err(|error| error.to_string());
    let targets = json(get(client, &format!("{base}/api/v1/targets?state=active")).await?)?;
    let targets = targets["data"]["activeTargets"].as_array().map(Vec::as_slice).unwrap_or_default();
    if targets.is_empty() {
        return Err("it has found no target yet".to_owned());
    }
    for target in targets {
        if target["health"] != "up" {
            return Err(format!(
                "target {} is {}: {}",
                target["scrapeUrl"], target["health"], target["lastError"]
            ));
        }
    }
    let rules = json(get(client, &format!("{base}/api/v1/rules")).await?)?;
    for rule in rules["data"]["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|group| group["rules"].as_array().into_iter().flatten())
    {
        if rule["health"] == "unknown" {
            return Err(format!("rule {} has not been evaluated yet", rule["name"]));
        }
    }
    let found = json(get(client, &format!("{base}/api/v1/alertmanagers")).await?)?;
    if found["data"]["activeAlertmanagers"].as_array().is_none_or(Vec::is_empty) {
        return Err("it has found no Alertmanager yet".to_owned());
    }
    Ok(())
}

/// An error with its causes: reqwest's own text leaves the reason out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
