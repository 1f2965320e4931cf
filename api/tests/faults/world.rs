//! A gateway with everything it needs, and how each of it breaks.

use crate::{
    client::{Client, Outcome},
    fault::Fault,
    gateway::Gateway,
    load::Written,
};
use anyhow::{Context, bail, ensure};
use nix::sys::signal::Signal;
use process::{Launch, Process, port, program};
use std::{
    collections::BTreeMap,
    fmt, fs,
    io::Write,
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};
use testkit::{Durability, Postgres, Redis, RedisProxy};
use tokio::net::{TcpSocket, TcpStream};

/// Longest wait for anything to work again.
const PATIENCE: Duration = Duration::from_secs(30);
const SLOWER: Duration = Duration::from_millis(200);
const IDLE: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// `http_requests_total` of `/api/users`, by method and status.
#[derive(Debug, Default)]
pub struct Counted(pub BTreeMap<(String, u16), u64>);

enum Database {
    /// A disk of its own, in the mount namespace of this process.
    Sqlite {
        holder: Process,
        disk: PathBuf,
    },
    Postgres {
        server: Postgres,
        proxy: RedisProxy,
    },
}

pub struct World {
    pub kind: Kind,
    pub gateway: Gateway,
    redis: Redis,
    redis_proxy: RedisProxy,
    database: Database,
    admin: SocketAddr,
    clock: PathBuf,
    _dir: tempfile::TempDir,
}

