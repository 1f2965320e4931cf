//! Outputs of a run: HTML, CSV, live metrics, merged reports.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use load::report::merge::merge;
use load::report::model::Report;
use load::report::{csv, html};

use crate::command::{LENIENT, LOADGEN, loadgen, report_of, stderr, stdout, summary_adds_up};
use crate::server::Server;
use crate::support::wait_for;

fn run(server: &Server, args: &[&str]) -> Report {
    let (output, report) = report_of(&server.url("/"), args);
    serde_json::from_value(report).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)))
}

#[test]
fn secrets_in_a_query_are_in_no_output() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let files = ["json", "html", "csv"].map(|form| folder.path().join(format!("r.{form}")));
    let mut command = Command::new(LOADGEN);
    command.args(["run", server.url("/api/users?limit=5&token=hush-1").as_str(), "-q", "100", "-n", "3"]);
    for file in &files {
        command.arg("--out").arg(file);
    }
    let output = command.output().unwrap();
    let mut texts: Vec<String> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    texts.extend([stdout(&output), stderr(&output)]);
    assert!(texts[0].contains("/api/users?limit=5&token=…"), "{}", texts[0]);
    assert!(texts.iter().all(|text| !text.contains("hush-1")), "{texts:?}");
}

#[test]
fn merges_two_runs_bucket_by_bucket() {
    let server = Server::gateway();
    let first = run(&server, &["-q", "200", "-n", "300"]);
    let second = run(&server, &["-q", "400", "-n", "500", "--expect-status", "404"]);
    let merged = merge(vec![second.clone(), first.clone()]).unwrap();
    crate::schema::validate(&serde_json::to_value(&merged).unwrap());
    let of = |report: &Report| {
        let latency = &report.latency_seconds;
        [&latency.response, &latency.service, &latency.pacer_lag, &latency.connection_wait]
            .map(|distribution| distribution.histogram().unwrap())
    };
    for ((one, other), both) in of(&first).iter().zip(of(&second)).zip(of(&merged)) {
        assert_eq!(both.len(), one.len() + other.len());
        // Every bucket of the merged histogram is the sum of the two.
        for bucket in both.iter_recorded().chain(one.iter_recorded()).chain(other.iter_recorded()) {
            let value = bucket.value_iterated_to();
            assert_eq!(both.count_at(value), one.count_at(value) + other.count_at(value), "{value}");
        }
    }
    assert_eq!((merged.ledger.scheduled, merged.ledger.expected, merged.ledger.unexpected), (800, 300, 500));
    assert!(merged.ledger.adds_up() && merged.runs == 2 && merged.sent == 800);
    assert_eq!(merged.statuses, [(200, 800)].into());
    assert_eq!(merged.series.iter().map(|point| point.sent).sum::<u32>(), 800);
    // One after the other: 300 in 1.5 s and 500 in 1.25 s, without the time between them.
    let target = merged.target_rate.unwrap();
    assert!((target - 800.0 / 2.75).abs() < 5.0, "{target}");
    assert_eq!(merged.started_at, first.started_at);
}

#[test]
fn reads_and_merges_reports_and_checks_thresholds() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (a, b, both, page) = (file("a.json"), file("b.json"), file("both.json"), file("both.html"));
    for out in [&a, &b] {
        loadgen(&[server.url("/").as_str(), "-q", "200", "-n", "100", "--out", out]);
    }
    let report = |args: &[&str]| Command::new(LOADGEN).arg("report").args(args).output().unwrap();
    let output = report(&[&a, &b, "--out", &both, "--out", &page]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("200 scheduled = 200 expected"), "{}", stdout(&output));
    assert!(stdout(&output).contains("2 runs merged"), "{}", stdout(&output));
    assert!(std::fs::read_to_string(&page).unwrap().contains("2 runs merged"));
    let output = report(&[&both, "--threshold", "p50<1us"]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    std::fs::write(file("no.json"), "{\"schema\": \"loadgen-run\", \"schema_version\": 9}").unwrap();
    std::fs::write(file("other.json"), "[]").unwrap();
    for (name, words) in [
        ("no.json", "schema version is 9, expected 1"),
        ("other.json", "not a report of a run"),
        ("missing.json", "cannot read"),
    ] {
        let output = report(&[&file(name)]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(words) && stderr(&output).contains(name), "{}", stderr(&output));
    }
}

