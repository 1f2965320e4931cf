//! What the inbox counts.

use prometheus::{IntCounterVec, Opts, Registry, TextEncoder};

use super::channel::{Channel, STATUSES};

/// Counters, each label combination present from the start: one that starts late has no increase.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    /// Notifications accepted, by channel and status (firing, resolved, unknown).
    pub(super) notifications: IntCounterVec,
    /// Bodies refused, by channel.
    pub(super) bad_requests: IntCounterVec,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)
                .expect("names and labels are valid constants");
            registry.register(Box::new(counter.clone())).expect("each name is registered once");
            counter
        };
        let notifications = counter(
            "inbox_notifications_total",
            "Notifications accepted, by channel and status (firing, resolved, unknown).",
            &["channel", "status"],
        );
        let bad_requests = counter("inbox_bad_requests_total", "Bodies refused, by channel.", &["channel"]);
        for channel in Channel::ALL {
            bad_requests.with_label_values(&[channel.name()]);
            for status in STATUSES {
                notifications.with_label_values(&[channel.name(), status]);
            }
        }
        Self { registry, notifications, bad_requests }
    }

    /// All of them in Prometheus's text format 0.0.4.
    pub(super) fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
