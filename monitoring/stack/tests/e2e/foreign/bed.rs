//! The stack of monitoring/foreign as processes, at twenty times the speed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use process::{Launch, Process};
use process::{port, program};
use stack::ready::{self, Probe};
use stack::service;
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::secured::Secured;
use crate::support::{self, Finished, replace};

const SCALE: &str = "20";
const READY: Duration = Duration::from_secs(40);

/// The stack of monitoring/foreign on free ports; stopped on drop.
pub struct Foreign {
    pub dir: TempDir,
    /// The target of notifications: an inbox, or nginx itself.
    pub inbox: Option<String>,
    pub nginx: u16,
    pub redis: u16,
    pub prometheus: String,
    pub alertmanager: String,
    /// Set if they require authentication.
    pub secured: Option<Secured>,
    /// nginx first.
    pub processes: Vec<Process>,
}

impl Foreign {
    pub async fn start(with_inbox: bool) -> Self {
        Self::start_with(with_inbox, |_, _| ()).await
    }

    /// With a copy of the scaled configuration that `change` may edit; it also gets nginx's port.
    pub async fn start_with(with_inbox: bool, change: impl FnOnce(&Path, u16)) -> Self {
        Self::begin(with_inbox, None, change).await
    }

    /// With Prometheus and Alertmanager behind TLS and passwords, and an inbox.
    pub async fn secured() -> Self {
        let secured = Secured::write(tempfile::tempdir().unwrap());
        Self::begin(true, Some(secured), |_, _| ()).await
    }

    async fn begin(with_inbox: bool, secured: Option<Secured>, change: impl FnOnce(&Path, u16)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let free = || port::free().unwrap();
        let (nginx, nginx_exporter, redis, redis_exporter) = (free(), free(), free(), free());
        let (prometheus, alertmanager, inbox) = (free(), free(), free());
        let receiver = if with_inbox { inbox } else { nginx };
        let config = dir.path().join("config");
        let mut scale = support::loadgen();
        scale.args(["scale", "--by", SCALE, "--quiet", "--out"]).arg(&config);
        for (name, port) in [
            ("nginx-exporter:9113", nginx_exporter),
            ("redis-exporter:9121", redis_exporter),
            ("alertmanager:9093", alertmanager),
            ("inbox:8025", receiver),
        ] {
            scale.args(["--address", &format!("{name}=127.0.0.1:{port}")]);
        }
        scale.arg(files());
        let output = support::finish(scale, Duration::from_secs(60)).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

        change(&config, nginx);
        if let Some(secured) = &secured {
            secured.tell_prometheus(&config);
        }

        let conf = dir.path().join("nginx.conf");
        std::fs::copy(files().join("nginx.conf"), &conf).unwrap();
        replace(&conf, "127.0.0.1:8080", &format!("127.0.0.1:{nginx}"));

        let http = |port: u16| format!("http://127.0.0.1:{port}");
        let mut this = Self {
            inbox: with_inbox.then(|| http(inbox)),
            nginx,
            redis,
            prometheus: secured.as_ref().map_or(http(prometheus), |_| Secured::url(prometheus)),
            alertmanager: secured.as_ref().map_or(http(alertmanager), |_| Secured::url(alertmanager)),
            secured,
            processes: Vec::new(),
            dir,
        };
        let here = this.dir.path().display().to_string();
        let nginx_args = ["-p", &here, "-c", "nginx.conf", "-e", "nginx.log"].map(str::to_owned).to_vec();
        this.run("nginx", nginx_args, Probe::Http(http(nginx))).await;
        let redis_args = service::redis_args(redis, this.dir.path());
        this.run("redis-server", redis_args, Probe::RedisPing(redis)).await;
        let args = vec![
            format!("--nginx.scrape-uri={}/stub_status", http(nginx)),
            format!("--web.listen-address=127.0.0.1:{nginx_exporter}"),
        ];
        let metrics = |port: u16| format!("{}/metrics", http(port));
        this.run("nginx_exporter", args, Probe::Line(metrics(nginx_exporter), "nginx_up 1".to_owned())).await;
        let args = vec![
            format!("--redis.addr=redis://127.0.0.1:{redis}"),
            format!("--web.listen-address=127.0.0.1:{redis_exporter}"),
        ];
        this.run("redis_exporter", args, Probe::Line(metrics(redis_exporter), "redis_up 1".to_owned())).await;
        if with_inbox {
            let args = ["inbox", "--no-smtp", "--listen", &format!("127.0.0.1:{inbox}")];
            let loadgen = program::own("loadgen").unwrap();
            let args = args.map(str::to_owned).to_vec();
            this.launch("inbox", loadgen, args, Probe::Http(format!("{}/readyz", http(inbox))).into()).await;
        }
        let file = |name: &str| config.join(name).display().to_string();
        let web: Vec<String> =
            this.secured.iter().map(|it| format!("--web.config.file={}", it.file("web.yml"))).collect();
        let mut args = vec![
            format!("--config.file={}", file("alertmanager.yml")),
            format!("--storage.path={here}/alertmanager"),
            format!("--web.listen-address=127.0.0.1:{alertmanager}"),
            "--cluster.listen-address=".to_owned(),
        ];
        args.extend(web.clone());
        let plain = this.secured.is_none();
        let ready = Probe::Http(format!("{}/-/ready", http(alertmanager)));
        this.run("alertmanager", args, if plain { Sign::Probe(ready) } else { Sign::Listens(alertmanager) })
            .await;
        let mut args = vec![
            format!("--config.file={}", file("prometheus.yml")),
            format!("--storage.tsdb.path={here}/prometheus"),
            format!("--web.listen-address=127.0.0.1:{prometheus}"),
            "--rules.alert.resend-delay=3s".to_owned(),
        ];
        args.extend(web);
        let ready = Probe::PrometheusTargets(http(prometheus));
        this.run("prometheus", args, if plain { Sign::Probe(ready) } else { Sign::Listens(prometheus) })
            .await;
        this
    }

