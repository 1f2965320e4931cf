//! What can be wrong with a value, an address or a certificate, in words for whoever gave it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A value or setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not in Prometheus's notation.
    #[error("`{0}` is not a duration: expected a number and a unit, such as 250ms, 15s, 2m or 1h30m")]
    Duration(String),
    /// No positive number.
    #[error("`{0}` is not a rate: expected a positive number of requests per second")]
    RateNumber(f64),
    /// No rate in text.
    #[error("`{0}` is not a rate: expected requests per time, such as 40/s, 90/m or 0.5/s")]
    Rate(String),
    /// No address to listen on.
    #[error(
        "`{0}` is not an address to listen on: expected an IP address and a port, such as 127.0.0.1:9464, \
         localhost:9464 or :9464"
    )]
    Address(String),
    /// Another process listens there.
    #[error("port {port} is taken{owner}: stop it, or choose another with {flag} HOST:PORT")]
    PortTaken {
        /// The port.
        port: u16,
        /// ` by NAME (pid PID)`, where that is known.
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
        /// What the system says.
        error: io::Error,
    },
    /// `--cacert` names no file of certificates.
    #[error("--cacert {}: {reason}; expected a PEM file", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody would be trusted.
    #[error("this system has no trusted certificates: install ca-certificates, or give --cacert FILE.pem")]
    NoCertificates,
    /// The TLS library does not support what it is asked for.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// For functions that put the words into an error of their own.
impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.to_string()
    }
}
