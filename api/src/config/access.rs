use super::{Secret, SettingError};
use crate::access::{Origins, TrustedProxies};
use std::path::{Path, PathBuf};

/// Who is let in.
#[derive(Debug, Clone, clap::Args)]
pub struct AccessSettings {
    /// TOML file of API keys: name, hash and plan of each; `api hash-key` makes its lines
    #[arg(long, env = "API_KEYS_FILE", value_name = "API_KEYS_FILE", value_parser = super::path)]
    pub api_keys_file: Option<PathBuf>,

    /// Requests that need an API key; probes, /metrics and OPTIONS never do
    #[arg(long, env = "REQUIRE_API_KEY", value_name = "REQUIRE_API_KEY", default_value = "none")]
    pub require_api_key: RequireKey,

    /// Proxies whose X-Forwarded-For is believed: addresses and networks, comma-separated
    #[arg(
        long,
        env = "TRUSTED_PROXIES",
        value_name = "TRUSTED_PROXIES",
        default_value = "",
        hide_default_value = true
    )]
    pub trusted_proxies: TrustedProxies,

    /// Bearer token that the public /metrics demands
    #[arg(long, env = "METRICS_TOKEN", value_name = "METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<Secret>,

    /// Origins whose pages may call, comma-separated, such as https://app.example.com; or * for all
    #[arg(
        long,
        env = "CORS_ORIGINS",
        value_name = "CORS_ORIGINS",
        default_value = "",
        hide_default_value = true
    )]
    pub cors_origins: Origins,
}

/// Requests that need an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RequireKey {
    /// None; a key that is sent must be a known one.
    None,
    /// POST, PUT, PATCH and DELETE.
    Writes,
    /// All.
    All,
}

impl AccessSettings {
    /// The token of `/metrics`, an empty variable counting as unset.
    ///
    /// # Errors
    /// [`SettingError`], without the token, when it cannot be sent in a header.
    pub fn metrics_token(&self) -> Result<Option<&str>, SettingError> {
        let token = self.metrics_token.as_ref().and_then(Secret::given);
        if token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(SettingError {
                variable: "METRICS_TOKEN",
                value: "…".to_owned(),
                reason: "holds characters that a bearer token cannot have".to_owned(),
                remedy: "use visible ASCII without spaces, such as the output of `openssl rand -hex 24`",
            });
        }
        Ok(token)
    }

    /// The keys file, an empty variable counting as unset.
    pub fn keys_file(&self) -> Option<&Path> {
        self.api_keys_file.as_deref().filter(|path| !path.as_os_str().is_empty())
    }
}
