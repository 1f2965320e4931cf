//! Settings: flags and environment variables through clap, grouped by topic.

mod access;
mod admin;
mod connections;
mod error;
mod faults;
mod limits;
mod logs;
mod models;
mod secret;
mod server;
mod storage;
mod tls;
mod traces;
mod value;

pub use access::AccessSettings;
pub use admin::AdminSettings;
pub use connections::ConnectionSettings;
pub use error::SettingError;
pub use faults::FaultSettings;
pub use limits::LimitSettings;
pub use logs::{LogFormat, LogLevel, LogSettings};
pub use models::ModelSettings;
pub use secret::Secret;
pub use server::ServerSettings;
pub use storage::{Retention, StorageSettings};
pub use tls::TlsSettings;
pub use traces::{OtlpEndpoint, TraceSettings};
pub use value::ValueError;

/// Every setting of the gateway. A flag overrides its environment variable.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "api",
    version,
    about = "The Firedrill gateway: users, health, slow and error endpoints, metrics and rate limits"
)]
pub struct Config {
    /// Listening, workers, shutdown.
    #[command(flatten)]
    pub server: ServerSettings,
    /// The admin listener.
    #[command(flatten)]
    pub admin: AdminSettings,
    /// Limits on injected faults.
    #[command(flatten)]
    pub faults: FaultSettings,
    /// Limits on connections.
    #[command(flatten)]
    pub connections: ConnectionSettings,
    /// HTTPS.
    #[command(flatten)]
    pub tls: TlsSettings,
    /// Access control.
    #[command(flatten)]
    pub access: AccessSettings,
    /// Storage.
    #[command(flatten)]
    pub storage: StorageSettings,
    /// Rate limits and their Redis.
    #[command(flatten)]
    pub limits: LimitSettings,
    /// Models and inference.
    #[command(flatten)]
    pub models: ModelSettings,
    /// Logging.
    #[command(flatten)]
    pub logs: LogSettings,
    /// Traces.
    #[command(flatten)]
    pub traces: TraceSettings,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::time::Duration;

    fn refusal(args: &[&str]) -> String {
        let error = Config::try_parse_from([&["api"], args].concat()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    #[test]
    fn defaults_need_no_environment() {
        let config = Config::try_parse_from(["api"]).unwrap();
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.admin.admin_listen.to_string(), "127.0.0.1:8001");
        assert_eq!(config.faults.memory_alert_bytes, 7_000_000_000);
        assert_eq!(config.storage.database_url, "sqlite://firedrill.db");
        assert_eq!(config.limits.redis_deadline, Duration::from_millis(10));
        assert_eq!(config.limits.redis_key_prefix, "firedrill:");
    }

    #[test]
    fn errors_name_the_variable_the_value_and_what_is_expected() {
        for (args, needles) in [
            (&["--listen", "8000"][..], ["LISTEN", "'8000'", "127.0.0.1:8000"]),
            (&["--admin-listen", "8001"], ["ADMIN_LISTEN", "'8001'", "127.0.0.1:8000"]),
            (&["--fault-max-ttl", "0s"], ["FAULT_MAX_TTL", "'0s'", "above 0s"]),
            (&["--fault-max-memory", "lots"], ["FAULT_MAX_MEMORY", "'lots'", "500MB"]),
            (&["--memory-alert-bytes", "0"], ["MEMORY_ALERT_BYTES", "'0'", "500MB"]),
            (&["--workers", "0"], ["WORKERS", "'0'", "1 to 512"]),
            (&["--log-level", "loud"], ["LOG_LEVEL", "'loud'", "info"]),
            (&["--drain-delay", "5"], ["DRAIN_DELAY", "'5'", "250ms"]),
            (&["--redis-deadline", "0s"], ["REDIS_DEADLINE", "'0s'", "above 0s"]),
            (&["--inference-workers", "0"], ["INFERENCE_WORKERS", "'0'", "1 to 256"]),
            (&["--inference-queue", "0"], ["INFERENCE_QUEUE", "'0'", "1 to 100000"]),
            (&["--inference-deadline", "0s"], ["INFERENCE_DEADLINE", "'0s'", "above 0s"]),
            (&["--readings-retention", "0s"], ["READINGS_RETENTION", "'0s'", "30d, or forever"]),
            (&["--model-load-timeout", "0s"], ["MODEL_LOAD_TIMEOUT", "'0s'", "above 0s"]),
            (&["--redis-key-prefix", "a{b"], ["REDIS_KEY_PREFIX", "'a{b'", "braces"]),
            (
                &["--otlp-endpoint", "x:4318"],
                ["OTEL_EXPORTER_OTLP_ENDPOINT", "'x:4318'", "http://127.0.0.1:4318"],
            ),
            (&["--otel-traces-sampler-arg", "2"], ["OTEL_TRACES_SAMPLER_ARG", "'2'", "0 to 1"]),
        ] {
            let message = refusal(args);
            for needle in needles {
                assert!(message.contains(needle), "{needle} not in: {message}");
            }
        }
    }
}
