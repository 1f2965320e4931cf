//! Prometheus, Alertmanager and the inbox around one exporter.

use std::fs;
use std::time::Duration;

use process::{Launch, Process, port, program};
use stack::ready::{self, Probe};
use tempfile::TempDir;
use tokio::process::Command;

use crate::exporter::Exporter;
use crate::support::{self, Finished};
use crate::table::{Break, Shape};

const READY: Duration = Duration::from_secs(40);

/// `--cluster.peer-timeout` of clustered Alertmanagers.
const PEER_TIMEOUT: &str = "4s";

/// Major and minor version of the Prometheus at hand.
pub fn version() -> (u32, u32) {
    let mut prometheus = std::process::Command::new(program::external("prometheus").unwrap());
    let output = prometheus.arg("--version").output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let version = text.split_whitespace().nth(2).unwrap_or_else(|| panic!("{text}"));
    let mut numbers = version.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// The Alertmanager at the end of the cluster, once all have found each other.
async fn last_of(ports: &[u16]) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let gauge = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0").trim();
        line.parse::<f64>().unwrap() as usize
    };
    let started = std::time::Instant::now();
    loop {
        let mut last = None;
        let mut complete = true;
        for port in ports {
            let response = client.get(format!("http://127.0.0.1:{port}/metrics")).send().await.unwrap();
            let text = response.text().await.unwrap();
            complete &= gauge(&text, "alertmanager_cluster_members ") == ports.len();
            if gauge(&text, "alertmanager_peer_position ") == ports.len() - 1 {
                last = Some(*port);
            }
        }
        if let Some(last) = last.filter(|_| complete) {
            return last;
        }
        assert!(started.elapsed() < READY, "the Alertmanagers do not find each other");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A chain on free ports.
pub struct Chain {
    shape: &'static str,
    pub dir: TempDir,
    pub exporter: Exporter,
    pub prometheus: String,
    alertmanager: String,
    pub inbox: String,
    clustered: bool,
    launches: Vec<Launch>,
    processes: Vec<Process>,
}

impl Chain {
    pub async fn start(shape: &Shape, broken: Option<&Break>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let exporter = Exporter::start(shape.series);
        let free = || port::free().unwrap();
        let (prometheus, inbox) = (free(), free());
        let alertmanagers: Vec<(u16, u16)> = (0..shape.alertmanagers).map(|_| (free(), free())).collect();
        let edit = |text: String| {
            let edits = broken.map_or(&[][..], |it| it.edits).iter();
            edits.fold(text, |text, (old, new)| text.replace(old, new))
        };
        let file = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
        let config = shape.alertmanager.replace("INBOX", &format!("http://127.0.0.1:{inbox}"));
        file("alertmanager.yml", edit(config));
        file("rules.yml", edit(shape.rules.to_owned()));
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let mut this = Self {
            shape: shape.name,
            exporter,
            prometheus: url(prometheus),
            alertmanager: url(alertmanagers[0].0),
            inbox: url(inbox),
            clustered: shape.alertmanagers > 1,
            launches: Vec::new(),
            processes: Vec::new(),
            dir,
        };
        let here = this.dir.path().to_owned();
        let path = |name: &str| here.join(name).display().to_string();
        let args =
            ["inbox", "--no-smtp", "--listen", &format!("127.0.0.1:{inbox}")].map(str::to_owned).to_vec();
        let ready = Probe::Http(format!("{}/readyz", this.inbox));
        this.launch("inbox", program::own("loadgen").unwrap(), args, &ready).await;
        for (index, (web, cluster)) in alertmanagers.iter().enumerate() {
            let mut args = vec![
                format!("--config.file={}", path("alertmanager.yml")),
                format!("--storage.path={}", path(&format!("alertmanager-{index}"))),
                format!("--web.listen-address=127.0.0.1:{web}"),
            ];
            if alertmanagers.len() == 1 {
                args.push("--cluster.listen-address=".to_owned());
            } else {
                args.push(format!("--cluster.listen-address=127.0.0.1:{cluster}"));
                args.push(format!("--cluster.peer=127.0.0.1:{}", alertmanagers[0].1));
                args.push(format!("--cluster.peer-timeout={PEER_TIMEOUT}"));
            }
            let ready = Probe::Http(format!("{}/-/ready", url(*web)));
            let name = format!("alertmanager-{index}");
            this.launch(&name, program::external("alertmanager").unwrap(), args, &ready).await;
        }
        let mut informed: Vec<u16> = alertmanagers.iter().map(|(web, _)| *web).collect();
        if alertmanagers.len() > 1 {
            let last = last_of(&informed).await;
            if shape.only_last {
                informed = vec![last];
                this.alertmanager = url(last);
            }
        }
        fs::write(here.join("prometheus.yml"), this.prometheus_file(shape, &informed)).unwrap();
        let args = vec![
            format!("--config.file={}", path("prometheus.yml")),
            format!("--storage.tsdb.path={}", path("prometheus")),
            format!("--web.listen-address=127.0.0.1:{prometheus}"),
            "--rules.alert.resend-delay=3s".to_owned(),
        ];
        let ready = Probe::PrometheusTargets(this.prometheus.clone());
        this.launch("prometheus", program::external("prometheus").unwrap(), args, &ready).await;
        this
    }

    fn prometheus_file(&self, shape: &Shape, alertmanagers: &[u16]) -> String {
        let targets: Vec<_> = alertmanagers.iter().map(|web| format!("\"127.0.0.1:{web}\"")).collect();
        let target = self.exporter.url.trim_start_matches("http://");
        format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s{}}}\nrule_files: [rules.yml]\n\
             alerting: {{alertmanagers: [{{static_configs: [{{targets: [{}]}}]}}]}}\nscrape_configs: {}\n",
            shape.global,
            targets.join(", "),
            shape.scrapes.replace("TARGET", &format!("\"{target}\""))
        )
    }

    /// Checks that the Prometheus at hand, which is older than the shape, says so when it reads the shape's files.
    pub fn refuses(shape: &Shape) {
        let dir = tempfile::tempdir().unwrap();
        let config = format!(
            "global: {{evaluation_interval: 1s{}}}\nrule_files: [{}]\n",
            shape.global,
            dir.path().join("rules.yml").display()
        );
        fs::write(dir.path().join("rules.yml"), shape.rules).unwrap();
        fs::write(dir.path().join("prometheus.yml"), config).unwrap();
        let mut promtool = std::process::Command::new(program::external("promtool").unwrap());
        let output =
            promtool.args(["check", "config"]).arg(dir.path().join("prometheus.yml")).output().unwrap();
        let text =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(
            !output.status.success() && text.contains("query_offset not found"),
            "{}: {text}",
            shape.name
        );
        println!("skipped: {} needs Prometheus {}.{}", shape.name, shape.since.0, shape.since.1);
    }

    async fn launch(&mut self, name: &str, program: std::path::PathBuf, args: Vec<String>, ready: &Probe) {
        let shape = self.shape;
        let launch = Launch::new(name, program, args);
        self.processes.push(Process::start(&launch, &self.log(name)).unwrap());
        self.launches.push(launch);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let started = std::time::Instant::now();
        while let Err(reason) = ready::check(&client, ready).await {
            let process = self.processes.last_mut().unwrap();
            if let Some(status) = process.ended() {
                panic!("{shape}: {}", process.ended_error(status));
            }
            assert!(started.elapsed() < READY, "{shape}: {name}: {reason}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn log(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(format!("{name}.log"))
    }

    /// Ends a process and starts it anew, without waiting until it is ready.
    pub async fn restart(&mut self, name: &str) {
        let index = self.launches.iter().position(|launch| launch.name == name).unwrap();
        self.processes[index].stop(Duration::from_secs(10)).await;
        self.processes[index] = Process::start(&self.launches[index], &self.log(name)).unwrap();
    }

    /// `loadgen drill` on the shape's drill.
    pub async fn drill(&self, shape: &Shape, broken: Option<&Break>) -> Finished {
        self.run(&self.drill_file(shape, broken), &[]).await
    }

    /// The shape's drill.
    pub fn drill_file(&self, shape: &Shape, broken: Option<&Break>) -> serde_json::Value {
        let set = |query: &str| {
            let url = format!("{}/set?{query}", self.exporter.url);
            serde_json::json!(["curl", "-sSf", "--get", url])
        };
        let cause = broken.and_then(|it| it.cause).unwrap_or(shape.cause);
        let mut drill = serde_json::json!({
            "drill": shape.name,
            "proves": {"alert": shape.alert},
            "summary": shape.name,
            "cause": {"run": {"start": set(cause), "undo": set(shape.undo)}},
            "expect": {"delivered": shape.delivered, "also": shape.also},
        });
        if !shape.labels.is_empty() {
            let labels: serde_json::Map<_, _> =
                shape.labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
            drill["proves"]["labels"] = labels.into();
        }
        drill
    }

    /// `loadgen drill` on a drill, with further arguments, in the chain's folder.
    pub async fn run(&self, drill: &serde_json::Value, more: &[&str]) -> Finished {
        let output = support::finish(self.command(drill, more), Duration::from_secs(240)).await;
        Finished::new(&output, &self.report())
    }

    /// Where a drill writes its report.
    pub fn report(&self) -> std::path::PathBuf {
        self.dir.path().join("report.json")
    }

    /// The command that [`Self::run`] runs.
    pub fn command(&self, drill: &serde_json::Value, more: &[&str]) -> Command {
        let file = self.dir.path().join("drill.yaml");
        fs::write(&file, drill.to_string()).unwrap(); // JSON is YAML
        let mut command = support::loadgen();
        command.args(["drill", "--target", &self.exporter.url, "--prometheus", &self.prometheus]);
        command
            .args(["--alertmanager", &self.alertmanager, "--inbox", &self.inbox, "--json"])
            .arg(self.report());
        if self.clustered {
            command.args(["--peer-timeout", PEER_TIMEOUT]);
        }
        if !more.contains(&"--leftovers") {
            command.args(["--leftovers", "leftovers"]);
        }
        command.arg(&file).args(more).current_dir(self.dir.path());
        command
    }

    pub async fn stop(mut self) {
        for process in self.processes.iter_mut().rev() {
            process.stop(Duration::from_secs(10)).await;
        }
    }
}
