use std::{net::SocketAddr, time::Duration};

/// Listening, workers and shutdown.
#[derive(Debug, Clone, clap::Args)]
pub struct ServerSettings {
    /// Address and port of the public listener
    #[arg(long, env = "LISTEN", value_name = "LISTEN", default_value = "127.0.0.1:8000", value_parser = address)]
    pub listen: SocketAddr,

    /// Worker threads, 1 to 512 [default: one per core]
    #[arg(long, env = "WORKERS", value_name = "WORKERS", value_parser = workers)]
    pub workers: Option<usize>,

    /// How long to go on serving after SIGTERM while /readyz says 503
    #[arg(long, env = "DRAIN_DELAY", value_name = "DRAIN_DELAY", default_value = "1s", value_parser = super::value::duration)]
    pub drain_delay: Duration,

    /// How long requests in flight may take to finish once the drain delay is over
    #[arg(
        long,
        env = "SHUTDOWN_TIMEOUT",
        value_name = "SHUTDOWN_TIMEOUT",
        default_value = "30s",
        value_parser = super::value::duration
    )]
    pub shutdown_timeout: Duration,
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| "expected ADDRESS:PORT such as 127.0.0.1:8000 or [::1]:8000".to_owned())
}

fn workers(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(count @ 1..=512) => Ok(count),
        _ => Err("expected a whole number from 1 to 512".to_owned()),
    }
}
