use super::value::{self, ValueError};
use std::{path::PathBuf, time::Duration};

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
    /// redis+cluster://HOST,HOST; without it each gateway counts separately
    #[arg(long, env, hide_env_values = true)]
    pub redis_url: Option<String>,

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
}

fn prefix(text: &str) -> Result<String, ValueError> {
    // Braces would change the hash tag, and a request's keys would fall into different cluster slots.
    if text.contains(['{', '}']) || text.contains(char::is_whitespace) {
        return Err(ValueError::Prefix);
    }
    Ok(text.to_owned())
}
