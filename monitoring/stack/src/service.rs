//! The services: how each is started and when it is ready.

use std::path::Path;
use std::time::Duration;

use crate::{error::Error, ready::Probe, redis::Passwords, render, settings::Settings, tokens};
use process::Launch;
use process::program;

/// A service of the stack.
#[derive(Debug, Clone)]
pub struct Service {
    /// How to start it.
    pub launch: Launch,
    /// The port it listens on.
    pub port: u16,
    /// Its address, for display.
    pub address: String,
    /// Readiness at the start of the stack.
    pub probe: Probe,
    /// Readiness after a restart, independent of other services.
    pub restart_probe: Probe,
    /// Timeout until it is ready.
    pub limit: Duration,
}

/// Folder of the node exporter's textfile collector, below the stack's data.
pub const TEXTFILES: &str = "textfiles";

/// Arguments of a Redis on loopback without persistence.
#[must_use]
pub fn redis_args(port: u16, dir: &Path) -> Vec<String> {
    [
        ("--port", port.to_string()),
        ("--bind", "127.0.0.1".to_owned()),
        ("--daemonize", "no".to_owned()),
        ("--save", String::new()),
        ("--appendonly", "no".to_owned()),
        ("--dir", dir.display().to_string()),
    ]
    .into_iter()
    .flat_map(|(name, value)| [name.to_owned(), value])
    .collect()
}

/// All services in start order, each after those it needs. Prometheus is last, so that its first scrape finds all
/// targets up.
///
/// # Errors
/// When a program is missing, before anything is started.
pub fn all(settings: &Settings, config: &Path, redis: &Passwords) -> Result<Vec<Service>, Error> {
    let ports = settings.ports;
    let data = settings.dir.join("data");
    let at = |port: u16| format!("127.0.0.1:{port}");
    let http = |port: u16| format!("http://127.0.0.1:{port}");
    let redis_url = format!("redis://127.0.0.1:{}", ports.redis);
    let folder = |name: &str| data.join(name).display().to_string();
    let quick = Duration::from_secs(20);
    let service = |name: &str, program, args: Vec<String>, port, probe: Probe| Service {
        launch: Launch::new(name, program, args),
        port,
        address: http(port),
        restart_probe: probe.clone(),
        probe,
        limit: quick,
    };

    let mut server = service(
        "redis",
        program::external("redis-server")?,
        redis_args(ports.redis, &data).into_iter().chain(redis.server_args()).collect(),
        ports.redis,
        Probe::RedisPing(ports.redis),
    );
    server.address.clone_from(&redis_url);

    let mut exporter = service(
        "redis-exporter",
        program::external("redis_exporter")?,
        [format!("--redis.addr={redis_url}"), format!("--web.listen-address={}", at(ports.redis_exporter))]
            .into_iter()
            .chain(redis.exporter_args())
            .collect(),
        ports.redis_exporter,
        Probe::Line(format!("{}/metrics", http(ports.redis_exporter)), "redis_up 1".to_owned()),
    );

    exporter.restart_probe = Probe::Http(format!("{}/metrics", http(ports.redis_exporter)));

    let mut api = service(
        "api",
        program::own("api")?,
        vec![],
        ports.api,
        Probe::Http(format!("{}/readyz", http(ports.api))),
    );
    api.launch.env = [
        ("LISTEN", at(ports.api)),
        ("ADMIN_LISTEN", at(ports.api_admin)),
        ("REDIS_URL", redis.gateway_url(ports.redis)),
        ("DATABASE_URL", format!("sqlite://{}", data.join("api.db").display())),
        ("LOG_FORMAT", "json".to_owned()),
        ("DRAIN_DELAY", "0s".to_owned()), // no load balancer in front of it
        // The stack shares one machine with other programs.
        ("REDIS_DEADLINE", "200ms".to_owned()),
        ("MODELS_DIR", folder("models")),
        // Low, so that a drill can exceed it without using much memory.
        ("MEMORY_ALERT_BYTES", "400MB".to_owned()),
        // Prometheus sends the same.
        (tokens::METRICS_TOKEN, tokens::metrics_token(settings).unwrap_or_default()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .to_vec();

    let inbox = service(
        "inbox",
        program::own("loadgen")?,
        vec![
            "inbox".to_owned(),
            format!("--listen={}", at(ports.inbox)),
            format!("--data-dir={}", folder("inbox")),
            format!("--smtp={}", at(ports.inbox_smtp)),
            format!("--heartbeat-limit={}", render::heartbeat_limit(settings.scale)),
            format!("--alertmanager={}", http(ports.alertmanager)),
            format!("--proofs={}", settings.proofs.display()),
            format!("--runbooks={}", program::repository().join("docs/runbooks").display()),
        ],
        ports.inbox,
        Probe::Http(format!("{}/readyz", http(ports.inbox))),
    );

    let node_exporter = service(
        "node-exporter",
        program::external("node_exporter")?,
        [
            format!("--web.listen-address={}", at(ports.node_exporter)),
            format!("--collector.textfile.directory={}", folder(TEXTFILES)),
            "--collector.disable-defaults".to_owned(),
        ]
        .into_iter()
        .chain(
            ["cpu", "diskstats", "filesystem", "loadavg", "meminfo", "netdev", "stat", "textfile", "uname"]
                .map(|name| format!("--collector.{name}")),
        )
        .collect(),
        ports.node_exporter,
        Probe::Http(format!("{}/metrics", http(ports.node_exporter))),
    );

    let alertmanager = service(
        "alertmanager",
        program::external("alertmanager")?,
        vec![
            format!("--config.file={}", render::file(config, "alertmanager.yml")),
            format!("--storage.path={}", folder("alertmanager")),
            format!("--web.listen-address={}", at(ports.alertmanager)),
            // The prefix of links in notifications.
            format!("--web.external-url={}", http(ports.alertmanager)),
            "--cluster.listen-address=".to_owned(), // no peers to wait for at start
        ],
        ports.alertmanager,
        Probe::Http(format!("{}/-/ready", http(ports.alertmanager))),
    );

    let mut prometheus = service(
        "prometheus",
        program::external("prometheus")?,
        vec![
            format!("--config.file={}", render::file(config, "prometheus.yml")),
            format!("--storage.tsdb.path={}", folder("prometheus")),
            "--storage.tsdb.retention.time=30d".to_owned(),
            "--storage.tsdb.retention.size=2GB".to_owned(),
            format!("--web.listen-address={}", at(ports.prometheus)),
            format!("--web.external-url={}", http(ports.prometheus)),
            format!("--rules.alert.resend-delay={}", render::resend_delay(settings.scale)),
        ],
        ports.prometheus,
        Probe::PrometheusTargets(http(ports.prometheus)),
    );
    prometheus.restart_probe = Probe::Http(format!("{}/-/ready", http(ports.prometheus)));
    // One scrape and one evaluation at production timings, plus its start.
    prometheus.limit = quick + Duration::from_secs(30);

    Ok(vec![server, exporter, api, inbox, node_exporter, alertmanager, prometheus])
}
