use super::value;
use std::time::Duration;

/// Limits on connections.
#[derive(Debug, Clone, clap::Args)]
pub struct ConnectionSettings {
    /// Connections served at once, 16 to 1000000; for a further one the longest idle one is closed
    #[arg(
        long,
        env,
        default_value = "20000",
        value_parser = |text: &str| value::integer(text, 16_u32, 1_000_000)
    )]
    pub max_connections: u32,

    /// Connections of one address at once, or of one IPv6 network of 64 bits; addresses in TRUSTED_PROXIES have no such
    /// limit [default: half of MAX_CONNECTIONS]
    #[arg(long, env, value_parser = |text: &str| value::integer(text, 1_u32, 1_000_000))]
    pub max_connections_per_address: Option<u32>,

    /// Connections that may wait to be accepted, 16 to 65535; the system's limit (somaxconn) also applies
    #[arg(long, env, default_value = "1024", value_parser = |text: &str| value::integer(text, 16_u32, 65_535))]
    pub backlog: u32,

    /// Maximum idle time of a connection between requests
    #[arg(long, env, default_value = "75s", value_parser = value::positive_duration)]
    pub keep_alive: Duration,

    /// Maximum time to receive a request's head, and for a TLS handshake
    #[arg(long, env, default_value = "5s", value_parser = value::positive_duration)]
    pub request_head_timeout: Duration,

    /// Maximum time to receive a request's body
    #[arg(long, env, default_value = "30s", value_parser = value::positive_duration)]
    pub request_body_timeout: Duration,

    /// Memory for request bodies at once, not counting the first 16 KiB of each; a body beyond that gets 503
    #[arg(long, env, default_value = "64MB", value_parser = crate::bytes::parse)]
    pub body_memory: u64,

    /// Maximum time without progress while a client reads a response
    #[arg(long, env, default_value = "30s", value_parser = value::positive_duration)]
    pub write_timeout: Duration,
}

impl ConnectionSettings {
    /// Connections of one address, where `served` are served at once.
    pub(crate) fn of_address(&self, served: usize) -> usize {
        self.max_connections_per_address.map_or(served / 2, |most| most as usize)
    }
}
