//! A rolling restart behind a real load balancer, under load: no request fails.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use process::{Launch, Process};
use process::{port, program};
use serde_json::{Value, json};
use testkit::Haproxy;

use crate::support;

/// Timeout of each step.
const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway with its own database that can be restarted on the same port.
struct Gateway {
    port: u16,
    launch: Launch,
    log: PathBuf,
    process: Process,
}

impl Gateway {
    async fn start(dir: &Path, index: usize) -> Self {
        let (port, admin) = (port::free().unwrap(), port::free().unwrap());
        let limits = dir.join("limits.toml");
        std::fs::write(&limits, "[[policy]]\nname = \"default\"\nlimit = \"1000000/s\"\nburst = 1000000\n")
            .unwrap();
        let env = [
            ("LISTEN", format!("127.0.0.1:{port}")),
            ("ADMIN_LISTEN", format!("127.0.0.1:{admin}")),
            ("DATABASE_URL", format!("sqlite://{}", dir.join(format!("gateway{index}.db")).display())),
            ("RATE_LIMITS_FILE", limits.display().to_string()),
            ("DRAIN_DELAY", "1s".to_owned()),
            ("WORKERS", "2".to_owned()),
            ("LOG_LEVEL", "info".to_owned()),
        ];
        let launch = Launch {
            name: format!("gateway{index}"),
            program: program::own("api").unwrap(),
            args: Vec::new(),
            env: env.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        };
        let log = dir.join(format!("gateway{index}.log"));
        let process = Process::start(&launch, &log).unwrap();
        let gateway = Self { port, launch, log, process };
        gateway.ready().await;
        gateway
    }

    async fn ready(&self) {
        let url = format!("http://127.0.0.1:{}/readyz", self.port);
        support::eventually("a ready gateway", PATIENCE, || async {
            (support::get(&url).await?.0 == 200).then_some(())
        })
        .await;
    }

    async fn ended(&mut self) {
        let status =
            tokio::time::timeout(PATIENCE, self.process.wait()).await.expect("it ends in time").unwrap();
        assert_eq!(status.code(), Some(0), "{status}\n{}", process::tail(&self.log, 20));
    }

    async fn start_again(&mut self) {
        self.process = Process::start(&self.launch, &self.log).unwrap();
        self.ready().await;
    }
}

#[tokio::test]
async fn three_gateways_restarted_one_after_another_lose_no_request() {
    let dir = tempfile::tempdir().unwrap();
    let mut gateways = Vec::new();
    for index in 0..3 {
        gateways.push(Gateway::start(dir.path(), index).await);
    }
    let ports: Vec<u16> = gateways.iter().map(|gateway| gateway.port).collect();
    let haproxy = Haproxy::start(&ports).await.unwrap();

    let report = dir.path().join("run.json");
    let mut command = support::loadgen();
    // Much longer than needed; it is stopped once the last gateway is back.
    command.args(["run", &format!("{}/api/users", haproxy.url()), "-q", "1000", "-z", "5m", "--no-tui"]);
    // Only losses matter, so a busy machine may send late.
    command.args(["--max-lag", "1m", "--out"]).arg(&report);
    let load = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();

    for (index, gateway) in gateways.iter_mut().enumerate() {
        let succeeded = haproxy.backends().await.unwrap()[index].succeeded;
        support::eventually("traffic on the gateway", PATIENCE, || async {
            (haproxy.backends().await.ok()?[index].succeeded >= succeeded + 100).then_some(())
        })
        .await;
        gateway.process.signal(Signal::SIGTERM);
        support::eventually("the balancer to take it out", PATIENCE, || async {
            (!haproxy.backends().await.ok()?[index].up).then_some(())
        })
        .await;
        gateway.ended().await;
        gateway.start_again().await;
        support::eventually("the balancer to take it back", PATIENCE, || async {
            haproxy.backends().await.ok()?[index].up.then_some(())
        })
        .await;
    }
    support::signal(&load, Signal::SIGINT);
    let output =
        tokio::time::timeout(PATIENCE, load.wait_with_output()).await.expect("it ends in time").unwrap();

    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text += &String::from_utf8_lossy(&output.stderr);
    text += &std::fs::read_to_string(haproxy.log()).unwrap();
    assert_eq!(output.status.code(), Some(130), "it must still run when stopped: {text}");
    let run: Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    let scheduled = run["ledger"]["scheduled"].as_u64().unwrap();
    let rate = scheduled as f64 / run["elapsed_seconds"].as_f64().unwrap();
    // Stopping takes up to a second without scheduled requests.
    assert!((700.0..1_010.0).contains(&rate), "{rate} per second: {text}");
    // The complete ledger, so that every other entry is zero. On a machine too busy for this rate some requests are
    // still queued at the end. None of them waits for a stopped gateway: the balancer would have responded 502 when the
    // process ended.
    let unfinished = run["ledger"]["unfinished"].as_u64().unwrap();
    let succeeded = scheduled - unfinished;
    let all_expected = json!({
        "scheduled": scheduled, "expected": succeeded, "unexpected": 0, "transport_errors": 0, "local_errors": 0,
        "shed": 0, "unfinished": unfinished
    });
    assert_eq!(run["ledger"], all_expected, "a request failed: {text}");
    assert_eq!(run["statuses"], json!({ "200": succeeded }), "{text}");
    let backends = haproxy.backends().await.unwrap();
    assert!(backends.iter().all(|backend| backend.up && backend.succeeded >= 100), "{backends:?}");
    assert!(
        backends.iter().all(|backend| (backend.failed, backend.retried) == (0, 0)),
        "the balancer hid no failure: {backends:?}"
    );
}
