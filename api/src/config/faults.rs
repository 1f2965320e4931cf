use std::time::Duration;

/// Limits on injected faults, and the memory threshold of HighMemoryUsage.
#[derive(Debug, Clone, clap::Args)]
pub struct FaultSettings {
    /// Serve /slow, /error, /update and /cpu, the endpoints that trigger alerts
    #[arg(long, env, default_value_t = true, action = clap::ArgAction::Set)]
    pub test_endpoints: bool,

    /// Maximum time to live of a fault
    #[arg(long, env, default_value = "1h", value_parser = super::value::positive_duration)]
    pub fault_max_ttl: Duration,

    /// Maximum memory held by all faults together
    #[arg(long, env, default_value = "2GB", value_parser = crate::bytes::parse)]
    pub fault_max_memory: u64,

    /// Resident memory above which HighMemoryUsage fires; exported as app_memory_alert_bytes
    #[arg(long, env, default_value = "7GB", value_parser = crate::bytes::parse)]
    pub memory_alert_bytes: u64,
}