#[test]
fn page_is_one_file_with_every_plot() {
    let server = Server::gateway();
    let report = run(&server, &["-q", "100", "-z", "3s", "--threshold", "p99<1h", "-H", "X-A: <script>"]);
    let page = html::page(&report);
    for words in [
        "Requests per second",
        "Response time",
        "Latency by percentile",
        "Responses per second",
        "Generator lag",
        "planned</span>",
        "status 200",
        "p99&lt;1h",
        "Fine: every response was as expected.",
        "prefers-color-scheme:dark",
        "width=device-width",
    ] {
        assert!(page.contains(words), "{words} is not in\n{page}");
    }
    assert_eq!(page.matches("<svg viewBox=\"0 0 400 176\"").count(), 5);
    assert!(!page.contains("<h2>Alerts</h2>"), "alerts were not requested");
    // The page loads nothing: its only URL is that of the target, as text.
    assert!(
        !page.contains("src=")
            && !page.contains("href=")
            && !page.contains("url(")
            && !page.contains("@import")
    );
    assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
}

#[test]
fn page_of_an_hour_is_below_a_megabyte_and_an_empty_page_works() {
    let server = Server::gateway();
    let mut report = run(&server, &["-q", "100", "-n", "30"]);
    let point = report.series[0].clone();
    report.series = (0..3_600)
        .map(|second| {
            let mut point = point.clone();
            point.at_seconds = second;
            point.sent = 100 + second % 7;
            point.response_p99_seconds = Some(f64::from(1 + second % 1_000) / 1e3);
            point
        })
        .collect();
    let page = html::page(&report);
    assert!(page.len() < 200_000, "{}", page.len());
    // The worst second is visible even when seconds share a point.
    assert!(page.contains("1h</text>"), "{page}");
    report.series.clear();
    report.latency_seconds.response.count = 0;
    assert!(html::page(&report).contains("</html>"));
}

#[test]
fn csv_has_one_row_per_second() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.csv");
    let output =
        loadgen(&[server.url("/").as_str(), "-q", "100", "-z", "2s", "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert!(lines.len() >= 3 && lines.iter().all(|line| line.len() == 14), "{text}");
    assert_eq!(lines[0][..3], ["at_seconds", "planned_rate", "scheduled"]);
    assert_eq!(lines[1][..3], ["0", "100", "100"]);
    let report = run(&server, &["-q", "100", "-n", "30"]);
    assert!(csv::rows(&report).ends_with("\r\n"));
}

/// Uses a real Prometheus with a rule that fires at once.
#[tokio::test]
async fn alerts_use_the_same_time_axis() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "groups: [{name: a, interval: 1s, rules: [{alert: AlwaysThere, expr: vector(1), labels: {severity: warning}}]}]";
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    std::fs::write(folder.path().join("prometheus.yml"), "rule_files: [rules.yml]\n").unwrap();
    let Some(prometheus) = prometheus(folder.path()) else {
        panic!("Prometheus is not on the PATH: `make setup` brings it to target/tools/bin")
    };
    let server = Server::gateway();
    let mut alerts = Vec::new();
    for _ in 0..30 {
        let report = run(&server, &["-q", "50", "-z", "1s", "--alerts-from", &prometheus.url]);
        alerts.clone_from(&report.alerts);
        if !alerts.is_empty() {
            let page = html::page(&report);
            assert!(page.contains("<h2>Alerts</h2>") && page.contains("AlwaysThere</text>"), "{page}");
            break;
        }
    }
    let [span] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!(
        (span.alert.as_str(), span.severity.as_str(), span.state.as_str()),
        ("AlwaysThere", "warning", "firing")
    );
    assert!(span.from_seconds < span.to_seconds && span.to_seconds <= 61.0, "{span:?}");

    let (output, report) =
        report_of(&server.url("/"), &["-q", "50", "-n", "5", "--alerts-from", "http://127.0.0.1:1/"]);
    assert_eq!(output.status.code(), Some(0), "missing alerts do not fail the run");
    assert!(stderr(&output).contains("the report has no alerts"), "{}", stderr(&output));
    assert_eq!(report["alerts"], serde_json::json!([]));
}

