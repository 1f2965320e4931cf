//! Requests at a constant rate, half of them writes, and what became of each.

use crate::{
    client::{Client, Outcome},
    gateway::Shared,
    world::Counted,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Connections.
const CLIENTS: u32 = 16;
/// The emails of all loads of this process differ.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A user whose creation was answered.
pub struct Written {
    pub id: i64,
    pub email: String,
}

struct Sent {
    /// When it was due.
    due: Instant,
    took: Duration,
    method: &'static str,
    outcome: Outcome,
    /// The gateway that was running.
    incarnation: u32,
}

/// What clients saw.
#[derive(Default)]
pub struct Seen {
    sent: Vec<Sent>,
    pub written: Vec<Written>,
}

/// A running load.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: JoinSet<Seen>,
}

impl Load {
    pub fn start(gateway: Shared, rate: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        let gap = Duration::from_secs(1) * CLIENTS / rate;
        for client in 0..CLIENTS {
            let (gateway, stop) = (gateway.clone(), stop.clone());
            let first = Instant::now() + gap * client / CLIENTS;
            clients.spawn(async move { run(&gateway, &stop, first, gap).await });
        }
        Self { stop, clients }
    }

    /// Waits for the requests in progress.
    pub async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        for seen in self.clients.join_all().await {
            all.sent.extend(seen.sent);
            all.written.extend(seen.written);
        }
        all
    }
}

async fn run(gateway: &Shared, stop: &AtomicBool, mut due: Instant, gap: Duration) -> Seen {
    let (mut seen, mut client, mut turn) = (Seen::default(), Client::new(gateway.address), 0);
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep_until(due.into()).await;
        turn += 1;
        let incarnation = gateway.incarnation();
        let (method, outcome) = if turn % 2 == 0 {
            ("GET", client.send("GET", "/api/users?limit=5", "").await.0)
        } else {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let email = format!("user{number}@example.com");
            let body = format!("{{\"name\":\"User {number}\",\"email\":\"{email}\"}}");
            let (outcome, text) = client.send("POST", "/api/users", &body).await;
            if outcome == Outcome::Status(201) {
                let id = serde_json::from_str::<serde_json::Value>(&text)
                    .ok()
                    .and_then(|user| user["id"].as_i64());
                // Without a readable id it counts as lost.
                seen.written.push(Written { id: id.unwrap_or(-1), email });
            }
            ("POST", outcome)
        };
        seen.sent.push(Sent { due, took: due.elapsed(), method, outcome, incarnation });
        // One that is late by seconds would only be followed by a burst.
        due = (due + gap).max(Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or(due));
    }
    seen
}

impl Seen {
    /// Requests that were due within these times.
    pub fn between(&self, begun: Instant, ended: Instant) -> Window<'_> {
        Window(self.sent.iter().filter(|sent| sent.due >= begun && sent.due <= ended).collect())
    }

    pub fn requests(&self) -> usize {
        self.sent.len()
    }

    pub fn server_errors(&self) -> usize {
        self.all().server_errors()
    }

    pub fn unanswered(&self) -> usize {
        self.all().unanswered()
    }

    fn all(&self) -> Window<'_> {
        Window(self.sent.iter().collect())
    }

    /// How the counters of a gateway contradict its clients. Every response is counted once under its status, and no more
    /// is counted than was sent.
    pub fn disagreement(&self, incarnation: u32, before: &Counted, after: &Counted) -> Option<String> {
        let mut answered: BTreeMap<(&str, u16), u64> = BTreeMap::new();
        let mut open: BTreeMap<&str, u64> = BTreeMap::new();
        for sent in self.sent.iter().filter(|sent| sent.incarnation == incarnation) {
            match sent.outcome {
                Outcome::Status(status) => *answered.entry((sent.method, status)).or_default() += 1,
                Outcome::Unanswered => *open.entry(sent.method).or_default() += 1,
                Outcome::Refused => {}
            }
        }
        for method in ["GET", "POST"] {
            let mut more = 0;
            for ((counted_method, status), count) in &after.0 {
                if counted_method != method {
                    continue;
                }
                let counted = count - before.0.get(&(counted_method.clone(), *status)).copied().unwrap_or(0);
                let seen = answered.remove(&(method, *status)).unwrap_or(0);
                if counted < seen {
                    return Some(format!("{method} {status}: {counted} counted, {seen} responses"));
                }
                more += counted - seen;
            }
            let open = open.get(method).copied().unwrap_or(0);
            if more > open {
                return Some(format!("{method}: {more} counted without a response, of {open} possible"));
            }
        }
        answered
            .into_iter()
            .next()
            .map(|((method, status), seen)| format!("{method} {status}: 0 counted, {seen} responses"))
    }
}

/// Requests of a time.
pub struct Window<'s>(Vec<&'s Sent>);

impl Window<'_> {
    pub fn requests(&self) -> usize {
        self.0.len()
    }

    pub fn server_errors(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Status(500..)))
    }

    pub fn refused(&self) -> usize {
        self.count(|outcome| outcome == Outcome::Refused)
    }

    pub fn unanswered(&self) -> usize {
        self.count(|outcome| outcome == Outcome::Unanswered)
    }

    /// Of the answered requests, from the time when each was due.
    pub fn p99(&self) -> Duration {
        let answered = self.0.iter().filter(|sent| matches!(sent.outcome, Outcome::Status(_)));
        let mut took: Vec<Duration> = answered.map(|sent| sent.took).collect();
        took.sort_unstable();
        took.get(took.len() * 99 / 100).copied().unwrap_or_default()
    }

    fn count(&self, is: impl Fn(Outcome) -> bool) -> usize {
        self.0.iter().filter(|sent| is(sent.outcome)).count()
    }
}