impl World {
    pub async fn start(kind: Kind) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let redis = Redis::start().await?;
        let redis_proxy = RedisProxy::start(redis.port()).await?;
        let clock = dir.path().join("clock");
        fs::write(&clock, "+0")?;
        let limits = dir.path().join("limits.toml");
        fs::write(&limits, "[[policy]]\nname = \"default\"\nlimit = \"1000000/s\"\nburst = 1000000\n")?;
        let api = env!("CARGO_BIN_EXE_api");
        let (database, url, wrapper) = match kind {
            Kind::Sqlite => {
                let mount = dir.path().join("disk");
                fs::create_dir(&mount)?;
                let script =
                    "mount -t tmpfs -o size=48m tmpfs \"$0\" && touch \"$0/mounted\" && exec sleep infinity";
                let args = ["-Urm", "/bin/sh", "-c", script, &mount.display().to_string()].map(str::to_owned);
                let launch = Launch::new("disk", program::external("unshare")?, args);
                let holder = Process::start(&launch, &dir.path().join("disk.log"))?;
                let root = PathBuf::from(format!("/proc/{}/root", holder.pid()));
                let disk = root.join(mount.strip_prefix("/")?);
                let started = Instant::now();
                while !disk.join("mounted").exists() {
                    ensure!(started.elapsed() < PATIENCE, "no disk: {}", fs::read_to_string(holder.log())?);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                let url = format!("sqlite://{}/faults.db", mount.display());
                let enter = ["-t".to_owned(), holder.pid().to_string(), "-U".to_owned(), "-m".to_owned()];
                let enter = [&enter[..], &["--preserve-credentials".to_owned(), api.to_owned()]].concat();
                (Database::Sqlite { holder, disk }, url, Some(enter))
            }
            Kind::Postgres => {
                let server = tokio::task::spawn_blocking(|| Postgres::start(Durability::Full)).await??;
                let proxy = RedisProxy::start(server.port()).await?;
                let own = format!(":{}/", server.port());
                let url = server.url("postgres").replace(&own, &format!(":{}/", proxy.port()));
                (Database::Postgres { server, proxy }, url, None)
            }
        };
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let (public, admin) = (at(port::free()?), at(port::free()?));
        let (program, args) = match wrapper {
            Some(args) => (program::external("nsenter")?, args),
            None => (PathBuf::from(api), Vec::new()),
        };
        let clock_library = program::preload("libfaketime.so.1")?;
        let env = [
            ("LISTEN", public.to_string()),
            ("ADMIN_LISTEN", admin.to_string()),
            ("WORKERS", "2".to_owned()),
            ("DATABASE_URL", url),
            ("REDIS_URL", redis_proxy.url()),
            ("RATE_LIMITS_FILE", limits.display().to_string()),
            ("MAX_CONNECTIONS", "1000".to_owned()),
            ("MAX_CONNECTIONS_PER_ADDRESS", "1000".to_owned()),
            ("LOG_LEVEL", "warn".to_owned()),
            ("LD_PRELOAD", clock_library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let launch = Launch { name: "api".to_owned(), program, args, env };
        let gateway = Gateway::start(launch, public, dir.path())?;
        let world = Self { kind, gateway, redis, redis_proxy, database, admin, clock, _dir: dir };
        world.recovers().await.context("the gateway does not start")?;
        Ok(world)
    }

    /// Applies a fault for this time, and lifts it.
    pub async fn apply(&mut self, fault: Fault, lasts: Duration) -> anyhow::Result<()> {
        let pause = || tokio::time::sleep(lasts);
        match (fault, &mut self.database) {
            (Fault::RedisKilled, _) => {
                self.redis.kill().await;
                pause().await;
                self.redis.restart().await?;
            }
            (Fault::RedisPaused, _) => {
                self.redis.pause();
                pause().await;
                self.redis.resume();
            }
            (Fault::RedisSlow, _) => {
                self.redis_proxy.delay(SLOWER);
                pause().await;
                self.redis_proxy.delay(Duration::ZERO);
            }
            (Fault::DatabaseKilled, Database::Postgres { server, .. }) => {
                server.kill();
                pause().await;
                tokio::task::block_in_place(|| server.restart())?;
            }
            (Fault::DatabaseSlow, Database::Postgres { proxy, .. }) => {
                proxy.delay(SLOWER);
                pause().await;
                proxy.delay(Duration::ZERO);
            }
            (Fault::DiskFull, Database::Sqlite { disk, holder }) => {
                ensure!(holder.ended().is_none(), "the disk is gone");
                let filler = disk.join("filler");
                let mut file = fs::File::create(&filler)?;
                while file.write(&[0; 4096]).is_ok_and(|count| count > 0) {}
                pause().await;
                fs::remove_file(filler)?;
            }
            (Fault::ClockAhead | Fault::ClockBehind, _) => {
                fs::write(&self.clock, if fault == Fault::ClockAhead { "+1h" } else { "-1h" })?;
                pause().await;
                fs::write(&self.clock, "+0")?;
            }
            (Fault::NoDescriptors, _) => {
                let open = fs::read_dir(format!("/proc/{}/fd", self.gateway.pid()))?.count();
                let limits = fs::read_to_string(format!("/proc/{}/limits", self.gateway.pid()))?;
                let before = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
                let before =
                    before.and_then(|line| line.split_whitespace().next()).context("limits")?.to_owned();
                // Some numbers below may be free: none above is.
                self.limit_files(&format!("{}:", open.saturating_sub(4)))?;
                let _more = connections(self.gateway.shared().address, 32).await;
                pause().await;
                self.limit_files(&format!("{before}:"))?;
            }
            (Fault::IdleClients, _) => {
                api::file_limit::raise();
                let idle = connections(self.gateway.shared().address, IDLE).await;
                pause().await;
                drop(idle);
            }
            (Fault::GatewayPaused, _) => {
                self.gateway.signal(Signal::SIGSTOP);
                // Clients wait for five seconds.
                tokio::time::sleep(lasts.min(Duration::from_secs(3))).await;
                self.gateway.signal(Signal::SIGCONT);
            }
            (Fault::GatewayKilled | Fault::GatewayRestarted, _) => {
                let killed = fault == Fault::GatewayKilled;
                self.gateway.end(if killed { Signal::SIGKILL } else { Signal::SIGTERM }).await?;
                self.gateway.start_again()?;
            }
            (Fault::DatabaseKilled | Fault::DatabaseSlow | Fault::DiskFull, _) => {
                bail!("not on this database")
            }
        }
        Ok(())
    }

    fn limit_files(&self, limit: &str) -> anyhow::Result<()> {
        let mut prlimit = Command::new("prlimit");
        let pid = self.gateway.pid().to_string();
        let status =
            prlimit.args(["--pid", &pid, &format!("--nofile={limit}")]).status().context("prlimit")?;
        ensure!(status.success(), "prlimit --nofile={limit} failed");
        Ok(())
    }

    /// How long it takes until the gateway is healthy and a write succeeds.
    pub async fn recovers(&self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let mut client = Client::new(self.gateway.shared().address);
            let (outcome, health) = client.send("GET", "/health", "").await;
            if outcome == Outcome::Status(200) && health.contains("\"status\":\"ok\"") {
                let reading = format!(
                    "{{\"readings\":[{{\"device\":\"probe\",\"stream\":\"steps\",\"timestamp\":{},\"value\":1}}]}}",
                    1_000_000_000 + started.elapsed().as_millis()
                );
                if client.send("POST", "/api/ingest", &reading).await.0 == Outcome::Status(202) {
                    return Ok(started.elapsed());
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("not healthy within {PATIENCE:?} (admin listener {})", self.admin)
    }

    /// How many of these writes are missing.
    pub async fn lost(&self, written: &[Written]) -> anyhow::Result<usize> {
        let (mut client, mut lost) = (Client::new(self.gateway.shared().address), 0);
        for user in written {
            let (outcome, text) = client.send("GET", &format!("/api/users/{}", user.id), "").await;
            match outcome {
                Outcome::Status(200) if text.contains(&format!("\"{}\"", user.email)) => {}
                Outcome::Status(200 | 404) => lost += 1,
                other => bail!("a write cannot be read again: {other:?}"),
            }
        }
        Ok(lost)
    }

    /// The gateway's counters.
    pub async fn counted(&self) -> anyhow::Result<Counted> {
        let (outcome, text) = Client::new(self.gateway.shared().address).send("GET", "/metrics", "").await;
        ensure!(outcome == Outcome::Status(200), "/metrics: {outcome:?}");
        let mut counted = Counted::default();
        for line in text.lines().filter_map(|line| line.strip_prefix("http_requests_total{")) {
            let (labels, value) = line.split_once("} ").context("a series without a value")?;
            let label = |name: &str| {
                let (_, rest) = labels.split_once(&format!("{name}=\""))?;
                rest.split_once('"').map(|(value, _)| value.to_owned())
            };
            if label("route").as_deref() == Some("/api/users") {
                let key = (label("method").context("method")?, label("status").context("status")?.parse()?);
                counted.0.insert(key, value.parse::<f64>()? as u64);
            }
        }
        Ok(counted)
    }
}

/// As many connections from another address as can be opened.
async fn connections(to: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..count {
        let connect = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from(([127, 0, 0, 2], 0)))?;
            socket.connect(to).await
        };
        if let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_secs(1), connect).await {
            open.push(stream);
        }
    }
    open
}
