//! An exporter, an inbox and Alertmanagers, and between them the servers of a test.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use process::{Launch, Process, port, program};
use serde_json::{Value, json};
use stack::ready::{self, Probe};
use tempfile::TempDir;

use crate::exporter::Exporter;
use crate::support::{self, Finished};

const READY: Duration = Duration::from_secs(60);

pub const ROUTE: &str = "\
route: {receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 3s, repeat_interval: 1h}
receivers:
  - name: hook
    webhook_configs: [{url: INBOX/webhook, send_resolved: true}]
";

/// `--cluster.peer-timeout` of the Alertmanagers.
const PEER_TIMEOUT: &str = "3s";

pub fn http(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Running servers; ended when dropped.
pub struct Bed {
    pub dir: TempDir,
    pub exporter: Exporter,
    pub inbox: String,
    pub alertmanagers: Vec<String>,
    processes: Vec<Process>,
}

impl Bed {
    /// An exporter with these gauges, an inbox, and a cluster of Alertmanagers with this route.
    pub async fn start(gauges: &[(&str, f64)], alertmanagers: usize, route: &str) -> Self {
        let exporter = Exporter::start(gauges);
        let inbox = port::free().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut this =
            Self { dir, exporter, inbox: http(inbox), alertmanagers: Vec::new(), processes: Vec::new() };
        let args = ["inbox", "--no-smtp", "--listen", &format!("127.0.0.1:{inbox}")].map(str::to_owned);
        let ready = Probe::Http(format!("{}/readyz", this.inbox));
        this.launch("inbox", program::own("loadgen").unwrap(), args.to_vec(), &ready).await;
        let config = this.write("alertmanager.yml", &route.replace("INBOX", &this.inbox));
        let ports: Vec<(u16, u16)> =
            (0..alertmanagers).map(|_| (port::free().unwrap(), port::free().unwrap())).collect();
        for (index, (web, cluster)) in ports.iter().enumerate() {
            let name = format!("alertmanager-{index}");
            let mut args = vec![
                format!("--config.file={config}"),
                format!("--storage.path={}", this.path(&name)),
                format!("--web.listen-address=127.0.0.1:{web}"),
            ];
            if alertmanagers == 1 {
                args.push("--cluster.listen-address=".to_owned());
            } else {
                args.push(format!("--cluster.listen-address=127.0.0.1:{cluster}"));
                args.push(format!("--cluster.peer=127.0.0.1:{}", ports[0].1));
                args.push(format!("--cluster.peer-timeout={PEER_TIMEOUT}"));
                // A member that ends is noticed in seconds.
                args.push("--cluster.probe-interval=500ms".to_owned());
                args.push("--cluster.probe-timeout=200ms".to_owned());
            }
            let ready = Probe::Http(format!("{}/-/ready", http(*web)));
            this.run(&name, "alertmanager", args, &ready).await;
            this.alertmanagers.push(http(*web));
        }
        this
    }

    /// The path of a file of the bed.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.dir.path().join(name), text).unwrap();
        self.path(name)
    }

    /// Starts an external program and waits until it is ready.
    pub async fn run(&mut self, name: &str, external: &str, args: Vec<String>, ready: &Probe) {
        self.launch(name, program::external(external).unwrap(), args, ready).await;
    }

    async fn launch(&mut self, name: &str, program: PathBuf, args: Vec<String>, ready: &Probe) {
        let launch = Launch::new(name, program, args);
        self.processes.push(Process::start(&launch, &self.dir.path().join(format!("{name}.log"))).unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let started = std::time::Instant::now();
        while let Err(reason) = ready::check(&client, ready).await {
            let process = self.processes.last_mut().unwrap();
            if let Some(status) = process.ended() {
                panic!("{}", process.ended_error(status));
            }
            assert!(started.elapsed() < READY, "{name}: {reason}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Kills a server.
    pub fn kill(&self, name: &str) {
        let log = self.dir.path().join(format!("{name}.log"));
        let process = self.processes.iter().find(|process| process.log() == log);
        let pid = process.unwrap_or_else(|| panic!("no {name}")).pid();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    }

    /// The text of `scrape_configs` for the exporter, every second.
    pub fn scrape(&self) -> String {
        let target = self.exporter.url.trim_start_matches("http://");
        format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs: [{{job_name: test, static_configs: [{{targets: [\"{target}\"]}}]}}]\n"
        )
    }

    /// A drill file of an alert, caused by setting gauges of the exporter.
    pub fn drill(&self, alert: &str, cause: &str, undo: &str) -> Value {
        let set = |query: &str| json!(["sh", "-ec", format!("curl -sSf \"$TARGET_URL/set?{query}\"")]);
        json!({
            "drill": alert.to_lowercase(),
            "proves": {"alert": alert},
            "summary": alert,
            "cause": {"run": {"start": set(cause), "undo": set(undo)}},
        })
    }

    /// Runs drills with further arguments.
    pub async fn drills(&self, drills: &[Value], args: &[&str]) -> Finished {
        let folder = self.dir.path().join("drills");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for drill in drills {
            let file = folder.join(format!("{}.yaml", drill["drill"].as_str().unwrap()));
            fs::write(file, drill.to_string()).unwrap(); // JSON is YAML
        }
        let report = self.dir.path().join("report.json");
        let mut command = support::loadgen();
        command
            .args(["drill", "--target", &self.exporter.url, "--inbox", &self.inbox, "--json"])
            .arg(&report)
            .args(["--leftovers", "leftovers", "--peer-timeout", PEER_TIMEOUT]);
        for alertmanager in &self.alertmanagers {
            command.args(["--alertmanager", alertmanager]);
        }
        command.args(args).arg(&folder).current_dir(self.dir.path());
        Finished::new(&support::finish(command, Duration::from_secs(400)).await, &report)
    }

    pub async fn stop(mut self) {
        for process in self.processes.iter_mut().rev() {
            process.stop(Duration::from_secs(10)).await;
        }
    }
}

/// Asserts that every drill of a run has this verdict, and that its reason says this.
pub fn assert_verdict(finished: &Finished, count: usize, verdict: &str, says: &str) {
    let drills = finished.report["drills"].as_array().unwrap_or_else(|| panic!("{}", finished.text));
    assert_eq!(drills.len(), count, "{}", finished.text);
    for drill in drills {
        let reason = drill["reason"].as_str().unwrap();
        assert_eq!(drill["verdict"], verdict, "{}: {reason}\n{}", drill["drill"], finished.text);
        assert!(reason.contains(says), "{}: {reason}\n{}", drill["drill"], finished.text);
    }
}
