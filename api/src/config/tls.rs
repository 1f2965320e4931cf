use super::error::SettingError;
use std::path::{Path, PathBuf};

/// HTTPS.
#[derive(Debug, Clone, clap::Args)]
pub struct TlsSettings {
    /// PEM file of the certificate and its chain; with TLS_KEY the public listener speaks HTTPS and HTTP/2
    #[arg(long, env = "TLS_CERT", value_name = "TLS_CERT", value_parser = super::value::path)]
    pub tls_cert: Option<PathBuf>,

    /// PEM file of the certificate's private key
    #[arg(long, env = "TLS_KEY", value_name = "TLS_KEY", value_parser = super::value::path)]
    pub tls_key: Option<PathBuf>,
}

impl TlsSettings {
    /// Certificate and key, an empty variable counting as unset; `None` without either.
    ///
    /// # Errors
    /// [`SettingError`] when one is given without the other.
    pub fn files(&self) -> Result<Option<(&Path, &Path)>, SettingError> {
        let alone = |variable, path: &Path, other| SettingError {
            variable,
            value: path.display().to_string(),
            reason: format!("is given without {other}"),
            remedy: "name both PEM files for HTTPS, or neither for HTTP",
        };
        match (given(&self.tls_cert), given(&self.tls_key)) {
            (Some(cert), Some(key)) => Ok(Some((cert, key))),
            (Some(cert), None) => Err(alone("TLS_CERT", cert, "TLS_KEY")),
            (None, Some(key)) => Err(alone("TLS_KEY", key, "TLS_CERT")),
            (None, None) => Ok(None),
        }
    }
}

fn given(path: &Option<PathBuf>) -> Option<&Path> {
    path.as_deref().filter(|path| !path.as_os_str().is_empty())
}
