//! The HTTP API of Prometheus 2.42 to 3.x:
//! <https://prometheus.io/docs/prometheus/latest/querying/api/>.

mod config;
mod outgoing;
mod parse;
mod types;

use std::time::Duration;

use jiff::Timestamp;

pub use crate::prometheus::outgoing::Outgoing;
pub use crate::prometheus::types::{ActiveAlert, Alerting, Build, Labels, Rule, RuleGroup, Series, Target};

use crate::authorization::Access;
use crate::config::HttpConfig;
use crate::error::{Reason, SystemError};
use crate::http::Http;
use crate::process;
use common::tls::Trust;

/// Makes VictoriaMetrics return the newest samples too, which it hides for `-search.latencyOffset` otherwise. Prometheus
/// ignores it.
const NEWEST: [(&str, &str); 2] = [("nocache", "1"), ("latency_offset", "1ms")];

/// A client of one Prometheus; clones share connections.
#[derive(Debug, Clone)]
pub struct Prometheus {
    http: Http,
}

impl Prometheus {
    /// # Errors
    /// When the URL cannot serve as a base, or a file of the configuration cannot be used.
    pub fn new(base: &url::Url, config: &HttpConfig) -> Result<Self, SystemError> {
        Ok(Self { http: Http::new("Prometheus", base, config, Access::monitoring(config))? })
    }

    /// A client for commands without a flag for a token file.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn without_token(base: &url::Url, trust: &Trust) -> Result<Self, SystemError> {
        let config = HttpConfig { trust: trust.clone(), ..HttpConfig::default() };
        Ok(Self { http: Http::new("Prometheus", base, &config, Access::Address)? })
    }

    /// The client of the API below this path, of a server with this name.
    pub(crate) fn below(&self, path: &str, system: &'static str) -> Self {
        Self { http: self.http.below(path, system) }
    }

    /// `/api/v1/status/buildinfo`.
    pub(crate) async fn build(&self) -> Result<Build, SystemError> {
        self.http.get("/api/v1/status/buildinfo", &[], parse::build).await
    }

    /// The body of another path.
    pub(crate) async fn text(&self, path: &str) -> Result<String, SystemError> {
        self.http.get(path, &[], |text| Ok(text.to_owned())).await
    }

    /// The body of `/metrics`, from the root of the host if there is none below the base URL.
    pub(crate) async fn metrics(&self) -> Result<String, SystemError> {
        match self.text("/metrics").await {
            Ok(text) => Ok(text),
            Err(error) => match self.http.root() {
                Some(root) => root.get("/metrics", &[], |text| Ok(text.to_owned())).await.map_err(|_| error),
                None => Err(error),
            },
        }
    }

    /// An error of this server.
    pub(crate) fn error(&self, reason: Reason) -> SystemError {
        self.http.error(reason)
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

    /// `/api/v1/rules`: every rule group.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn rules(&self) -> Result<Vec<RuleGroup>, SystemError> {
        self.http.get("/api/v1/rules", &[], parse::rules).await
    }

    /// `/api/v1/targets?state=active`: the active targets.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn targets(&self) -> Result<Vec<Target>, SystemError> {
        self.http.get("/api/v1/targets", &[("state", "active")], parse::targets).await
    }

    /// `/api/v1/alertmanagers`: the URLs of the active Alertmanagers.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn alertmanagers(&self) -> Result<Vec<String>, SystemError> {
        self.http.get("/api/v1/alertmanagers", &[], parse::alertmanagers).await
    }

    /// `--rules.alert.resend-delay` from `/api/v1/status/flags`: how often a firing alert is resent. Alertmanager
    /// resolves an alert that was not resent for four times as long.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn resend_delay(&self) -> Result<Duration, SystemError> {
        self.http.get("/api/v1/status/flags", &[], parse::resend_delay).await
    }

    /// The label changes of sent alerts, from `/api/v1/status/config`.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn outgoing(&self) -> Result<Outgoing, SystemError> {
        self.http.get("/api/v1/status/config", &[], parse::outgoing).await
    }

    /// `global.rule_query_offset` from `/api/v1/status/config`: how far in the past rules are evaluated. The API does not
    /// report the `query_offset` of a group, which overrides it.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn query_offset(&self) -> Result<Duration, SystemError> {
        self.http.get("/api/v1/status/config", &[], parse::query_offset).await
    }

    /// Major and minor version from `/api/v1/status/buildinfo`; `None` where it is not that of a Prometheus.
    ///
    /// # Errors
    /// When the request fails or the response is not understood.
    pub async fn version(&self) -> Result<Option<(u32, u32)>, SystemError> {
        self.http.get("/api/v1/status/buildinfo", &[], parse::version).await
    }

    /// Runs an instant query at `at`, default now. A vector has one sample per series. A range selector
    /// (`ALERTS{…}[5m]`) has the raw samples with their timestamps. A scalar is one series without labels. Native
    /// histograms are omitted.
    ///
    /// # Errors
    /// When the request or the query fails, or the response is not understood.
    pub async fn query(&self, expr: &str, at: Option<Timestamp>) -> Result<Vec<Series>, SystemError> {
        let at = at.map(|at| at.to_string());
        let mut form = vec![("query", expr), NEWEST[0], NEWEST[1]];
        form.extend(at.as_deref().map(|at| ("time", at)));
        self.http.post_form("/api/v1/query", &form, parse::series).await
    }

    /// Runs a range query. Prometheus rejects a step that would return more than 11,000 points per series.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn query_range(
        &self,
        expr: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<Vec<Series>, SystemError> {
        let (start, end, step) = (start.to_string(), end.to_string(), step.as_secs_f64().to_string());
        let form = [("query", expr), ("start", &start), ("end", &end), ("step", &step), NEWEST[0], NEWEST[1]];
        self.http.post_form("/api/v1/query_range", &form, parse::series).await
    }
}
