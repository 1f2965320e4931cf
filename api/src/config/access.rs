use super::{error::SettingError, secret::Secret};
use crate::access::{
    address::TrustedProxies,
    country::CountryHeader,
    identify::{MayUnload, RequireKey, Settings},
    origins::Origins,
};
use std::path::PathBuf;

/// Access control.
#[derive(Debug, Clone, clap::Args)]
pub struct AccessSettings {
    /// TOML file of API keys with the name, hash and plan of each, reloaded on SIGHUP; `api hash-key` creates an entry
    #[arg(long, env, value_parser = super::value::path)]
    pub api_keys_file: Option<PathBuf>,

    /// Requests that need an API key; probes, /metrics and OPTIONS never need one
    #[arg(long, env, default_value = "none")]
    pub require_api_key: RequireKey,

    /// Who may unload models: keys for requests with an API key, or anyone
    #[arg(long, env, default_value = "keys")]
    pub unload_models: MayUnload,

    /// Proxies whose X-Forwarded-For is trusted: addresses and networks, comma-separated
    #[arg(long, env, default_value = "", hide_default_value = true)]
    pub trusted_proxies: TrustedProxies,

    /// Bearer token required by the public /metrics
    #[arg(long, env, hide_env_values = true)]
    pub metrics_token: Option<Secret>,

    /// Origins whose pages may call the API, comma-separated, such as https://app.example.com; * allows all
    #[arg(long, env, default_value = "", hide_default_value = true)]
    pub cors_origins: Origins,

    /// Header in which a trusted proxy names the client's country, such as CF-IPCountry, to count requests by country
    #[arg(long, env, default_value = "", hide_default_value = true)]
    pub country_header: CountryHeader,
}

impl AccessSettings {
    /// The settings of access control; an empty variable counts as unset.
    ///
    /// # Errors
    /// [`SettingError`] when keys are required but none are configured, when countries would be counted without a trusted
    /// proxy, or when the token cannot be sent in a header. The error does not contain the token.
    pub fn settings(&self) -> Result<Settings, SettingError> {
        let keys_file = self.api_keys_file.clone().filter(|path| !path.as_os_str().is_empty());
        if keys_file.is_none() && self.require_api_key != RequireKey::None {
            return Err(SettingError {
                variable: "REQUIRE_API_KEY",
                value: format!("{:?}", self.require_api_key).to_lowercase(),
                reason: "no API keys are configured, so every request would be refused".to_owned(),
                remedy: "set API_KEYS_FILE to a key file, or set REQUIRE_API_KEY=none",
            });
        }
        let metrics_token = self.metrics_token.as_ref().and_then(Secret::given);
        if metrics_token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(SettingError {
                variable: "METRICS_TOKEN",
                value: "…".to_owned(),
                reason: "contains characters that are invalid in a bearer token".to_owned(),
                remedy: "use visible ASCII without spaces, such as the output of `openssl rand -hex 24`",
            });
        }
        if self.country_header.is_given() && self.trusted_proxies.is_empty() {
            return Err(SettingError {
                variable: "COUNTRY_HEADER",
                value: self.country_header.to_string(),
                reason: "no proxy is trusted, so any client could set the header".to_owned(),
                remedy: "set TRUSTED_PROXIES to the addresses of the proxy that sets the header",
            });
        }
        Ok(Settings {
            keys_file,
            require: self.require_api_key,
            unload: self.unload_models,
            proxies: self.trusted_proxies.clone(),
            metrics_token: metrics_token.map(str::to_owned),
            origins: self.cors_origins.clone(),
            country: self.country_header.clone(),
        })
    }
}
