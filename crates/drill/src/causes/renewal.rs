//! Renews faults and failing receivers, which expire after an hour at most, for causes that last longer.

use crate::error::DrillError;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::causes::stack::Stack;
use clients::gateway::Gateway;
use common::duration;

/// The longest a fault may last: the gateway's default limit.
pub const LONGEST: Duration = Duration::from_secs(3_600);

/// A part of a cause that expires by itself.
#[derive(Debug, Clone)]
pub enum Passing {
    /// A fault with this ID.
    Fault(String, Map<String, Value>),
    /// A channel of the inbox that fails in this way.
    Inbox(String, Map<String, Value>),
}

impl Passing {
    /// Applies it for `ttl`, replacing what is in effect already.
    ///
    /// # Errors
    /// The gateway or inbox rejected it, or did not respond.
    pub async fn put(&self, stack: &Stack, ttl: Duration) -> Result<(), DrillError> {
        let with_ttl = |fields: &Map<String, Value>| {
            let mut fields = fields.clone();
            fields.insert("ttl".to_owned(), json!(duration::format(ttl)));
            Value::Object(fields)
        };
        match self {
            Self::Fault(id, fault) => {
                let gateway = Gateway::new(&stack.admin, &stack.http)?;
                Ok(gateway.put_fault(id, &with_ttl(fault)).await?)
            }
            Self::Inbox(channel, how) => Ok(stack.inbox()?.fail(channel, &with_ttl(how)).await?),
        }
    }
}

/// The interval of renewals for something that must last for `needed` and can be applied for at most `longest`; `None` when
/// once is enough.
#[must_use]
pub fn every(needed: Duration, longest: Duration) -> Option<Duration> {
    (needed > longest).then(|| longest / 2)
}

/// Renews until it is stopped or dropped.
#[derive(Debug)]
pub struct Renewal {
    stop: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Renewal {
    /// Starts to renew all of them, each time for [`LONGEST`]. A failed renewal is repeated at the next interval, well before
    /// the expiry.
    #[must_use]
    pub fn start(stack: Stack, passing: Vec<Passing>, every: Duration) -> Self {
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
            loop {
                tokio::select! {
                    biased;
                    () = stopped.notified() => return,
                    _ = ticks.tick() => {}
                }
                for one in &passing {
                    let _ = one.put(&stack, LONGEST).await;
                }
            }
        });
        Self { stop, task }
    }

    /// Stops the renewal. When this returns, no request is outstanding either, so that what is lifted then stays lifted.
    pub async fn stop(mut self) {
        self.stop.notify_one();
        let _ = (&mut self.task).await; // a task that panicked renews nothing either
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renews_before_the_expiry() {
        let hours = |hours: u64| Duration::from_secs(3_600 * hours);
        assert_eq!(every(hours(1), LONGEST), None);
        assert_eq!(every(hours(1) + Duration::from_secs(1), LONGEST), Some(Duration::from_secs(1_800)));
        assert_eq!(every(hours(48), LONGEST), Some(Duration::from_secs(1_800)));
    }

    /// The status with which an inbox responds to a notification.
    async fn status_of(base: &str) -> u16 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.post(format!("{base}/slack")).body("{\"text\": \"x\"}").send().await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn an_inbox_fails_until_the_renewal_stops() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let config = inbox::Config {
            limits: inbox::store::history::Limits { count: 10, bytes: 1 << 20 },
            data_dir: None,
            heartbeat_limit: LONGEST,
            allowed_hosts: common::allowed_hosts::AllowedHosts::default(),
            proofs: None,
            runbooks: None,
        };
        let inbox = inbox::Inbox::open(&config).unwrap();
        let inbox = tokio::spawn(inbox.serve(listener, None, std::future::pending()));
        let mut stack = crate::causes::undo_list::tests::stack();
        stack.inbox = Some(base.parse().unwrap());
        let fails = Passing::Inbox("slack".into(), Map::from_iter([("status".to_owned(), json!(503))]));
        let renewing = Renewal::start(stack.clone(), vec![fails], Duration::from_millis(10));
        let lift = || async { stack.inbox().unwrap().work("slack").await.unwrap() };
        for _ in 0..2 {
            let failing = async {
                while status_of(&base).await != 503 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(10), failing).await.expect("the failure is renewed");
            lift().await; // like an expiry
        }
        renewing.stop().await;
        lift().await;
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert_eq!(status_of(&base).await, 200, "what is lifted stays lifted");
        }
        inbox.abort();
    }
}
