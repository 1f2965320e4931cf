//! The gateway's own metrics.

use super::declare::metrics;
use prometheus::{Gauge, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

/// Seconds; a decision in memory takes microseconds, one through Redis at most its deadline of some 10 ms.
const CHECK_BUCKETS: &[f64] =
    &[0.000_01, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1];

metrics! {
    /// The gateway's own metrics; those of HTTP requests are kept beside them.
    pub struct Metrics {
        /// Requests being handled now.
        pub in_progress: IntGaugeVec = "http_requests_in_progress" ["method", "route"];
        /// Answers that are errors, by kind of error.
        pub errors: IntCounterVec = "api_errors_total" ["error_type"];
        /// Active users, as set through /update.
        pub active_users: IntGauge = "app_active_users" [];
        /// CPU usage in percent, as set through /cpu.
        pub cpu_usage: Gauge = "app_cpu_usage_percent" [];
        /// Users created.
        pub users_registered: IntCounter = "users_registered_total" [];
        /// Resident memory in bytes above which HighMemoryUsage is to fire.
        pub memory_alert: IntGauge = "app_memory_alert_bytes" [];
        /// Faults injected on purpose: requests acted on, and for memory and pause times put in force.
        pub faults_injected: IntCounterVec = "faults_injected_total" ["fault", "kind"];
        /// Always 1; the labels say what is running.
        pub build_info: IntGaugeVec = "app_build_info" ["version", "revision"];
        /// Rate limit decisions, by outcome, policy and the backend that decided.
        pub limit_decisions: IntCounterVec = "rate_limit_decisions_total" ["decision", "policy", "backend"];
        /// Requests refused by a rate limit policy.
        pub limit_hits: IntCounterVec = "rate_limit_hits_total" ["policy"];
        /// Time one rate limit decision took, by the backend that decided.
        pub limit_check: HistogramVec = "rate_limit_check_duration_seconds" ["backend"] in CHECK_BUCKETS;
        /// Decisions Redis could not make, by what went wrong.
        pub limit_backend_errors: IntCounterVec = "rate_limit_backend_errors_total" ["kind"];
        /// 1 while Redis decides, 0 while the local limiter stands in for it; absent when no Redis is configured.
        pub limit_backend_up: IntGaugeVec = "rate_limit_backend_up" [];
        /// Gateways that shared Redis when it was last asked, this one included; absent when no Redis is configured.
        pub limit_instances: IntGaugeVec = "rate_limit_instances" [];
        /// Keys held in this process's memory: debts of the local limiter, refusals that Redis proved.
        pub limit_keys: IntGaugeVec = "rate_limit_keys" ["store"];
    }
}
