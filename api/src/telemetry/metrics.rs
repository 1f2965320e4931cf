//! The gateway's own metrics.

use super::declare::metrics;
use prometheus::{Gauge, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

/// Seconds. A decision in memory takes microseconds, one through Redis at most the deadline of about 10 ms.
const CHECK_BUCKETS: &[f64] =
    &[0.000_01, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1];

metrics! {
    /// The gateway's own metrics. Those of HTTP requests are in `HttpMetrics`.
    pub struct Metrics {
        /// HTTP requests in progress.
        pub in_progress: IntGaugeVec = "http_requests_in_progress" ["method", "route"];
        /// Connections closed because there was no room, by limit: `idle` for another one, `address` by the limit per address.
        pub connections_closed: IntCounterVec = "http_connections_closed_total" ["reason"];
        /// Error responses by kind of error.
        pub errors: IntCounterVec = "api_errors_total" ["error_type"];
        /// Active users as set through /update.
        pub active_users: IntGauge = "app_active_users" [];
        /// CPU usage in percent as set through /cpu.
        pub cpu_usage: Gauge = "app_cpu_usage_percent" [];
        /// Users created.
        pub users_registered: IntCounter = "users_registered_total" [];
        /// Requests, without probes, by the client's country as a trusted proxy names it.
        pub by_country: IntCounterVec = "requests_by_country_total" ["country"];
        /// Resident memory in bytes above which HighMemoryUsage fires (setting MEMORY_ALERT_BYTES).
        pub memory_alert: IntGauge = "app_memory_alert_bytes" [];
        /// Injected faults: affected requests, and for memory and pause the number of starts.
        pub faults_injected: IntCounterVec = "faults_injected_total" ["fault", "kind"];
        /// Constant 1, with the running version and revision as labels.
        pub build_info: IntGaugeVec = "app_build_info" ["version", "revision"];
        /// Rate limit decisions by outcome, policy and deciding backend.
        pub limit_decisions: IntCounterVec = "rate_limit_decisions_total" ["decision", "policy", "backend"];
        /// Requests refused by a rate limit policy.
        pub limit_hits: IntCounterVec = "rate_limit_hits_total" ["policy"];
        /// Duration of one rate limit decision in seconds by deciding backend.
        pub limit_check: HistogramVec = "rate_limit_check_duration_seconds" ["backend"] in CHECK_BUCKETS;
        /// Decisions that Redis could not make, by kind of error.
        pub limit_backend_errors: IntCounterVec = "rate_limit_backend_errors_total" ["kind"];
        /// 1 while Redis decides, 0 while the local limiter replaces it; absent when no Redis is configured.
        pub limit_backend_up: IntGaugeVec = "rate_limit_backend_up" [];
        /// Gateways sharing Redis at the last check, including this one; absent when no Redis is configured.
        pub limit_instances: IntGaugeVec = "rate_limit_instances" [];
        /// Keys in this process's memory: balances of the local limiter and cached refusals of Redis.
        pub limit_keys: IntGaugeVec = "rate_limit_keys" ["store"];
    }
}
