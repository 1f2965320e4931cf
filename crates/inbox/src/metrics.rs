//! Metrics of the inbox.

use jiff::Timestamp;
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use crate::heartbeat::Heartbeat;
use crate::receivers::message::STATUSES;
use clients::inbox::Channel;

/// Metrics. Every label combination is exported from the start, so that increase() sees the first event.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Accepted notifications by channel and status (firing, resolved, unknown).
    pub notifications: IntCounterVec,
    /// Rejected messages by channel.
    pub bad_requests: IntCounterVec,
    /// Messages that failed because of an injected failure, by channel.
    pub failed: IntCounterVec,
    /// Received heartbeats.
    pub heartbeats: IntCounter,
    /// Unix time of the last heartbeat; 0 before the first.
    last_heartbeat: Gauge,
    /// 1 while heartbeats arrive, 0 before the first and after a stop.
    heartbeat_up: IntGauge,
}

impl Metrics {
    pub(crate) fn new(started: Timestamp) -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)
                .expect("names and labels are valid constants");
            registry.register(Box::new(counter.clone())).expect("each name is registered once");
            counter
        };
        let notifications = counter(
            "inbox_notifications_total",
            "Accepted notifications by channel and status (firing, resolved, unknown).",
            &["channel", "status"],
        );
        let bad_requests = counter("inbox_bad_requests_total", "Rejected messages by channel.", &["channel"]);
        let failed = counter(
            "inbox_injected_failures_total",
            "Messages that failed because of an injected failure, by channel.",
            &["channel"],
        );
        let valid = "names are valid constants, each registered once";
        let heartbeats = IntCounter::new("inbox_heartbeats_total", "Received heartbeats.").expect(valid);
        let last_heartbeat = Gauge::new(
            "inbox_last_heartbeat_timestamp_seconds",
            "Unix time of the last heartbeat; 0 before the first.",
        )
        .expect(valid);
        let heartbeat_up = IntGauge::new(
            "inbox_heartbeat_up",
            "1 while heartbeats arrive, 0 before the first and after a stop.",
        )
        .expect(valid);
        registry.register(Box::new(heartbeats.clone())).expect(valid);
        registry.register(Box::new(last_heartbeat.clone())).expect(valid);
        registry.register(Box::new(heartbeat_up.clone())).expect(valid);
        let start = Gauge::new(
            "process_start_time_seconds",
            "Start time of the process, in seconds since the Unix epoch.",
        )
        .expect(valid);
        start.set(started.as_millisecond() as f64 / 1000.0);
        registry.register(Box::new(start)).expect(valid);
        for channel in Channel::ALL {
            failed.with_label_values(&[channel.name()]);
            bad_requests.with_label_values(&[channel.name()]);
            for status in STATUSES {
                notifications.with_label_values(&[channel.name(), status]);
            }
        }
        Self { registry, notifications, bad_requests, failed, heartbeats, last_heartbeat, heartbeat_up }
    }

    /// Updates the heartbeat metrics.
    pub fn heartbeat(&self, heartbeat: &Heartbeat) {
        self.last_heartbeat.set(heartbeat.last().map_or(0.0, |last| last.as_millisecond() as f64 / 1000.0));
        self.heartbeat_up.set(i64::from(heartbeat.is_up()));
    }

    /// The metrics in the Prometheus text format 0.0.4.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
