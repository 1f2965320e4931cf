use std::time::Duration;

/// Bounds of the fault plane, and the limit of memory that its alert compares with.
#[derive(Debug, Clone, clap::Args)]
pub struct FaultSettings {
    /// Longest time to live of a fault
    #[arg(
        long,
        env = "FAULT_MAX_TTL",
        value_name = "FAULT_MAX_TTL",
        default_value = "1h",
        value_parser = super::value::positive_duration
    )]
    pub fault_max_ttl: Duration,

    /// Most memory that faults may hold together
    #[arg(
        long,
        env = "FAULT_MAX_MEMORY",
        value_name = "FAULT_MAX_MEMORY",
        default_value = "2GB",
        value_parser = crate::bytes::parse
    )]
    pub fault_max_memory: u64,

    /// Resident memory above which HighMemoryUsage is to fire; exported as app_memory_alert_bytes
    #[arg(
        long,
        env = "MEMORY_ALERT_BYTES",
        value_name = "MEMORY_ALERT_BYTES",
        default_value = "7GB",
        value_parser = crate::bytes::parse
    )]
    pub memory_alert_bytes: u64,
}
