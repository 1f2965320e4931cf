use std::time::Duration;

/// What one connection may take, and how many there may be.
#[derive(Debug, Clone, clap::Args)]
pub struct ConnectionSettings {
    /// Connections served at once, 16 to 1000000; further ones wait in the backlog
    #[arg(
        long,
        env = "MAX_CONNECTIONS",
        value_name = "MAX_CONNECTIONS",
        default_value = "20000",
        value_parser = clap::builder::ValueParser::from(|text: &str| count(text, 16, 1_000_000))
    )]
    pub max_connections: u32,

    /// Connections that may wait to be accepted, 16 to 65535; the system's own limit (somaxconn) applies too
    #[arg(
        long,
        env = "BACKLOG",
        value_name = "BACKLOG",
        default_value = "1024",
        value_parser = clap::builder::ValueParser::from(|text: &str| count(text, 16, 65_535))
    )]
    pub backlog: u32,

    /// How long a connection may idle between requests
    #[arg(
        long,
        env = "KEEP_ALIVE",
        value_name = "KEEP_ALIVE",
        default_value = "75s",
        value_parser = super::value::positive_duration
    )]
    pub keep_alive: Duration,

    /// How long a client may take to send a request's head, and for a TLS handshake
    #[arg(
        long,
        env = "REQUEST_HEAD_TIMEOUT",
        value_name = "REQUEST_HEAD_TIMEOUT",
        default_value = "5s",
        value_parser = super::value::positive_duration
    )]
    pub request_head_timeout: Duration,

    /// How long a client may take to send a request's body
    #[arg(
        long,
        env = "REQUEST_BODY_TIMEOUT",
        value_name = "REQUEST_BODY_TIMEOUT",
        default_value = "30s",
        value_parser = super::value::positive_duration
    )]
    pub request_body_timeout: Duration,

    /// How long a client may read nothing of an answer
    #[arg(
        long,
        env = "WRITE_TIMEOUT",
        value_name = "WRITE_TIMEOUT",
        default_value = "30s",
        value_parser = super::value::positive_duration
    )]
    pub write_timeout: Duration,
}

fn count(text: &str, least: u32, most: u32) -> Result<u32, String> {
    match text.trim().parse() {
        Ok(count) if (least..=most).contains(&count) => Ok(count),
        _ => Err(format!("expected a whole number from {least} to {most}")),
    }
}
