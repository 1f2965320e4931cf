//! Alertmanager's counters of sent notifications, from its `/metrics`.
//!
//! `alertmanager_notification_requests_total` counts completed attempts and
//! `alertmanager_notification_requests_failed_total` failed ones, both by `integration`, and by `receiver_name` with
//! `--enable-feature=receiver-name-in-metrics`. Format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeMap;

use promql_parser::parser::{self, Expr};

use crate::error::Reason;
use crate::prometheus::Labels;

const ATTEMPTS: &str = "alertmanager_notification_requests_total";
const FAILED: &str = "alertmanager_notification_requests_failed_total";

/// The integration that sent, and its receiver if Alertmanager exports it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sender {
    /// `webhook`, `slack`, `email`, …
    pub integration: String,
    /// The receiver's name.
    pub receiver: Option<String>,
}

/// Notifications delivered since Alertmanager started, by sender.
pub type Delivered = BTreeMap<Sender, u64>;

/// # Errors
/// When the text has no such counter, as it is not from Alertmanager 0.23 or newer.
pub fn delivered(text: &str) -> Result<Delivered, Reason> {
    let mut found = Delivered::new();
    let mut any = false;
    // Attempts first, as failed ones are subtracted from them.
    for (name, failed) in [(ATTEMPTS, false), (FAILED, true)] {
        for line in text.lines() {
            let Some((labels, value)) = sample(line, name) else { continue };
            let Some(integration) = labels.get("integration").cloned() else { continue };
            let receiver = labels.get("receiver_name").cloned();
            let count = found.entry(Sender { integration, receiver }).or_default();
            *count = if failed { count.saturating_sub(value) } else { count.saturating_add(value) };
            any = true;
        }
    }
    if any { Ok(found) } else { Err(Reason::Counter(ATTEMPTS)) }
}

/// Parses `NAME{integration="webhook"} 3` to labels and an integer. The series is parsed as a PromQL selector.
fn sample(line: &str, name: &str) -> Option<(Labels, u64)> {
    let (series, number) = line.strip_prefix(name).and(line.rsplit_once('}'))?;
    let Ok(Expr::VectorSelector(series)) = parser::parse(&format!("{series}}}")) else { return None };
    let labels = series.matchers.matchers.into_iter().map(|label| (label.name, label.value));
    let number = number.split_whitespace().next()?.parse::<f64>().ok()?;
    // Counters are integers far below the limit of exact floats.
    let whole = (0.0..9e15).contains(&number) && series.name.as_deref() == Some(name);
    whole.then(|| (labels.collect(), number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivered_is_attempts_minus_failures() {
        let text = r#"# HELP alertmanager_notification_requests_failed_total The total number of failed requests.
# TYPE alertmanager_notification_requests_failed_total counter
alertmanager_notification_requests_failed_total{integration="email"} 0
alertmanager_notification_requests_failed_total{integration="webhook"} 2
# TYPE alertmanager_notification_requests_total counter
alertmanager_notification_requests_total{integration="email"} 0
alertmanager_notification_requests_total{integration="webhook"} 5
alertmanager_notifications_total{integration="webhook"} 9
"#;
        let found = delivered(text).unwrap();
        let count =
            |integration: &str| found[&Sender { integration: integration.to_owned(), receiver: None }];
        assert_eq!((count("webhook"), count("email"), found.len()), (3, 0, 2));
    }

    #[test]
    fn separates_receivers_when_alertmanager_exports_them() {
        let text = r#"alertmanager_notification_requests_total{integration="webhook",receiver_name="on \"call\", a"} 1e+06
alertmanager_notification_requests_total{integration="webhook",receiver_name="b",} 4
"#;
        let found = delivered(text).unwrap();
        let count = |receiver: &str| {
            found[&Sender { integration: "webhook".to_owned(), receiver: Some(receiver.to_owned()) }]
        };
        assert_eq!((count("on \"call\", a"), count("b")), (1_000_000, 4));
    }

    #[test]
    fn rejects_text_without_the_counter() {
        for text in ["", "<html>", "up 1\n", "alertmanager_notification_requests_total{integration=\"we"] {
            assert!(delivered(text).unwrap_err().to_string().contains("0.23"), "{text}");
        }
    }
}
