//! The JSON API of the inbox.

use jiff::Timestamp;

use crate::authorization::Access;
use crate::config::HttpConfig;
use crate::error::SystemError;
use crate::http::Http;
use crate::process;
use crate::prometheus::Labels;

/// A client of one inbox; clones share connections.
#[derive(Debug, Clone)]
pub struct Inbox {
    http: Http,
}

/// A channel of the inbox; each replaces an external service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Channel {
    /// Alertmanager's own JSON.
    Webhook,
    /// Slack's incoming webhooks.
    Slack,
    /// Discord's webhooks, in Discord's or Slack's format.
    Discord,
    /// PagerDuty's Events API.
    Pagerduty,
    /// Mail, by SMTP.
    Email,
    /// The always-firing heartbeat alert, as a webhook. Only its loss and its recovery are stored, as only they are
    /// news.
    Heartbeat,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 6] =
        [Self::Webhook, Self::Slack, Self::Discord, Self::Pagerduty, Self::Email, Self::Heartbeat];

    /// Its name in JSON and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Finds a channel by name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// A run of drills that holds the lease of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    /// Host name.
    pub host: String,
    /// Process ID.
    pub pid: u32,
    /// Start time of the run.
    pub since: Timestamp,
    /// Where `pid` counts: the boot of a kernel and a namespace of processes in it, as `BOOT_ID/pid:[4026531836]`.
    /// Containers may share a host name, never this. Empty where it is not known.
    #[serde(default)]
    pub processes: String,
}

/// A received notification; `GET /notifications?after=ID` lists them, oldest first.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Notification {
    /// Sequential ID.
    pub id: u64,
    /// When the inbox had read it completely.
    pub received_at: Timestamp,
    /// The channel: `webhook`, `slack`, `discord`, `pagerduty`, `email` or `heartbeat`.
    pub channel: String,
    /// `firing` or `resolved` of the whole notification; `unknown` for a text without a status.
    pub status: String,
    /// The alerts it contains.
    pub alerts: Vec<NotifiedAlert>,
    /// The body as sent.
    pub body: serde_json::Value,
}

/// Notifications, as `GET /notifications` lists them.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct Listing {
    /// Start time of the inbox. Without a data directory, its IDs start at 1 and it has no earlier notifications.
    pub started: Timestamp,
    /// The newest ID ever assigned, 0 before the first.
    pub last: u64,
    /// Notifications, oldest first.
    pub notifications: Vec<Notification>,
}

/// An alert of a notification. Webhooks have all fields, texts only those in the text.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct NotifiedAlert {
    /// `alertname`; for a text, the inbox's guess from `heading`.
    pub alert: String,
    /// `firing` or `resolved`.
    pub status: String,
    /// The heading of a text after `[FIRING:1]`; none for webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
    /// Webhook only.
    pub fingerprint: Option<String>,
    /// Webhook only.
    pub starts_at: Option<Timestamp>,
    /// Webhook only; when it resolved.
    pub ends_at: Option<Timestamp>,
    /// Webhook only.
    #[serde(default)]
    pub labels: Labels,
}

impl Inbox {
    /// # Errors
    /// When the URL cannot serve as a base, or a file of the configuration cannot be used.
    pub fn new(base: &url::Url, config: &HttpConfig) -> Result<Self, SystemError> {
        Ok(Self { http: Http::new("inbox", base, config, Access::Address)? })
    }

    /// Checks that it is ready (`/readyz`).
    ///
    /// # Errors
    /// When it is not ready.
    pub async fn ready(&self) -> Result<(), SystemError> {
        self.http.get("/readyz", &[], |_| Ok(())).await
    }

    /// Start time of the process, from its `/metrics`; `None` if missing.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn started(&self) -> Result<Option<Timestamp>, SystemError> {
        process::started(&self.http).await
    }

    /// Notifications with an ID above `after`, oldest first (0 for all).
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn notifications(&self, after: u64) -> Result<Listing, SystemError> {
        let parse = |body: &str| Ok(serde_json::from_str(body)?);
        self.http.get("/notifications", &[("after", &after.to_string())], parse).await
    }

    /// A listing without notifications, whose size does not depend on the history's.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn position(&self) -> Result<Listing, SystemError> {
        self.http.get("/notifications", &[("limit", "0")], |body| Ok(serde_json::from_str(body)?)).await
    }
}

/// The state of the heartbeat.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct HeartbeatState {
    /// `unknown` before the first heartbeat, `beating` or `stopped`.
    pub state: String,
    /// Seconds without a heartbeat after which it is stopped.
    pub limit_seconds: f64,
}

impl Inbox {
    /// `GET /heartbeat`.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn heartbeat(&self) -> Result<HeartbeatState, SystemError> {
        self.http.get("/heartbeat", &[], |body| Ok(serde_json::from_str(body)?)).await
    }

    /// Acquires or renews the lease of the inbox for `ttl_seconds`, or releases it with 0. Returns the holder if
    /// another run holds it. The lease is taken over from `dead`, if that is the holder.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn lease(
        &self,
        holder: &Holder,
        ttl_seconds: u64,
        dead: Option<&Holder>,
    ) -> Result<Option<Holder>, SystemError> {
        let mut claim = serde_json::json!(holder);
        claim["ttl"] = format!("{ttl_seconds}s").into();
        if let Some(dead) = dead {
            claim["dead"] = serde_json::json!(dead);
        }
        self.http.put_unless("/lease", &claim).await
    }

    /// Makes a channel fail (`PUT /fail/{channel}`).
    ///
    /// # Errors
    /// When the request fails or is rejected.
    pub async fn fail(&self, channel: &str, how: &serde_json::Value) -> Result<(), SystemError> {
        self.http.put_json(&format!("/fail/{channel}"), how).await
    }

    /// Makes a channel work again (`DELETE /fail/{channel}`).
    ///
    /// # Errors
    /// When the request fails.
    pub async fn work(&self, channel: &str) -> Result<(), SystemError> {
        self.http.delete(&format!("/fail/{channel}")).await
    }
}
