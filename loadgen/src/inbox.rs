//! The `loadgen inbox` command line.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::discreet::Discreet;
use clients::HttpConfig;
use clients::address;
use clients::alertmanager::Alertmanager;
use common::allowed_hosts::{AllowedHosts, HostName};
use common::signals::Signals;
use common::{console, exit, listen};
use inbox::store::history::Limits;
use inbox::{Config, Inbox, InboxError};

/// Arguments of `loadgen inbox`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Listen address of the page, the JSON API and the receivers; port 0 chooses a free port
    #[arg(long, value_name = "HOST:PORT", value_parser = listen::address, default_value = "127.0.0.1:8025")]
    listen: SocketAddr,
    /// Store notifications in this directory; without it, they are in memory only
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Maximum number of notifications; the oldest are dropped
    #[arg(long, value_name = "COUNT", default_value = "10000")]
    capacity: NonZeroUsize,
    /// Maximum size of the notifications in memory, in MiB; on disk up to twice that, and three times while the file is
    /// rewritten
    #[arg(long, value_name = "MIB", default_value = "64", value_parser = clap::value_parser!(u32).range(1..=4096))]
    capacity_mib: u32,
    /// Maximum body size of requests to /webhook and /heartbeat in MiB. Alertmanager sends all alerts of a group in one
    /// request
    #[arg(long, value_name = "MIB", default_value = "16", value_parser = clap::value_parser!(u32).range(1..=64))]
    webhook_mib: u32,
    /// Listen address for mail by SMTP; AUTH is required, but any user and password are accepted
    #[arg(long, value_name = "HOST:PORT", value_parser = listen::address, default_value = "127.0.0.1:1025", conflicts_with = "no_smtp")]
    smtp: SocketAddr,
    /// Accept no mail
    #[arg(long)]
    no_smtp: bool,
    /// Report that the heartbeat (posted to /heartbeat) has stopped after this time without one
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = limit)]
    heartbeat_limit: std::time::Duration,
    /// Export the last proofs in this directory at /metrics/drills
    #[arg(long, env = "PROOFS_DIR", value_name = "DIR")]
    proofs: Option<PathBuf>,
    /// Also respond under this host name; repeatable. IP addresses, localhost and host.docker.internal are
    /// always allowed. Receivers accept notifications under any host name
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<HostName>,
    /// Show the alerts, silences and routes of the Alertmanager at this URL on the page /status
    #[arg(long, value_name = "URL", value_parser = Discreet(address::parse, address::redacted))]
    alertmanager: Option<url::Url>,
    /// Serve the runbooks ALERTNAME.md in this directory at /runbooks/ALERTNAME
    #[arg(long, value_name = "DIR")]
    runbooks: Option<PathBuf>,
}

/// Parses a positive duration.
fn limit(text: &str) -> Result<std::time::Duration, String> {
    match common::duration::parse(text)? {
        std::time::Duration::ZERO => Err("must be above 0s, such as 5m".to_owned()),
        limit => Ok(limit),
    }
}

/// Runs the command and returns the exit code.
#[must_use]
pub fn main(args: Args) -> u8 {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(exit::FAILED, &format!("cannot start the runtime: {error}")),
    };
    match runtime.block_on(run(args)) {
        Ok(()) => exit::FINE,
        Err((code, reason)) => fail(code, &reason),
    }
}

async fn run(args: Args) -> Result<(), (u8, String)> {
    let broken = |error: io::Error| (exit::FAILED, error.to_string());
    let usage = |error: common::Error| (exit::USAGE, error.to_string());
    // Installed before the port is open, as a supervisor may send a signal once it is.
    let mut signals = Signals::install().map_err(broken)?;
    let listener = listen::bind(args.listen, "--listen").map_err(usage)?;
    let address = listener.local_addr().map_err(broken)?;
    let stop = async move { _ = signals.wait().await };
    let smtp = match args.no_smtp {
        true => None,
        false => Some(listen::bind(args.smtp, "--smtp").map_err(usage)?),
    };
    let config = Config {
        limits: Limits { count: args.capacity.get(), bytes: (args.capacity_mib as usize) << 20 },
        data_dir: args.data_dir,
        heartbeat_limit: args.heartbeat_limit,
        proofs: args.proofs,
        allowed_hosts: AllowedHosts::new(args.allow_host),
        runbooks: args.runbooks,
    };
    let failed = |error: InboxError| match error {
        InboxError::Journal(_) => (exit::USAGE, error.to_string()),
        InboxError::Server(_) => (exit::FAILED, error.to_string()),
    };
    let alertmanager = args.alertmanager.map(|url| Alertmanager::new(&url, &HttpConfig::default()));
    let alertmanager = alertmanager.transpose().map_err(|error| (exit::USAGE, error.to_string()))?;
    let inbox = Inbox::open(&config).map_err(failed)?.with_webhook_limit((args.webhook_mib as usize) << 20);
    let inbox = match alertmanager {
        Some(alertmanager) => inbox.showing(alertmanager),
        None => inbox,
    };
    console::result(&format!("inbox on http://{address}\n"));
    inbox.serve(listener, smtp, stop).await.map_err(failed)
}

fn fail(code: u8, reason: &str) -> u8 {
    console::error(reason);
    code
}
