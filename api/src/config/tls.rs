use super::{error::SettingError, value};
use std::path::{Path, PathBuf};

/// HTTPS.
#[derive(Debug, Clone, clap::Args)]
pub struct TlsSettings {
    /// PEM file of the certificate and its chain, reloaded on SIGHUP; with TLS_KEY it enables HTTPS and HTTP/2 on the
    /// public listener
    #[arg(long, env, value_parser = super::value::path)]
    pub tls_cert: Option<PathBuf>,

    /// PEM file of the certificate's private key, reloaded on SIGHUP
    #[arg(long, env, value_parser = super::value::path)]
    pub tls_key: Option<PathBuf>,
}

impl TlsSettings {
    /// Certificate and key; an empty variable counts as unset. `None` when both are unset.
    ///
    /// # Errors
    /// [`SettingError`] when only one is set.
    pub fn files(&self) -> Result<Option<(&Path, &Path)>, SettingError> {
        let alone = |variable, path: &Path, other| SettingError {
            variable,
            value: path.display().to_string(),
            reason: format!("is set without {other}"),
            remedy: "set both for HTTPS, or neither for HTTP",
        };
        match (value::given(&self.tls_cert), value::given(&self.tls_key)) {
            (Some(cert), Some(key)) => Ok(Some((cert, key))),
            (Some(cert), None) => Err(alone("TLS_CERT", cert, "TLS_KEY")),
            (None, Some(key)) => Err(alone("TLS_KEY", key, "TLS_CERT")),
            (None, None) => Ok(None),
        }
    }
}
