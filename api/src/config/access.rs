use super::{error::SettingError, secret::Secret};
use crate::access::{
    address::TrustedProxies,
    identify::{RequireKey, Settings},
    origins::Origins,
};
use std::path::PathBuf;

/// Who is let in.
#[derive(Debug, Clone, clap::Args)]
pub struct AccessSettings {
    /// TOML file of API keys: name, hash and plan of each; `api hash-key` makes its lines
    #[arg(long, env = "API_KEYS_FILE", value_name = "API_KEYS_FILE", value_parser = super::value::path)]
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

impl AccessSettings {
    /// The settings of access itself, empty variables counting as unset.
    ///
    /// # Errors
    /// [`SettingError`] when keys are required and there are none, or when the token cannot be sent in a header; without
    /// the token.
    pub fn settings(&self) -> Result<Settings, SettingError> {
        let keys_file = self.api_keys_file.clone().filter(|path| !path.as_os_str().is_empty());
        if keys_file.is_none() && self.require_api_key != RequireKey::None {
            return Err(SettingError {
                variable: "REQUIRE_API_KEY",
                value: format!("{:?}", self.require_api_key).to_lowercase(),
                reason: "there are no keys, so nobody could get in".to_owned(),
                remedy: "name a file of keys with API_KEYS_FILE, or say none",
            });
        }
        let metrics_token = self.metrics_token.as_ref().and_then(Secret::given);
        if metrics_token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(SettingError {
                variable: "METRICS_TOKEN",
                value: "…".to_owned(),
                reason: "holds characters that a bearer token cannot have".to_owned(),
                remedy: "use visible ASCII without spaces, such as the output of `openssl rand -hex 24`",
            });
        }
        Ok(Settings {
            keys_file,
            require: self.require_api_key,
            proxies: self.trusted_proxies.clone(),
            metrics_token: metrics_token.map(str::to_owned),
            origins: self.cors_origins.clone(),
        })
    }
}
