use super::value::{self, ValueError};
use std::{net::SocketAddr, time::Duration};

/// Listening, workers and shutdown.
#[derive(Debug, Clone, clap::Args)]
pub struct ServerSettings {
    /// Address and port of the public listener
    #[arg(long, env, default_value = "127.0.0.1:8000", value_parser = address)]
    pub listen: SocketAddr,

    /// Worker threads, 1 to 512 [default: one per core]
    #[arg(long, env, value_parser = |text: &str| value::integer(text, 1_usize, 512))]
    pub workers: Option<usize>,

    /// How long to keep serving after SIGTERM while /readyz responds 503
    #[arg(long, env, default_value = "1s", value_parser = value::duration)]
    pub drain_delay: Duration,

    /// How long requests in flight may take to finish after the drain delay
    #[arg(long, env, default_value = "30s", value_parser = value::duration)]
    pub shutdown_timeout: Duration,
}

pub(super) fn address(text: &str) -> Result<SocketAddr, ValueError> {
    text.trim().parse().map_err(|_| ValueError::Address)
}
