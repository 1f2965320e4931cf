//! The servers that evaluate rules and store samples: Prometheus, and what has its API. Rules and samples may be on
//! different servers, and each server may have replicas.

mod delays;
mod family;
mod flags;
mod merge;
mod server;

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

pub use crate::backend::family::Family;

use crate::address;
use crate::backend::delays::Delays;
use crate::backend::server::{Known, Server};
use crate::config::HttpConfig;
use crate::error::{Reason, SystemError};
use crate::prometheus::{Outgoing, RuleGroup, Series, Target};

/// `-ruler.evaluation-delay-duration` of Mimir, which no API reports.
const MIMIR_DELAY: Duration = Duration::from_secs(60);

/// Where the servers are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BackendConfig {
    /// What they are; `None` to find out.
    pub family: Option<Family>,
    /// Further replicas of the Prometheus.
    #[serde(with = "address::texts")]
    pub replicas: Vec<Url>,
    /// The server with the rules, if it is another.
    #[serde(with = "address::text_if_any")]
    pub rules: Option<Url>,
    /// The server with the samples, if it is another.
    #[serde(with = "address::text_if_any")]
    pub query: Option<Url>,
    /// How far in the past rules are evaluated, where the servers do not report it.
    #[serde(skip_serializing, deserialize_with = "common::duration::deserialize_option")]
    pub eval_delay: Option<Duration>,
}

/// The servers; clones share connections.
#[derive(Debug, Clone)]
pub struct Backend {
    rulers: Vec<Server>,
    queriers: Vec<Server>,
    eval_delay: Option<Duration>,
}

impl Backend {
    /// # Errors
    /// When a URL cannot serve as a base, or a file of the configuration cannot be used.
    pub fn new(prometheus: &Url, config: &BackendConfig, http: &HttpConfig) -> Result<Self, SystemError> {
        let server = |url: &Url| Server::new(url, config.family, http);
        let all =
            std::iter::once(prometheus).chain(&config.replicas).map(server).collect::<Result<Vec<_>, _>>()?;
        let other = |url: &Option<Url>| match url {
            Some(url) => Ok(vec![server(url)?]),
            None => Ok(all.clone()),
        };
        Ok(Self {
            rulers: other(&config.rules)?,
            queriers: other(&config.query)?,
            eval_delay: config.eval_delay,
        })
    }

    /// Checks that every server responds and stores what a drill reads.
    ///
    /// # Errors
    /// When one does not.
    pub async fn ready(&self) -> Result<(), SystemError> {
        for server in &self.rulers {
            let Known { family, api, flags } = server.known().await?;
            match family {
                Family::Grafana => {
                    return Err(api.error(Reason::Setting(
                        "alerts that Grafana manages cannot be drilled yet: it stores their states in another form than \
                         Prometheus; drill rules of a Prometheus-compatible server"
                            .to_owned(),
                    )));
                }
                Family::Prometheus => api.ready().await?,
                _ => drop(api.rules().await?),
            }
            if flags.as_ref().is_some_and(|flags| flags.are_vmalert() && !flags.is_set("remoteWrite.url")) {
                return Err(api.error(Reason::Setting(
                    "vmalert does not store the states of alerts, by which a drill follows them: set -remoteWrite.url".to_owned(),
                )));
            }
        }
        for server in &self.queriers {
            server.known().await?.api.query("vector(1)", None).await?;
        }
        Ok(())
    }

    /// What the server with the rules is.
    ///
    /// # Errors
    /// When it does not respond.
    pub async fn family(&self) -> Result<Family, SystemError> {
        Ok(self.ruler().await?.family)
    }

    /// Start times of the servers, each with its name; `None` where it is not reported.
    pub async fn started(&self) -> Vec<Result<Option<Timestamp>, SystemError>> {
        let own = |server: &Server| server.clone();
        let mut servers: Vec<_> = self.rulers.iter().map(own).collect();
        if !self.same() {
            servers.extend(self.queriers.iter().map(own));
        }
        join_all(servers.iter().map(|server| server.process().started())).await
    }

