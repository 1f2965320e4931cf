//! Errors about values, addresses and certificates given by the user.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// An unusable value or setting.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Invalid duration.
    #[error("`{0}` is not a duration: expected a number and a unit, such as 250ms, 15s, 2m or 1h30m")]
    Duration(String),
    /// A duration beyond those of Prometheus.
    #[error("the duration `{0}` is too long: must be at most 292y, with numbers of at most 4294967295")]
    LongDuration(String),
    /// Invalid rate as a number.
    #[error("`{0}` is not a rate: expected a positive number of requests per second")]
    RateNumber(f64),
    /// Invalid rate as text.
    #[error("`{0}` is not a rate: expected requests per time, such as 40/s, 90/m or 0.5/s")]
    Rate(String),
    /// Invalid listen address.
    #[error(
        "`{0}` is not a listen address: expected an IP address and a port, such as 127.0.0.1:9464, \
         localhost:9464 or :9464"
    )]
    Address(String),
    /// Invalid host name.
    #[error("`{0}` is not a host name: expected a name without scheme and port, such as inbox.example.com")]
    HostName(String),
    /// The port is already in use.
    #[error(
        "port {port} is already in use{owner}: stop that process, or choose another port with {flag} HOST:PORT"
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// ` by NAME (pid PID)`, if known.
        owner: String,
        /// The flag to change.
        flag: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}; choose another address with {flag} HOST:PORT")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The flag to change.
        flag: String,
        /// The system's error.
        error: io::Error,
    },
    /// The file of `--cacert` cannot be used.
    #[error("--cacert {}: {reason}; expected a PEM file", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why it cannot be used.
        reason: String,
    },
    /// The file of `--cert` or `--key` cannot be used.
    #[error("{flag} {}: {reason}; expected a PEM file", path.display())]
    Identity {
        /// The flag.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it cannot be used.
        reason: String,
    },
    /// No trusted certificates.
    #[error("no trusted certificates on this system: install ca-certificates or use --cacert FILE.pem")]
    NoCertificates,
    /// The TLS library rejected the configuration.
    #[error("TLS setup failed: {0}")]
    Tls(#[from] rustls::Error),
}

/// For functions that use the message in their own error.
impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.to_string()
    }
}
