//! The gateway's own metrics. Each is a documented field; its comment is its HELP text.

use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// Seconds; a decision in memory takes microseconds, one through Redis at most its deadline of some 10 ms.
const CHECK_BUCKETS: &[f64] =
    &[0.000_01, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1];

/// What the macro below needs of a metric type.
trait Declare: prometheus::core::Collector + Clone + Sized + 'static {
    fn declare(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<Self>;
}

macro_rules! declare_plain {
    ($($kind:ty),*) => {$(
        impl Declare for $kind {
            fn declare(name: &str, help: &str, _labels: &[&str]) -> prometheus::Result<Self> {
                Self::with_opts(Opts::new(name, help))
            }
        }
    )*};
}
declare_plain!(IntCounter, IntGauge, Gauge);

macro_rules! declare_labelled {
    ($($kind:ty),*) => {$(
        impl Declare for $kind {
            fn declare(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<Self> {
                Self::new(Opts::new(name, help), labels)
            }
        }
    )*};
}
declare_labelled!(IntCounterVec, IntGaugeVec);

impl Declare for HistogramVec {
    fn declare(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<Self> {
        Self::new(HistogramOpts::new(name, help).buckets(CHECK_BUCKETS.to_vec()), labels)
    }
}

macro_rules! metrics {
    ($(#[doc = $help:literal] $field:ident: $kind:ident = $name:literal [$($label:literal),*];)*) => {
        /// The gateway's own metrics; those of HTTP requests are kept beside them.
        #[derive(Debug, Clone)]
        pub struct Metrics {
            $(#[doc = $help] pub $field: $kind,)*
        }

        impl Metrics {
            /// Declares every metric and registers it.
            ///
            /// # Errors
            /// When a name is registered twice.
            pub fn register(registry: &Registry) -> prometheus::Result<Self> {
                $(
                    let $field = $kind::declare($name, $help.trim(), &[$($label),*])?;
                    registry.register(Box::new($field.clone()))?;
                )*
                Ok(Self { $($field),* })
            }
        }
    };
}

metrics! {
    /// Requests being handled now.
    in_progress: IntGaugeVec = "http_requests_in_progress" ["method", "route"];
    /// Answers that are errors, by kind of error.
    errors: IntCounterVec = "api_errors_total" ["error_type"];
    /// Active users, as set through /update.
    active_users: IntGauge = "app_active_users" [];
    /// CPU usage in percent, as set through /cpu.
    cpu_usage: Gauge = "app_cpu_usage_percent" [];
    /// Users created.
    users_registered: IntCounter = "users_registered_total" [];
    /// Resident memory in bytes above which HighMemoryUsage is to fire.
    memory_alert: IntGauge = "app_memory_alert_bytes" [];
    /// Faults injected on purpose: requests acted on, and for memory and pause times put in force.
    faults_injected: IntCounterVec = "faults_injected_total" ["fault", "kind"];
    /// Always 1; the labels say what is running.
    build_info: IntGaugeVec = "app_build_info" ["version", "revision"];
    /// Rate limit decisions, by outcome, policy and the backend that decided.
    limit_decisions: IntCounterVec = "rate_limit_decisions_total" ["decision", "policy", "backend"];
    /// Requests refused by a rate limit policy.
    limit_hits: IntCounterVec = "rate_limit_hits_total" ["policy"];
    /// Time one rate limit decision took, by the backend that decided.
    limit_check: HistogramVec = "rate_limit_check_duration_seconds" ["backend"];
    /// Decisions Redis could not make, by what went wrong.
    limit_backend_errors: IntCounterVec = "rate_limit_backend_errors_total" ["kind"];
    /// 1 while Redis decides, 0 while the local limiter stands in for it; absent when no Redis is configured.
    limit_backend_up: IntGaugeVec = "rate_limit_backend_up" [];
    /// Gateways that shared Redis when it was last asked, this one included; absent when no Redis is configured.
    limit_instances: IntGaugeVec = "rate_limit_instances" [];
    /// Keys held in this process's memory: debts of the local limiter, refusals that Redis proved.
    limit_keys: IntGaugeVec = "rate_limit_keys" ["store"];
}