    /// The number of replicas.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.rulers.len().max(self.queriers.len())
    }

    fn same(&self) -> bool {
        self.rulers.len() == self.queriers.len()
            && self.rulers.iter().zip(&self.queriers).all(|(one, other)| one.is(other))
    }

    /// Every rule group as loaded, without the delays of its evaluation.
    ///
    /// # Errors
    /// When no server responds, or a response is not understood.
    pub async fn loaded(&self) -> Result<Vec<RuleGroup>, SystemError> {
        let found = join_all(self.rulers.iter().map(async |server| server.known().await?.api.rules().await));
        Ok(merge::rules(responding(found.await)?))
    }

    /// Every rule group, with the delays of its evaluation.
    ///
    /// # Errors
    /// When no server responds, or a response is not understood.
    pub async fn rules(&self) -> Result<Vec<RuleGroup>, SystemError> {
        let found = join_all(self.rulers.iter().map(async |server| {
            let known = server.known().await?;
            let delays = Delays::of(known, self.querier().await?, self.eval_delay)?;
            let mut groups = known.api.rules().await?;
            groups.iter_mut().for_each(|group| delays.set(group));
            Ok(groups)
        }));
        Ok(merge::rules(responding(found.await)?))
    }

    /// The active targets, of the first server that responds; empty where none are reported.
    ///
    /// # Errors
    /// When no server responds, or a response is not understood.
    pub async fn targets(&self) -> Result<Vec<Target>, SystemError> {
        let found = join_all(self.queriers.iter().map(async |server| {
            let known = server.known().await?;
            match known.family {
                Family::Mimir | Family::Grafana => Ok(Vec::new()),
                _ => known.api.targets().await,
            }
        }));
        Ok(responding(found.await)?.into_iter().next().unwrap_or_default())
    }

    /// Whether alerts are sent to an Alertmanager; `None` where that is not reported.
    ///
    /// # Errors
    /// When no server responds, or a response is not understood.
    pub async fn sends(&self) -> Result<Option<bool>, SystemError> {
        let found = join_all(self.rulers.iter().map(async |server| {
            let known = server.known().await?;
            Ok(match (known.family, &known.flags) {
                (Family::Prometheus, _) => Some(!known.api.alertmanagers().await?.is_empty()),
                (Family::VictoriaMetrics, Some(flags)) if flags.are_vmalert() => {
                    Some(flags.is_set("notifier.url") || flags.is_set("notifier.config"))
                }
                _ => None,
            })
        }));
        let found = responding(found.await)?;
        Ok(if found.contains(&Some(false)) { Some(false) } else { found.into_iter().next().flatten() })
    }

    /// How often a firing alert is resent at least, the evaluation interval aside.
    ///
    /// # Errors
    /// When no server responds, or does not report it.
    pub async fn resend_delay(&self) -> Result<Duration, SystemError> {
        let Known { family, api, flags } = self.ruler().await?;
        match (family, flags) {
            (Family::VictoriaMetrics, Some(flags)) if flags.are_vmalert() => {
                Ok(flags.duration("rule.resendDelay").unwrap_or_default())
            }
            _ => api.resend_delay().await,
        }
    }

    /// The label changes of sent alerts; none where they are part of the rules.
    ///
    /// # Errors
    /// When no server responds, or does not report them.
    pub async fn outgoing(&self) -> Result<Outgoing, SystemError> {
        let Known { family, api, .. } = self.ruler().await?;
        match family {
            Family::VictoriaMetrics => Ok(Outgoing::default()),
            _ => api.outgoing().await,
        }
    }

    /// How far in the past rules are evaluated that have no `query_offset` of their own.
    ///
    /// # Errors
    /// When no server responds, or does not report it.
    pub async fn query_offset(&self) -> Result<Duration, SystemError> {
        let Known { family, api, .. } = self.ruler().await?;
        match (self.eval_delay, family) {
            (Some(delay), _) => Ok(delay),
            (None, Family::Mimir) => Ok(MIMIR_DELAY),
            (None, _) => api.query_offset().await,
        }
    }

    /// Major and minor version of a Prometheus; `None` of anything else.
    ///
    /// # Errors
    /// When no server responds, or a response is not understood.
    pub async fn version(&self) -> Result<Option<(u32, u32)>, SystemError> {
        let Known { family, api, .. } = self.ruler().await?;
        if *family == Family::Prometheus { api.version().await } else { Ok(None) }
    }

    /// Runs an instant query at `at`, default now: see [`crate::prometheus::Prometheus::query`]. The samples of replicas are
    /// merged.
    ///
    /// # Errors
    /// When no server responds, the query fails, or a response is not understood.
    pub async fn query(&self, expr: &str, at: Option<Timestamp>) -> Result<Vec<Series>, SystemError> {
        Ok(merge::series(self.histories(expr, at).await?))
    }

    /// As [`Self::query`], with the series of each replica that responds apart.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn histories(
        &self,
        expr: &str,
        at: Option<Timestamp>,
    ) -> Result<Vec<Vec<Series>>, SystemError> {
        let found = self.queriers.iter().map(async |server| server.known().await?.api.query(expr, at).await);
        responding(join_all(found).await)
    }

    /// Runs a range query, on the first server that responds.
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
        let mut failed = None;
        for server in &self.queriers {
            match async { server.known().await?.api.query_range(expr, start, end, step).await }.await {
                Ok(found) => return Ok(found),
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        failed.map_or(Ok(Vec::new()), Err)
    }

    /// The first server with the rules that responds.
    async fn ruler(&self) -> Result<&Known, SystemError> {
        first(&self.rulers).await
    }

    async fn querier(&self) -> Result<&Known, SystemError> {
        first(&self.queriers).await
    }
}

async fn first(servers: &[Server]) -> Result<&Known, SystemError> {
    let mut found = join_all(servers.iter().map(Server::known)).await;
    let responds = found.iter().position(Result::is_ok).unwrap_or(0);
    found.swap_remove(responds)
}

/// The results of the servers that responded; the first error if none did.
fn responding<T>(results: Vec<Result<T, SystemError>>) -> Result<Vec<T>, SystemError> {
    let (mut found, mut failed) = (Vec::new(), None);
    for result in results {
        match result {
            Ok(result) => found.push(result),
            Err(error) => drop(failed.get_or_insert(error)),
        }
    }
    match failed {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}
