//! The `loadgen channels` command line.

use std::path::PathBuf;

use alerting::channels::{ChannelsError, Inbox, Settings, Sources, files};
use common::{console, exit};

/// Arguments of `loadgen channels`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory with alertmanager.yml, whose channels all lead to the inbox
    #[arg(value_name = "MONITORING_DIR")]
    dir: PathBuf,
    /// Directory to write alertmanager.yml, its templates and its secrets to; may be the same
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where Alertmanager will find that directory [default: DIR]
    #[arg(long, value_name = "DIR")]
    at: Option<PathBuf>,
    /// Take settings from the environment
    #[arg(long)]
    environment: bool,
    /// Take settings from lines of NAME=value; need not be there
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Take secrets from files there: slack_url, discord_url, pagerduty_routing_key, smtp_password
    #[arg(long, value_name = "DIR")]
    secrets: Option<PathBuf>,
    /// The inbox, as alertmanager.yml has it
    #[arg(long, value_name = "HOST:PORT", default_value = "inbox:8025")]
    inbox: String,
    /// The inbox's port for mail, as alertmanager.yml has it
    #[arg(long, value_name = "HOST:PORT", default_value = "inbox:1025")]
    inbox_smtp: String,
    /// Let every user read the secrets: Alertmanager is another one than this
    #[arg(long)]
    readable: bool,
}

/// Runs the command and gives the exit code.
#[must_use]
pub fn main(args: Args) -> u8 {
    match run(args) {
        Ok(settings) => {
            console::result(&format!("{}\n", said(&settings)));
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

/// Which channels lead where, without a secret.
fn said(settings: &Settings) -> String {
    let all = [
        ("Slack", settings.slack_url.is_some()),
        ("Discord", settings.discord_url.is_some()),
        ("PagerDuty", settings.pagerduty_key.is_some()),
        ("e-mail", settings.mail.is_some()),
    ];
    let of = |wanted: bool| {
        let names: Vec<&str> =
            all.iter().filter(|(_, outside)| *outside == wanted).map(|(name, _)| *name).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    format!("channels that lead outside: {}; to the inbox: {}", of(true), of(false))
}
