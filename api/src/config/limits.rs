use std::{path::PathBuf, time::Duration};

/// Rate limits and their Redis.
#[derive(Debug, Clone, clap::Args)]
pub struct LimitSettings {
    /// TOML file of rate limit policies, read again on SIGHUP [default: 100/s, burst 200, per client]
    #[arg(long, env = "RATE_LIMITS_FILE", value_name = "RATE_LIMITS_FILE", value_parser = super::value::path)]
    pub rate_limits_file: Option<PathBuf>,

    /// Most debts of clients held in memory; at the cap new clients share one
    #[arg(
        long,
        env = "RATE_LIMIT_KEYS",
        value_name = "RATE_LIMIT_KEYS",
        default_value = "200000",
        value_parser = keys
    )]
    pub rate_limit_keys: usize,

    /// Redis that several gateways share their limits in: redis://, redis+sentinel://HOST,HOST/SERVICE or
    /// redis+cluster://HOST,HOST; without it limits are counted in this process
    #[arg(long, env = "REDIS_URL", value_name = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,

    /// Longest a request waits for Redis's decision before each policy's `without_redis` decides
    #[arg(
        long,
        env = "REDIS_DEADLINE",
        value_name = "REDIS_DEADLINE",
        default_value = "10ms",
        value_parser = super::value::positive_duration
    )]
    pub redis_deadline: Duration,

    /// Start of every key this gateway writes; gateways with the same prefix share their limits
    #[arg(
        long,
        env = "REDIS_KEY_PREFIX",
        value_name = "REDIS_KEY_PREFIX",
        default_value = "firedrill:",
        value_parser = prefix
    )]
    pub redis_key_prefix: String,
}

impl LimitSettings {
    /// The policy file, an empty variable counting as unset, as compose files write it.
    pub fn file(&self) -> Option<&PathBuf> {
        self.rate_limits_file.as_ref().filter(|path| !path.as_os_str().is_empty())
    }

    /// The Redis URL, an empty variable counting as unset.
    pub fn redis(&self) -> Option<&str> {
        self.redis_url.as_deref().map(str::trim).filter(|url| !url.is_empty())
    }
}

fn keys(text: &str) -> Result<usize, String> {
    super::value::whole(text, 1, 100_000_000)
}

fn prefix(text: &str) -> Result<String, String> {
    // Braces would move the hash tag, and with it the keys of one request to different cluster slots.
    if text.contains(['{', '}']) || text.contains(char::is_whitespace) {
        return Err("expected text without braces or spaces, such as firedrill:".to_owned());
    }
    Ok(text.to_owned())
}
