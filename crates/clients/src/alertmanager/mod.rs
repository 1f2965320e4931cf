//! Alertmanager's v2 API: <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>.

mod cluster;
mod counters;
mod parse;
mod types;

pub use crate::alertmanager::cluster::Alertmanagers;
pub use crate::alertmanager::counters::{Delivered, Sender};
pub use crate::alertmanager::types::{Cluster, HeldAlert, Matcher, Silence};

use jiff::Timestamp;

use crate::authorization::Access;
use crate::config::HttpConfig;
use crate::error::SystemError;
use crate::http::Http;
use crate::process;
use crate::prometheus::Labels;

/// A client of one Alertmanager; clones share connections.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    http: Http,
}

impl Alertmanager {
    /// # Errors
    /// When the URL cannot serve as a base, or a file of the configuration cannot be used.
    pub fn new(base: &url::Url, config: &HttpConfig) -> Result<Self, SystemError> {
        Ok(Self { http: Http::new("Alertmanager", base, config, Access::monitoring(config))? })
    }

    /// `/-/ready`.
    ///
    /// # Errors
    /// When it is not ready.
    pub async fn ready(&self) -> Result<(), SystemError> {
        self.http.get("/-/ready", &[], |_| Ok(())).await
    }

    /// Start time of the process, from its `/metrics`; `None` if missing.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn started(&self) -> Result<Option<Timestamp>, SystemError> {
        process::started(&self.http).await
    }

    /// The running configuration, YAML as loaded (`config.original` of `/api/v2/status`).
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn config(&self) -> Result<String, SystemError> {
        self.http.get("/api/v2/status", &[], parse::config).await
    }

    /// Its cluster, from `/api/v2/status`.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn cluster(&self) -> Result<Cluster, SystemError> {
        self.http.get("/api/v2/status", &[], parse::cluster).await
    }

    /// `/api/v2/alerts`: every alert, including suppressed ones.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn alerts(&self) -> Result<Vec<HeldAlert>, SystemError> {
        self.http.get("/api/v2/alerts", &[], parse::alerts).await
    }

    /// `/api/v2/alerts/groups`: the receiver, the group labels and the alert fingerprints of each group.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn groups(&self) -> Result<Vec<(String, Labels, Vec<String>)>, SystemError> {
        self.http.get("/api/v2/alerts/groups", &[], parse::groups).await
    }

    /// Active silences, without expired and pending ones.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn silences(&self) -> Result<Vec<Silence>, SystemError> {
        self.http.get("/api/v2/silences", &[], parse::silences).await
    }

    /// Delivered notifications, from its own counters (`/metrics`).
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn delivered(&self) -> Result<Delivered, SystemError> {
        self.http.get("/metrics", &[], counters::delivered).await
    }
}
