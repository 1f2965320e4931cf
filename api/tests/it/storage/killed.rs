//! `kill -9` at random times under concurrent writes, 50 times on each database: every acknowledged write exists once,
//! and the file opens.

use crate::{
    backend::{Backend, Database},
    helpers::PATIENCE,
    process::running::Running,
};
use futures_util::future::join_all;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use testkit::{Durability, Postgres};

/// Databases in parallel, and kills of each: 50 in all.
const DATABASES: usize = 5;
const KILLS: usize = 10;
const CLIENTS: usize = 4;

/// What one client was observed, and what it was not observed.
#[derive(Default)]
struct Observed {
    /// Created users that were not deleted: address to id.
    users: HashMap<String, i64>,
    /// Deleted users, or possibly deleted ones.
    deleted: HashSet<String>,
    /// The last acknowledged change of each user, by number.
    changes: HashMap<String, i64>,
    /// Readings, by their second.
    readings: Vec<i64>,
    /// Requests with a key and without a response.
    open: Vec<(String, String)>,
}

impl Observed {
    fn add(&mut self, other: Self) {
        self.users.extend(other.users);
        self.deleted.extend(other.deleted);
        self.changes.extend(other.changes);
        self.readings.extend(other.readings);
        self.open.extend(other.open);
    }
}

struct Api {
    base: String,
    client: reqwest::Client,
}

impl Api {
    /// Status and body; `None` when the server was killed before the response.
    async fn send(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Option<(u16, Value)> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// Writes of every kind until the server is gone.
    async fn write(&self, round: usize, client: usize) -> Observed {
        let mut observed = Observed::default();
        for n in 0.. {
            if self.step(&mut observed, round, client, n).await.is_none() {
                break;
            }
        }
        observed
    }

    async fn step(&self, observed: &mut Observed, round: usize, client: usize, n: i64) -> Option<()> {
        let name = format!("r{round}c{client}n{n}");
        let plain = format!("{name}@plain.example");
        let user = json!({"name": name, "email": plain});
        let (status, created) = self.send("POST", "/api/users", None, Some(user)).await?;
        assert_eq!(status, 201, "{created}");
        let id = created["id"].as_i64().unwrap();
        observed.users.insert(plain.clone(), id);

        let change = json!({"name": format!("change {n}")});
        let (status, _) = self.send("PATCH", &format!("/api/users/{id}"), None, Some(change)).await?;
        assert_eq!(status, 200);
        observed.changes.insert(plain.clone(), n);

        let keyed = format!("{name}@keyed.example");
        let user = json!({"name": "keyed", "email": keyed});
        observed.open.push((name.clone(), keyed.clone()));
        let (status, created) = self.send("POST", "/api/users", Some(&name), Some(user)).await?;
        assert_eq!(status, 201, "{created}");
        observed.open.pop();
        observed.users.insert(keyed, created["id"].as_i64().unwrap());

        // Every client and round uses different seconds.
        let first = 1_000_000_000 + (round * CLIENTS + client) as i64 * 1_000_000 + n * 5;
        let readings: Vec<Value> = (first..first + 5)
            .map(|at| json!({"device": "d", "stream": "steps", "timestamp": at, "value": n}))
            .collect();
        let (status, response) =
            self.send("POST", "/api/ingest", None, Some(json!({"readings": readings}))).await?;
        assert_eq!((status, &response["accepted"]), (202, &json!(5)), "{response}");
        observed.readings.extend(first..first + 5);

        if n % 4 == 3 {
            observed.users.remove(&plain);
            observed.deleted.insert(plain);
            let (status, _) = self.send("DELETE", &format!("/api/users/{id}"), None, None).await?;
            assert_eq!(status, 204);
        }
        Some(())
    }

    async fn all(&self, path: &str, list: &str, cursor: impl Fn(&Value) -> String) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let (status, page) =
                self.send("GET", &format!("{path}?limit=1000{after}"), None, None).await.unwrap();
            assert_eq!(status, 200, "{page}");
            let page = page[list].as_array().unwrap();
            let Some(last) = page.last() else { return all };
            after = format!("&after={}", cursor(last));
            all.extend(page.iter().cloned());
        }
    }

    /// Repeats requests without a response, then checks everything that had one.
    async fn check(&self, observed: &mut Observed) {
        for (key, email) in std::mem::take(&mut observed.open) {
            let user = json!({"name": "keyed", "email": email});
            let (status, created) = self.send("POST", "/api/users", Some(&key), Some(user)).await.unwrap();
            assert_eq!(status, 201, "the user and its key are there together or not at all: {created}");
            observed.users.insert(email, created["id"].as_i64().unwrap());
        }
        let users = self.all("/api/users", "users", |user| user["id"].to_string()).await;
        let mut found: HashMap<&str, &Value> = HashMap::new();
        for user in &users {
            assert!(found.insert(user["email"].as_str().unwrap(), user).is_none(), "twice: {user}");
        }
        for (email, id) in &observed.users {
            let user =
                found.get(&**email).unwrap_or_else(|| panic!("{email} was acknowledged and is missing"));
            assert_eq!(user["id"], *id);
        }
        for (email, change) in &observed.changes {
            if let (Some(user), false) = (found.get(&**email), observed.deleted.contains(email)) {
                assert_eq!(user["name"], format!("change {change}"), "{email}");
            }
        }
        let cursor = |r: &Value| format!("d,steps,{}", r["timestamp"]);
        let readings = self.all("/api/readings", "readings", cursor).await;
        let seconds: Vec<i64> = readings.iter().map(|r| r["timestamp"].as_i64().unwrap()).collect();
        let set: HashSet<i64> = seconds.iter().copied().collect();
        assert_eq!(set.len(), seconds.len(), "a reading twice");
        assert!(
            observed.readings.iter().all(|second| set.contains(second)),
            "an acknowledged reading is missing"
        );
    }
}

