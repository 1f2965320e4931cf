//! Arguments of `loadgen drill`.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::discreet::Discreet;
use crate::http_args::{HttpArgs, absolute};
use clients::backend::{BackendConfig, Family};
use clients::{HttpConfig, Reason, address};
use common::duration;

/// Arguments of `loadgen drill`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Prometheus that evaluates the rules, or another server with its API; repeat it for replicas with the same rules
    #[arg(long, env = "PROMETHEUS_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:9090")]
    pub prometheus: Vec<Url>,
    /// Server with the rules, such as vmalert or a ruler, if it is not --prometheus
    #[arg(long, env = "RULES_URL", value_name = "URL", value_parser = URL, hide_env_values = true)]
    pub rules: Option<Url>,
    /// Server with the samples, if it is not --prometheus
    #[arg(long, env = "QUERY_URL", value_name = "URL", value_parser = URL, hide_env_values = true)]
    pub query: Option<Url>,
    /// What these servers are: prometheus, victoriametrics, thanos, mimir or grafana. Default: found out from their responses
    #[arg(long, env = "BACKEND", value_name = "NAME", value_parser = family)]
    pub backend: Option<Family>,
    /// How far in the past rules are evaluated, where no API reports it: Mimir's -ruler.evaluation-delay-duration (default
    /// 1m), vmalert's -rule.evalDelay
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub eval_delay: Option<Duration>,
    /// Alertmanager that routes the alerts; repeat it for the members of a cluster
    #[arg(long, env = "ALERTMANAGER_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:9093")]
    pub alertmanager: Vec<Url>,
    /// Target of the load
    #[arg(long, env = "TARGET_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:8000")]
    pub target: Url,
    /// The gateway's admin listener, where faults are activated
    #[arg(long, env = "ADMIN_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:8001")]
    pub admin: Url,
    /// Send the bearer token in this file, the gateway's ADMIN_TOKEN, to the admin listener; it is read for every call
    #[arg(long, env = "ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
    /// Inbox that receives the notifications. With `none`, delivery is checked by Alertmanager's counters only.
    /// Default: http://127.0.0.1:8025 if an inbox responds there, else none
    #[arg(long, env = "INBOX_URL", value_name = "URL|none", value_parser = RECEIVER, hide_env_values = true)]
    pub inbox: Option<Receiver>,
    #[command(flatten)]
    pub http: HttpArgs,
    /// Factor by which the stack's durations were divided. It also divides the objectives of drills
    #[arg(long, env = "TIME_SCALE", value_name = "N", default_value = "1", value_parser = scale)]
    pub scale: f64,
    /// `--cluster.peer-timeout` of clustered Alertmanagers, which their API does not report
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration::parse)]
    pub peer_timeout: Duration,
    /// Command that stops, starts, pauses, unpauses and restarts a service by name, such as "stack service" or
    /// deploy/compose/service.sh
    #[arg(long, env = "STACK_CONTROL", value_name = "COMMAND")]
    pub control: Option<String>,
    /// JSON file of several stacks to distribute the drills over, as written by `stack run --shards`
    #[arg(long, env = "STACKS_FILE", value_name = "FILE")]
    pub stacks: Option<PathBuf>,
    /// Run on N isolated stacks in parallel, started for this run by `stack run --shards N`
    #[arg(long, value_name = "N", conflicts_with = "stacks", value_parser = clap::value_parser!(u8).range(1..=32))]
    pub shards: Option<u8>,
    /// Store the last proof of each drill in this directory, for export by `loadgen inbox --proofs`
    #[arg(long, env = "PROOFS_DIR", value_name = "DIR")]
    pub proofs: Option<PathBuf>,
    /// Store pending undo steps in this directory, so that the next run can undo them if this one is killed. It must be
    /// owned by this user and writable by no other user, because commands are run from it
    #[arg(long, value_name = "DIR")]
    pub leftovers: Option<PathBuf>,
    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the report as Markdown, for the summary page of a pipeline
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report as a self-contained HTML page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Drill files, or directories of them
    #[arg(value_name = "FILE|DIRECTORY", required = true)]
    pub drills: Vec<PathBuf>,
}

impl Args {
    /// The servers with rules and samples, besides the first Prometheus.
    #[must_use]
    pub fn backend(&self) -> BackendConfig {
        BackendConfig {
            family: self.backend,
            replicas: self.prometheus[1..].to_vec(),
            rules: self.rules.clone(),
            query: self.query.clone(),
            eval_delay: self.eval_delay,
        }
    }

    /// The HTTP settings of all systems.
    #[must_use]
    pub fn http(&self) -> HttpConfig {
        let admin_token_file = self.admin_token_file.as_deref().map(absolute);
        HttpConfig { admin_token_file, ..self.http.config() }
    }
}

fn family(text: &str) -> Result<Family, Reason> {
    text.parse().map_err(|_| Reason::Setting(format!("expected one of {}", Family::NAMES)))
}

/// Who receives the notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// The inbox at this address.
    Inbox(Url),
    /// No inbox.
    None,
}

/// Addresses may contain passwords, which neither errors nor `--help` may show.
const URL: Discreet<Url, Reason> = Discreet(address::parse, address::redacted);
const RECEIVER: Discreet<Receiver, String> = Discreet(receiver, address::redacted);

fn receiver(text: &str) -> Result<Receiver, String> {
    match text {
        "none" => Ok(Receiver::None),
        _ => text
            .parse()
            .map(Receiver::Inbox)
            .map_err(|error| format!("{error}: expected a URL such as http://127.0.0.1:8025, or none")),
    }
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale >= 1.0 => Ok(scale),
        _ => Err("must be at least 1, and the same as `loadgen scale --by`".into()),
    }
}