struct Running {
    child: std::process::Child,
    url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended already
        let _ = self.child.wait();
    }
}

fn prometheus(folder: &std::path::Path) -> Option<Running> {
    let program = std::env::split_paths(&std::env::var_os("PATH")?)
        .chain(std::env::var_os("STACK_TOOLS").map(Into::into))
        .chain([std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/bin")])
        .map(|folder| folder.join("prometheus"))
        .find(|program| program.is_file())?;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new(program)
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running { child, url: format!("http://127.0.0.1:{port}/") };
    wait_for("Prometheus", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    Some(running)
}

fn scrape(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

#[test]
fn exports_live_metrics_during_the_run() {
    let server = Server::gateway();
    let mut child = Command::new(LOADGEN)
        .args(["run", server.url("/").as_str(), "-q", "100", "-z", "10m", "--prometheus-addr", "127.0.0.1:0"])
        .args(LENIENT)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.find(|line| line.as_ref().unwrap().starts_with("metrics: ")).unwrap().unwrap();
    let address = line.trim_start_matches("metrics: http://").trim_end_matches("/metrics").to_owned();
    let sample = |text: &str, name: &str| -> f64 {
        let line =
            text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        line.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    let drain = std::thread::spawn(move || lines.for_each(drop));
    let mut text = String::new();
    wait_for("100 responses and their latencies in the metrics", || {
        text = scrape(&address).unwrap_or_default();
        text.contains("loadgen_response_seconds_count")
            && sample(&text, "loadgen_requests_total{outcome=\"expected\"}") >= 100.0
            && sample(&text, "loadgen_response_seconds_count") >= 100.0
    });
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("text/plain; version=0.0.4"), "{text}");
    assert_eq!(sample(&text, "loadgen_target_rate"), 100.0);
    assert_eq!(sample(&text, "loadgen_errors_total{kind=\"refused\"}"), 0.0);
    let busy = sample(&text, "process_cpu_seconds_total");
    assert!(busy > 0.0 && busy < 60.0, "{busy} s of processor time for 100 requests");
    let count = sample(&text, "loadgen_response_seconds_count");
    assert_eq!(sample(&text, "loadgen_response_seconds_bucket{le=\"+Inf\"}"), count);
    let buckets: Vec<f64> = text
        .lines()
        .filter(|line| line.starts_with("loadgen_response_seconds_bucket"))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(buckets.is_sorted() && buckets.len() == 17, "{buckets:?}");
    crate::command::signal(&child, nix::sys::signal::Signal::SIGINT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    summary_adds_up(&output);
    drain.join().unwrap();
    assert!(TcpStream::connect(&address).is_err(), "the listener ends with the run");
}

#[test]
fn port_in_use_names_its_owner_and_the_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = Server::gateway();
    let address = format!("localhost:{port}");
    let output = loadgen(&[server.url("/").as_str(), "-n", "3", "--prometheus-addr", &address]);
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(
        message.contains(&format!("port {port} is already in use")) && message.contains("--prometheus-addr"),
        "{message}"
    );
    if cfg!(target_os = "linux") {
        assert!(message.contains(&format!("(pid {})", std::process::id())), "{message}");
    }
    assert_eq!(server.requests(), 0);
}