/// Writes, kills and checks one database repeatedly. Returns the number of acknowledged writes.
async fn life(database: &Database, seed: u64) -> usize {
    let mut observed = Observed::default();
    for round in 0..=KILLS {
        let url = database.url.clone();
        let start = move || Running::start(&["--database-url", &url]);
        let mut running = tokio::task::spawn_blocking(start).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let api = Api { base: running.base.clone(), client };
        api.check(&mut observed).await;
        if round == KILLS {
            break;
        }
        let writers = join_all((0..CLIENTS).map(|client| api.write(round, client)));
        let killer = async {
            // Seeded, so that a failure can be repeated. 30 to 180 ms.
            let moment = 30 + (seed * 7919 + round as u64 * 104_729) % 150;
            tokio::time::sleep(Duration::from_millis(moment)).await;
            running.signal(Signal::SIGKILL);
            running.ended().await;
        };
        let (heard, ()) = tokio::join!(writers, killer);
        heard.into_iter().for_each(|heard| observed.add(heard));
    }
    assert!(database.is_intact().await, "the file is damaged");
    observed.users.len() + observed.readings.len() / 5 + observed.changes.len()
}

async fn fifty_kills(databases: Vec<Database>) {
    let lives = databases.iter().enumerate().map(|(seed, database)| life(database, seed as u64));
    let acknowledged = join_all(lives).await;
    println!("acknowledged writes on each database: {acknowledged:?}");
    assert!(acknowledged.iter().all(|writes| *writes > KILLS), "too few writes: {acknowledged:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_loses_no_acknowledged_write() {
    fifty_kills(join_all((0..DATABASES).map(|_| Backend::Sqlite.database())).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_loses_no_acknowledged_write() {
    let server = Postgres::start(Durability::Full).unwrap();
    fifty_kills(join_all((0..DATABASES).map(|_| Database::on(&server))).await).await;
}
