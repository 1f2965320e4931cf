//! Arguments of `loadgen drill`.

use std::path::PathBuf;

use url::Url;

use crate::discreet::Discreet;
use crate::http_args::HttpArgs;
use clients::{Reason, address};

/// Arguments of `loadgen drill`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Prometheus that evaluates the rules
    #[arg(long, env = "PROMETHEUS_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:9090")]
    pub prometheus: Url,
    /// Alertmanager that routes the alerts
    #[arg(long, env = "ALERTMANAGER_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:9093")]
    pub alertmanager: Url,
    /// Where load is sent
    #[arg(long, env = "TARGET_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:8000")]
    pub target: Url,
    /// The gateway's admin listener, where faults are put in force
    #[arg(long, env = "ADMIN_URL", value_name = "URL", value_parser = URL, hide_env_values = true, default_value = "http://127.0.0.1:8001")]
    pub admin: Url,
    /// Inbox that receives the notifications, or `none`: then Alertmanager's count of what it sent has to do. Left out,
    /// http://127.0.0.1:8025 if an inbox answers there
    #[arg(long, env = "INBOX_URL", value_name = "URL|none", value_parser = RECEIVER, hide_env_values = true)]
    pub inbox: Option<Receiver>,
    #[command(flatten)]
    pub http: HttpArgs,
    /// The stack's durations are divided by this: divides the drills' objectives, too
    #[arg(long, env = "TIME_SCALE", value_name = "N", default_value = "1", value_parser = scale)]
    pub scale: f64,
    /// The command that stops, starts, pauses, unpauses and restarts a service by its name, such as "stack service" or deploy/compose/service.sh
    #[arg(long, env = "STACK_CONTROL", value_name = "COMMAND")]
    pub control: Option<String>,
    /// JSON file of several stacks to spread the drills over, as `stack run --shards` writes it
    #[arg(long, env = "STACKS_FILE", value_name = "FILE")]
    pub stacks: Option<PathBuf>,
    /// Run on N isolated stacks side by side, started for this run by `stack run --shards N`
    #[arg(long, value_name = "N", conflicts_with = "stacks", value_parser = clap::value_parser!(u8).range(1..=32))]
    pub shards: Option<u8>,
    /// Keep each drill's last proof in this directory, where `loadgen inbox --proofs` exports it
    #[arg(long, env = "PROOFS_DIR", value_name = "DIR")]
    pub proofs: Option<PathBuf>,
    /// Keep what has yet to be undone in this directory, for the next run in case this one is killed. It must be this
    /// user's and writable by nobody else, since commands are run from it
    #[arg(long, value_name = "DIR")]
    pub leftovers: Option<PathBuf>,
    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report as one offline HTML page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Drill files, or directories of them
    #[arg(value_name = "FILE|DIRECTORY", required = true)]
    pub drills: Vec<PathBuf>,
}

/// Who receives the notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// The inbox at this address.
    Inbox(Url),
    /// Nobody we could ask.
    Nobody,
}

/// Addresses may hold passwords, which no error and no `--help` shows.
const URL: Discreet<Url, Reason> = Discreet(address::parse);
const RECEIVER: Discreet<Receiver, String> = Discreet(receiver);

fn receiver(text: &str) -> Result<Receiver, String> {
    match text {
        "none" => Ok(Receiver::Nobody),
        _ => text
            .parse()
            .map(Receiver::Inbox)
            .map_err(|error| format!("{error}: expected an address such as http://127.0.0.1:8025, or none")),
    }
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale >= 1.0 => Ok(scale),
        _ => Err("expected a number of 1 or more, as given to `loadgen scale --by`".into()),
    }
}
