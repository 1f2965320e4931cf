//! Steady requests during a change of Redis.

use crate::helpers::{TestApp, eventually};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// Clients in a closed loop, each with a short pause between its requests.
pub struct Traffic {
    running: Arc<AtomicBool>,
    responses: Arc<AtomicU64>,
    clients: Vec<JoinHandle<BTreeMap<u16, u64>>>,
}

impl Traffic {
    /// Starts this many clients that GET a path of a gateway.
    pub fn start(app: &TestApp, path: &str, clients: usize) -> Self {
        let (running, responses) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
        let client = || {
            let (client, url) = (app.client.clone(), format!("{}{path}", app.base));
            let (running, responses) = (running.clone(), responses.clone());
            tokio::spawn(async move {
                let mut statuses = BTreeMap::new();
                while running.load(Ordering::Relaxed) {
                    let status = client.get(&url).send().await.unwrap().status().as_u16();
                    *statuses.entry(status).or_default() += 1;
                    responses.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                statuses
            })
        };
        let clients = (0..clients).map(|_| client()).collect();
        Self { running, responses, clients }
    }

    /// Returns after a hundred more responses.
    pub async fn goes_on(&self) {
        let target = self.responses.load(Ordering::Relaxed) + 100;
        eventually("a hundred more responses", || async { self.responses.load(Ordering::Relaxed) >= target })
            .await;
    }

    /// Stops and returns the number of responses by status.
    pub async fn stop(self) -> BTreeMap<u16, u64> {
        self.running.store(false, Ordering::Relaxed);
        let mut all = BTreeMap::new();
        for client in self.clients {
            for (status, count) in client.await.unwrap() {
                *all.entry(status).or_default() += count;
            }
        }
        all
    }
}
