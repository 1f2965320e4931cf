//! Alertmanager's own count of what it sent, from its `/metrics`.
//!
//! `alertmanager_notification_requests_total` counts attempts once they are over,
//! `alertmanager_notification_requests_failed_total` those that the receiver did not take; both by `integration`, and by
//! `receiver_name` with `--enable-feature=receiver-name-in-metrics`. The format:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeMap;

use promql_parser::parser::{self, Expr};

use crate::error::Reason;
use crate::prometheus::Labels;

const ATTEMPTS: &str = "alertmanager_notification_requests_total";
const FAILED: &str = "alertmanager_notification_requests_failed_total";

/// Who sent: the kind of channel, and the receiver where Alertmanager tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sender {
    /// `webhook`, `slack`, `email`, …
    pub integration: String,
    /// The receiver's name.
    pub receiver: Option<String>,
}

/// How many notifications each has delivered since Alertmanager started.
pub type Delivered = BTreeMap<Sender, u64>;

/// # Errors
/// When the text has no such counter: it is no Alertmanager's, or one older than 0.23.
pub fn delivered(text: &str) -> Result<Delivered, Reason> {
    let mut found = Delivered::new();
    let mut any = false;
    // Attempts come first, so that there is something to take the failed ones from.
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

/// `NAME{integration="webhook"} 3`: labels and a whole number. A series is written as PromQL selects it.
fn sample(line: &str, name: &str) -> Option<(Labels, u64)> {
    let (series, number) = line.strip_prefix(name).and(line.rsplit_once('}'))?;
    let Ok(Expr::VectorSelector(series)) = parser::parse(&format!("{series}}}")) else { return None };
    let labels = series.matchers.matchers.into_iter().map(|label| (label.name, label.value));
    let number = number.split_whitespace().next()?.parse::<f64>().ok()?;
    // Counters of notifications are whole and far below what a float holds exactly.
    let whole = (0.0..9e15).contains(&number) && series.name.as_deref() == Some(name);
    whole.then(|| (labels.collect(), number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_delivered_is_attempts_without_the_failed() {
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
    fn receivers_are_told_apart_where_alertmanager_does() {
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
    fn what_has_no_such_counter_is_an_error() {
        for text in ["", "<html>", "up 1\n", "alertmanager_notification_requests_total{integration=\"we"] {
            assert!(delivered(text).unwrap_err().to_string().contains("0.23"), "{text}");
        }
    }
}
