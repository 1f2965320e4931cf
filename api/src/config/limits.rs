use super::{
    error::SettingError,
    value::{self, ValueError},
};
use crate::pem;
use redis::{ClientTlsConfig, TlsCertificates};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Rate limits and their Redis.
#[derive(Debug, Clone, clap::Args)]
pub struct LimitSettings {
    /// TOML file of rate limit policies, reloaded on SIGHUP [default: 100/s, burst 200, per client]
    #[arg(long, env, value_parser = value::path)]
    pub rate_limits_file: Option<PathBuf>,

    /// Maximum number of client balances in memory; beyond that, new clients share one balance
    #[arg(
        long,
        env,
        default_value = "200000",
        value_parser = |text: &str| value::integer(text, 1_usize, 100_000_000)
    )]
    pub rate_limit_keys: usize,

    /// Redis in which several gateways share their limits: redis://, redis+sentinel://HOST,HOST/SERVICE or
    /// redis+cluster://HOST,HOST, with rediss over TLS; without it each gateway counts separately
    #[arg(long, env, hide_env_values = true)]
    pub redis_url: Option<String>,

    /// PEM file of the authorities that sign the certificates of Redis [default: the system's]
    #[arg(long, env, value_parser = value::path)]
    pub redis_tls_ca: Option<PathBuf>,

    /// PEM file of the certificate, and its chain, that the gateway shows to Redis
    #[arg(long, env, value_parser = value::path)]
    pub redis_tls_cert: Option<PathBuf>,

    /// PEM file of that certificate's private key
    #[arg(long, env, value_parser = value::path)]
    pub redis_tls_key: Option<PathBuf>,

    /// Maximum time a request waits for Redis before each policy's `without_redis` decides
    #[arg(long, env, default_value = "10ms", value_parser = value::positive_duration)]
    pub redis_deadline: Duration,

    /// Prefix of every key this gateway writes; gateways with the same prefix share their limits
    #[arg(long, env, default_value = "firedrill:", value_parser = prefix)]
    pub redis_key_prefix: String,
}

impl LimitSettings {
    /// The policy file; an empty variable counts as unset, as compose files write it.
    pub fn file(&self) -> Option<&PathBuf> {
        self.rate_limits_file.as_ref().filter(|path| !path.as_os_str().is_empty())
    }

    /// The Redis URL; an empty variable counts as unset.
    pub fn redis(&self) -> Option<&str> {
        self.redis_url.as_deref().map(str::trim).filter(|url| !url.is_empty())
    }

    /// The contents of the files for TLS; an empty variable counts as unset.
    ///
    /// # Errors
    /// [`SettingError`] naming the file that is unreadable or does not belong to the other, or the setting that is missing.
    pub fn redis_certificates(&self) -> Result<TlsCertificates, SettingError> {
        let files = [
            ("REDIS_TLS_CA", &self.redis_tls_ca),
            ("REDIS_TLS_CERT", &self.redis_tls_cert),
            ("REDIS_TLS_KEY", &self.redis_tls_key),
        ];
        let files = files.map(|(variable, path)| (variable, value::given(path)));
        let refusal = |variable, path: &Path, reason: &str, remedy| SettingError {
            variable,
            value: path.display().to_string(),
            reason: reason.to_owned(),
            remedy,
        };
        let encrypted = self.redis().is_some_and(|url| url.starts_with("rediss"));
        if let Some((variable, path)) = files.iter().find_map(|(variable, path)| Some((*variable, (*path)?)))
            && !encrypted
        {
            let remedy =
                "set REDIS_URL to rediss://…, rediss+sentinel://… or rediss+cluster://…, or unset it";
            return Err(refusal(variable, path, "is set, but REDIS_URL is not encrypted", remedy));
        }
        let [(_, ca), cert, key] = files;
        let root_cert = ca.map(|path| pem::authorities("REDIS_TLS_CA", path)).transpose()?;
        let both = "set both to show Redis a certificate, or neither";
        let client_tls = match (cert, key) {
            ((_, None), (_, None)) => None,
            ((variable, Some(path)), (_, None)) => {
                return Err(refusal(variable, path, "is set without REDIS_TLS_KEY", both));
            }
            ((_, None), (variable, Some(path))) => {
                return Err(refusal(variable, path, "is set without REDIS_TLS_CERT", both));
            }
            ((cert_variable, Some(cert)), (key_variable, Some(key))) => {
                pem::certified_key((cert_variable, cert), (key_variable, key))?;
                Some(ClientTlsConfig {
                    client_cert: pem::bytes(cert_variable, cert)?,
                    client_key: pem::bytes(key_variable, key)?,
                })
            }
        };
        Ok(TlsCertificates { client_tls, root_cert })
    }
}

fn prefix(text: &str) -> Result<String, ValueError> {
    // Braces would change the hash tag, and a request's keys would fall into different cluster slots.
    if text.contains(['{', '}']) || text.contains(char::is_whitespace) {
        return Err(ValueError::Prefix);
    }
    Ok(text.to_owned())
}