    async fn run(&mut self, name: &str, args: Vec<String>, sign: impl Into<Sign>) {
        self.launch(name, program::external(name).unwrap(), args, sign.into()).await;
    }

    async fn launch(&mut self, name: &str, program: PathBuf, args: Vec<String>, sign: Sign) {
        let launch = Launch::new(name, program, args);
        let log = self.dir.path().join(format!("{name}.log"));
        self.processes.push(Process::start(&launch, &log).unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let started = std::time::Instant::now();
        while let Err(reason) = sign.seen(&client).await {
            let process = self.processes.last_mut().unwrap();
            if let Some(status) = process.ended() {
                panic!("{}", process.ended_error(status));
            }
            assert!(started.elapsed() < READY, "{name}: {reason}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// `loadgen drill` as users run it on their own stack.
    pub async fn drill(&self, drills: &[PathBuf]) -> Finished {
        let report = self.dir.path().join("report.json");
        let mut command = support::loadgen();
        command.args(["drill", "--scale", SCALE, "--target", &format!("http://127.0.0.1:{}", self.nginx)]);
        command.args(["--prometheus", &self.prometheus, "--alertmanager", &self.alertmanager]);
        if let Some(secured) = &self.secured {
            command.args(["--cacert", &secured.file("ca.pem")]);
        }
        command.args(["--inbox", self.inbox.as_deref().unwrap_or("none"), "--json"]).arg(&report);
        command.arg("--leftovers").arg(self.dir.path().join("leftovers")).args(drills);
        command.env("NGINX_DIR", self.dir.path()).env("REDIS_PORT", self.redis.to_string());
        command.env("PATH", path_with_tools());
        let output = support::finish(command, Duration::from_secs(420)).await;
        Finished::new(&output, &report)
    }

    pub async fn stop(mut self) {
        for process in self.processes.iter_mut().rev() {
            process.stop(Duration::from_secs(10)).await;
        }
    }
}

/// How to detect that a process is ready.
enum Sign {
    Probe(Probe),
    /// It listens on this port; the preflight of a drill waits for the rest.
    Listens(u16),
}

impl From<Probe> for Sign {
    fn from(probe: Probe) -> Self {
        Self::Probe(probe)
    }
}

impl Sign {
    async fn seen(&self, client: &reqwest::Client) -> Result<(), ready::NotYet> {
        match self {
            Self::Probe(probe) => ready::check(client, probe).await,
            Self::Listens(port) => Ok(TcpStream::connect(("127.0.0.1", *port)).await.map(drop)?),
        }
    }
}

impl Drop for Foreign {
    /// Stops nginx gracefully, even after a failed test: killed, it would leave its worker behind.
    fn drop(&mut self) {
        let Some(nginx) = self.processes.first_mut() else { return };
        nginx.signal(nix::sys::signal::Signal::SIGTERM);
        let started = std::time::Instant::now();
        while nginx.ended().is_none() && started.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub fn files() -> PathBuf {
    program::repository().join("monitoring/foreign")
}

pub fn drill(name: &str) -> PathBuf {
    files().join("drills").join(format!("{name}.yaml"))
}

/// `redis-cli` may only be in the folder of `make setup`.
pub fn path_with_tools() -> std::ffi::OsString {
    let cli = program::external("redis-cli").unwrap();
    let tools = cli.parent().map(Path::to_owned).into_iter();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::env::split_paths(&path).chain(tools)).unwrap()
}
