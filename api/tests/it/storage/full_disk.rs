//! A disk that takes no more writes: each is 503 and the probes say so, until there is room again.

use crate::{
    backend::Backend,
    helpers::{eventually, roomy, spawn_at},
    process::running::Running,
};
use serde_json::{Value, json};
use std::{
    fs::{File, remove_file},
    io::Write,
    path::PathBuf,
    process::Command,
};

/// Where a write goes: each has a queue and a task of its own.
const WRITES: [(&str, u16); 2] = [("users", 201), ("readings", 202)];

struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    fn of(base: &str) -> Self {
        Self { base: base.to_owned(), http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Status of a write of 40 KB of readings, or of a user.
    async fn write(&self, what: &str, number: i64) -> u16 {
        let (path, body) = match what {
            "users" => {
                ("/api/users", json!({"name": "n".repeat(200), "email": format!("u{number}@example.com")}))
            }
            _ => {
                let one = |i: i64| {
                    json!({"device": format!("d{number}"), "stream": "steps",
                           "timestamp": 1_000_000_000 + i, "value": 1})
                };
                ("/api/ingest", json!({"readings": (0..1000).map(one).collect::<Vec<_>>()}))
            }
        };
        let sent = self.http.post(format!("{}{path}", self.base)).json(&body).send().await.unwrap();
        sent.status().as_u16()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.http.get(format!("{}{path}", self.base)).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

/// The whole course on a running gateway: `block` lets writes fail, `unblock` lets them succeed again.
async fn recovers(base: &str, block: impl AsyncFn(), unblock: impl AsyncFn()) {
    let client = Client::of(base);
    let mut created = 0;
    for (what, good) in WRITES {
        assert_eq!(client.write(what, 0).await, good);
    }
    created += 1;
    for round in 1..3 {
        block().await;
        for (what, good) in WRITES {
            // The log may have room left for a few.
            let mut refused = 0;
            for number in 0..400 {
                let status = client.write(what, round * 1000 + number).await;
                if status == good {
                    created += i64::from(what == "users");
                    assert_eq!(refused, 0, "{what}: written after a refusal, while nothing can be");
                    continue;
                }
                assert_eq!(status, 503, "{what} {number}, after {refused} refusals");
                refused += 1;
                if refused == 5 {
                    break;
                }
            }
            assert_eq!(refused, 5, "{what}");
        }
        let (status, health) = client.get("/health").await;
        assert_eq!((status, &health["components"]["database"]), (503, &json!("writes fail")), "{health}");
        let (status, ready) = client.get("/readyz").await;
        assert_eq!(status, 503, "{ready}");
        assert!(ready["detail"].as_str().unwrap().contains("writes"), "{ready}");
        assert_eq!(client.get("/livez").await.0, 200);
        assert_eq!(client.get("/api/users/1").await.0, 200, "reads go on");

        unblock().await;
        eventually("ready without a write of a client", || async {
            client.get("/readyz").await.0 == 200 && client.get("/health").await.0 == 200
        })
        .await;
        for (what, good) in WRITES {
            assert_eq!(client.write(what, round * 1000 + 999).await, good, "{what}");
        }
        created += 1;
    }
    let (_, users) = client.get("/api/users?limit=1000").await;
    assert_eq!(users["count"], json!(created), "what was answered is there, and nothing else");
}

/// The database on a file system of 600 KB in a mount namespace of the gateway's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_recovers_from_a_full_disk() {
    let may = Command::new("unshare").args(["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "SKIPPED: this needs `unshare` and user namespaces; only the limit of a file's size is tested"
        );
        return;
    }
    let mount = "mkdir disk && mount -t tmpfs -o size=600k tmpfs disk";
    let api = Running::start_in_shell(
        &["unshare", "-Urm", "/bin/sh", "-c"],
        mount,
        &["--database-url", "sqlite://disk/test.db"],
    );
    let process = PathBuf::from(format!("/proc/{}", api.pid()));
    let folder = process.join("cwd").read_link().unwrap();
    let filler = process.join("root").join(folder.strip_prefix("/").unwrap()).join("disk/filler");
    let block = async || {
        let mut file = File::create(&filler).unwrap();
        while file.write(&[0; 4096]).is_ok_and(|count| count > 0) {}
    };
    recovers(&api.base, block, async || remove_file(&filler).unwrap()).await;
}

/// Needs no privilege: the system refuses to let a file grow, an I/O error for SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_recovers_from_io_errors() {
    let api =
        Running::start_in_shell(&["/bin/sh", "-c"], "trap '' XFSZ", &["--database-url", "sqlite://test.db"]);
    let limit = async |bytes: &str| {
        let limit = format!("--fsize={bytes}:unlimited");
        let status = Command::new("prlimit").args(["--pid", &api.pid().to_string(), &limit]).status();
        assert!(status.unwrap().success());
    };
    // While another process has the file open, its log and shared memory are not deleted, so that only writes fail.
    let other = rusqlite::Connection::open(format!("/proc/{}/cwd/test.db", api.pid())).unwrap();
    assert_eq!(other.query_row("SELECT count(*) FROM users", [], |row| row.get(0)), Ok(0));
    recovers(&api.base, async || limit("0").await, async || limit("unlimited").await).await;
}

/// A full disk of PostgreSQL, as it reports it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_recovers_from_a_full_disk() {
    let database = Backend::Postgres.database().await;
    let app = spawn_at(Some(&database.url), &roomy(), &[]).await;
    database
        .execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$",
        )
        .await;
    let block = async || {
        for table in ["users", "readings", "idempotency_keys"] {
            database
                .execute(&format!(
                    "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION full_disk()"
                ))
                .await;
        }
    };
    let unblock = async || {
        for table in ["users", "readings", "idempotency_keys"] {
            database.execute(&format!("DROP TRIGGER full_disk ON {table}")).await;
        }
    };
    recovers(&app.base, block, unblock).await;
}
