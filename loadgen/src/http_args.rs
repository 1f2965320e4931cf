//! Connection arguments shared by the subcommands that call Prometheus or Alertmanager.

use std::path::{Path, PathBuf};

use crate::discreet::Discreet;
use clients::{Header, HeaderConfig, HttpConfig, Reason};
use common::tls::{Identity, Trust};

/// Arguments for an [`HttpConfig`].
#[derive(Debug, Clone, Default, clap::Args)]
pub struct HttpArgs {
    /// Trust the certificates in this file instead of the system's
    #[arg(long, env = "CACERT_FILE", value_name = "FILE.pem")]
    cacert: Option<PathBuf>,
    /// Present the client certificate in this file; its key is in --key
    #[arg(long, env = "CERT_FILE", value_name = "FILE.pem", requires = "key")]
    cert: Option<PathBuf>,
    /// Private key of the client certificate
    #[arg(long, env = "KEY_FILE", value_name = "FILE.pem", requires = "cert")]
    key: Option<PathBuf>,
    /// Send this header to Prometheus and Alertmanager, such as 'X-Scope-OrgID: team'; repeatable
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = HEADER)]
    headers: Vec<Header>,
    /// Send the headers in this file, one per line, to Prometheus and Alertmanager; it is read for every call
    #[arg(long, env = "HEADER_FILE", value_name = "FILE")]
    header_file: Option<PathBuf>,
    /// Send the bearer token in this file to Prometheus and Alertmanager; it is read for every call. Set user and
    /// password in the address: https://USER:PASSWORD@HOST
    #[arg(long, env = "BEARER_TOKEN_FILE", value_name = "FILE")]
    bearer_token_file: Option<PathBuf>,
}

/// A header may contain a secret, which errors must not show.
const HEADER: Discreet<Header, Reason> = Discreet(header, name);

fn header(text: &str) -> Result<Header, Reason> {
    text.parse()
}

fn name(text: &str) -> String {
    text.split_once(':').map_or_else(|| "…".to_owned(), |(name, _)| format!("{name}: …"))
}

/// The absolute path, which is valid in every directory.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl HttpArgs {
    /// The configuration with absolute paths, so that a later run from another directory can read it.
    #[must_use]
    pub fn config(&self) -> HttpConfig {
        HttpConfig {
            trust: self.cacert.as_ref().map_or(Trust::System, |file| Trust::File(absolute(file))),
            identity: self
                .cert
                .as_deref()
                .zip(self.key.as_deref())
                .map(|(cert, key)| Identity { cert: absolute(cert), key: absolute(key) }),
            headers: HeaderConfig {
                given: self.headers.clone(),
                file: self.header_file.as_deref().map(absolute),
            },
            bearer_token_file: self.bearer_token_file.as_deref().map(absolute),
            admin_token_file: None,
        }
    }
}
