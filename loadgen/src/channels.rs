//! The `loadgen channels` command line.

use std::path::PathBuf;

use alerting::channels::{ChannelsError, Inbox, Settings, Sources, files};
use common::{console, exit};

/// Arguments of `loadgen channels`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory with an alertmanager.yml whose channels all point to the inbox
    #[arg(value_name = "MONITORING_DIR")]
    dir: PathBuf,
    /// Output directory for alertmanager.yml, templates and secrets; may be the same directory
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Path of the output directory as seen by Alertmanager [default: DIR]
    #[arg(long, value_name = "DIR")]
    at: Option<PathBuf>,
    /// Read settings from the environment
    #[arg(long)]
    environment: bool,
    /// Read settings from a file of NAME=value lines; a missing file is ignored
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Read secrets from files in this directory: slack_url, discord_url, pagerduty_routing_key, smtp_password
    #[arg(long, value_name = "DIR")]
    secrets: Option<PathBuf>,
    /// Address of the inbox in alertmanager.yml
    #[arg(long, value_name = "HOST:PORT", default_value = "inbox:8025")]
    inbox: String,
    /// SMTP address of the inbox in alertmanager.yml
    #[arg(long, value_name = "HOST:PORT", default_value = "inbox:1025")]
    inbox_smtp: String,
    /// Make secret files world-readable, for an Alertmanager that runs as another user
    #[arg(long)]
    readable: bool,
}

/// Runs the command and returns the exit code.
#[must_use]
pub fn main(args: Args) -> u8 {
    match run(args) {
        Ok(settings) => {
            console::result(&format!("{}\n", summary(&settings)));
            exit::FINE
        }
        Err(error) => {
            console::error(error);
            exit::USAGE
        }
    }
}

fn run(args: Args) -> Result<Settings, ChannelsError> {
    let Args { dir, out, at, environment, env_file, secrets, inbox, inbox_smtp, readable } = args;
    let settings = Settings::read(&Sources { secrets, environment, env_file })?;
    let inbox = Inbox { http: inbox, smtp: inbox_smtp };
    let at = at.unwrap_or_else(|| out.clone());
    files::write(&dir, &out, &at, &settings, &inbox, readable)?;
    Ok(settings)
}

/// Where each channel is routed, without secrets.
fn summary(settings: &Settings) -> String {
    let all = [
        ("Slack", settings.slack_url.is_some()),
        ("Discord", settings.discord_url.is_some()),
        ("PagerDuty", settings.pagerduty_key.is_some()),
        ("e-mail", settings.mail.is_some()),
    ];
    let of = |external: bool| {
        let names: Vec<&str> =
            all.iter().filter(|(_, configured)| *configured == external).map(|(name, _)| *name).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    format!("channels routed to external services: {}; to the inbox: {}", of(true), of(false))
}
