//! With a Docker engine: all services healthy, every target up, drills proven, nothing left behind.

use std::process::Command;
use std::time::{Duration, Instant};

use ::dashboards::fill::Values;
use ::dashboards::{boards, lint, render};
use process::program::{self, repository};
use serde_json::Value;

use crate::markdown::{Given, commands, documents};
use crate::project::{Images, Project, SCALE, compose_command, json, lines};

/// Timeout until all containers are healthy, from the creation of the first.
const HEALTHY: Duration = Duration::from_secs(120);
/// Timeout until targets are up and panels have data, on a busy machine.
const SEEN: Duration = Duration::from_secs(240);
/// Panels without data on local processes, by dashboard; an empty list stands for all panels.
const PANELS: &[(&str, &[&str])] = &[
    ("firedrill-hosts", &["Container memory", "Container CPU", "Restarts of containers"]),
    ("firedrill-load", &[]),
];

#[tokio::test]
async fn services_are_healthy_alerts_are_proven_and_nothing_is_left() {
    let Some(compose) = compose_command() else {
        println!("skipped: no Docker engine with Compose is running");
        return;
    };
    let images = Images::build();
    let project = Project::new(compose, &images.env);
    let started = Instant::now();
    let up = project.run(&["up", "-d"]);
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));

    wait_healthy(&project, started).await;
    println!("healthy after {:.0?}", started.elapsed());
    wait_targets(&project, started).await;
    println!("all targets up after {:.0?}", started.elapsed());
    confined(&project);
    host_networks_are_seen(&project).await;
    let admin = "/run/firedrill/admin_password";
    let password = lines(&project.run(&["exec", "-T", "grafana", "cat", admin])).join("");
    assert!(password.len() >= 24, "the password is too short");
    let shown = Command::new("make")
        .arg("password")
        .env("COMPOSE_PROJECT_NAME", &project.name)
        .current_dir(repository())
        .output();
    assert_eq!(lines(&shown.unwrap()).join(""), password);
    let token =
        lines(&project.run(&["exec", "-T", "prometheus", "cat", "/etc/prometheus/secrets/admin_token"]));
    let slack = "/etc/alertmanager/secrets/slack_url";
    assert_eq!(
        lines(&project.run(&["exec", "-T", "alertmanager", "cat", slack])).join(""),
        project.slack_url
    );
    secrets_stay_secret(&project, &[&password, &token.join(""), &project.slack_url]);

    documented_commands(&project);
    panels(&project).await;

    let control = format!("deploy/compose/service.sh {}", project.options().join(" "));
    // After the last one the error budget alert fires for a while.
    std::fs::write(project.folder.path().join("admin_token"), token.join("")).unwrap();
    for drill in ["api-down", "rate-limit-hits", "very-high-latency", "high-error-rate"] {
        // A drill disturbed by other load of the machine gets a second attempt, as with `make drill`.
        if let Err(first) = proven(&project, &control, drill).await {
            quiet(&project).await;
            let second = proven(&project, &control, drill).await;
            assert!(second.is_ok(), "{drill}: {first}\nand again: {second:?}");
        }
        println!("{drill}: PROVEN");
    }

    let down = project.run(&["down", "-v", "--timeout", "5"]);
    assert!(down.status.success(), "{}", String::from_utf8_lossy(&down.stderr));
    for what in ["ps -aq", "volume ls -q", "network ls -q"] {
        let filter = format!("label=com.docker.compose.project={}", project.name);
        let output =
            Command::new("docker").args(what.split(' ')).args(["--filter", &filter]).output().unwrap();
        assert_eq!(lines(&output), Vec::<String>::new(), "{what} after down -v");
    }
    assert!(project.folder.path().exists()); // must exist as long as it is mounted
}

/// The node exporter reports the interfaces of the host: a bridge exists there only.
async fn host_networks_are_seen(project: &Project) {
    let bridges = std::fs::read_dir("/sys/class/net").unwrap().map(|it| it.unwrap().file_name());
    let bridges: Vec<String> =
        bridges.map(|it| it.into_string().unwrap()).filter(|it| it.starts_with("br-")).collect();
    if bridges.is_empty() {
        println!("skipped: this process does not see the engine's bridges");
        return;
    }
    let query = format!("node_network_receive_bytes_total{{device=~\"{}\"}}", bridges.join("|"));
    let started = Instant::now();
    while !has_data(project, &query).await {
        assert!(started.elapsed() < SEEN, "no data for {query}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Waits until no alert fires that would make a drill REFUSED.
async fn quiet(project: &Project) {
    let suite = std::fs::read_to_string(repository().join("monitoring/drills/suite.yaml")).unwrap();
    let suite: Value = serde_saphyr::from_str(&suite).unwrap();
    let ambient: Vec<Value> =
        suite["ambient"].as_array().unwrap().iter().map(|it| it["alert"].clone()).collect();
    let started = Instant::now();
    loop {
        let alerts = json(&format!("{}/api/v1/alerts", project.url("PROMETHEUS"))).await;
        let alerts = alerts.as_ref().and_then(|it| it["data"]["alerts"].as_array());
        let others = |all: &&Vec<Value>| all.iter().all(|it| ambient.contains(&it["labels"]["alertname"]));
        if alerts.filter(others).is_some() {
            return;
        }
        assert!(started.elapsed() < SEEN, "not quiet within {SEEN:?}: {alerts:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Runs a drill; returns its output if the alert is not proven.
async fn proven(project: &Project, control: &str, drill: &str) -> Result<(), String> {
    let ended = tokio::process::Command::new(program::own("loadgen").unwrap())
        .args(["drill", "--scale", SCALE, "--target", &project.url("API")])
        .args(["--prometheus", &project.url("PROMETHEUS")])
        .args(["--alertmanager", &project.url("ALERTMANAGER"), "--inbox", &project.url("INBOX")])
        .args(["--control", control, "--admin", &project.url("API_ADMIN"), "--admin-token-file"])
        .arg(project.folder.path().join("admin_token"))
        .arg("--leftovers")
        .arg(project.folder.path().join("leftovers"))
        .arg(repository().join(format!("monitoring/drills/{drill}.yaml")))
        .current_dir(repository())
        .kill_on_drop(true)
        .output();
    let output =
        tokio::time::timeout(Duration::from_secs(420), ended).await.expect("the drill ends").unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(()) } else { Err(output_text) }
}

async fn wait_healthy(project: &Project, started: Instant) {
    loop {
        let waiting: Vec<String> = project
            .containers()
            .iter()
            .map(|id| project.inspect(id))
            .filter(|it| it["State"]["Status"] == "running" || it["State"]["ExitCode"] != 0)
            .filter(|it| it["State"]["Health"]["Status"] != "healthy")
            .map(|it| format!("{} {}", it["Name"], it["State"]))
            .collect();
        if waiting.is_empty() {
            return;
        }
        assert!(started.elapsed() < HEALTHY, "not healthy within {HEALTHY:?}: {}", waiting.join("\n"));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn wait_targets(project: &Project, started: Instant) {
    loop {
        let targets = json(&format!("{}/api/v1/targets", project.url("PROMETHEUS"))).await;
        let targets = targets.as_ref().and_then(|it| it["data"]["activeTargets"].as_array());
        let down: Vec<&Value> = targets.into_iter().flatten().filter(|it| it["health"] != "up").collect();
        if targets.is_some_and(|all| all.len() >= 6) && down.is_empty() {
            return;
        }
        assert!(started.elapsed() < SEEN, "targets not up within {SEEN:?}: {down:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Runs the documented commands about containers.
fn documented_commands(project: &Project) {
    let api = project.container("api");
    let compose = project.compose.join(" ");
    let all = documents(&repository()).into_iter().flat_map(|document| commands(&repository(), &document));
    // Excludes what this test does as a whole, and what would affect other images.
    let others = ["docker compose --profile monitoring ", "docker image prune"];
    let given: Vec<Given> = all
        .filter(|given| {
            given.text.starts_with("docker ") && !others.iter().any(|other| given.text.starts_with(other))
        })
        .filter(|given| !given.inline || given.text != "docker compose up")
        .collect();
    assert!(given.len() >= 8, "{given:?}");
    for Given { place, text, .. } in given {
        let command = text
            .replace("docker inspect NAME", &format!("docker inspect {api}"))
            .replace("docker compose", &compose)
            .replace("NAME", "api");
        let output = Command::new("bash").args(["-c", &command]).current_dir(repository()).output().unwrap();
        assert!(output.status.success(), "{place}: {text}: {output:?}");
        assert!(!output.stdout.is_empty() || !output.stderr.is_empty(), "{place}: {text} prints nothing");
    }
}

/// The panels about containers have data, and so has the load dashboard while the service `loadgen` runs.
async fn panels(project: &Project) {
    let up = project.run(&["--profile", "load", "up", "-d", "loadgen"]);
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    let scrape: f64 = 15.0 / SCALE.parse::<f64>().unwrap();
    let values = Values { rate_interval: format!("{}s", (4.0 * scrape).ceil()), ..Values::all() };
    let started = Instant::now();
    let mut queried = 0;
    for board in boards::all() {
        let Some((_, titles)) = PANELS.iter().find(|(uid, _)| *uid == board.uid) else { continue };
        let dashboard = render::json(&board);
        for panel in lint::panels(&dashboard) {
            let title = panel["title"].as_str().unwrap();
            if !titles.is_empty() && !titles.contains(&title) {
                continue;
            }
            for target in panel["targets"].as_array().unwrap() {
                let query = values.fill(target["expr"].as_str().unwrap());
                while !has_data(project, &query).await {
                    assert!(started.elapsed() < SEEN, "no data for {title}: {query}");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                queried += 1;
            }
        }
    }
    assert!(queried >= 15, "{queried}");
    let sender = lines(&project.run(&["--profile", "load", "ps", "-q", "loadgen"])).join("");
    while project.inspect(&sender)["State"]["Health"]["Status"] != "healthy" {
        assert!(started.elapsed() < SEEN, "{}", project.inspect(&sender)["State"]);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    lines(&project.run(&["--profile", "load", "rm", "-sf", "loadgen"]));
}

async fn has_data(project: &Project, query: &str) -> bool {
    let url = format!("{}/api/v1/query", project.url("PROMETHEUS"));
    let url = reqwest::Url::parse_with_params(&url, [("query", query)]).unwrap();
    let response = json(url.as_str()).await.unwrap_or_default();
    let result = response["data"]["result"].as_array();
    result.is_some_and(|all| all.iter().any(|it| it["value"][1].as_str().is_some_and(|value| value != "NaN")))
}

/// The gateway's container is small, read-only and unprivileged; all ports are on loopback.
fn confined(project: &Project) {
    for id in project.containers() {
        let it = project.inspect(&id);
        assert_eq!(it["HostConfig"]["ReadonlyRootfs"], true, "{}", it["Name"]);
        for bound in it["NetworkSettings"]["Ports"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|it| it.as_array().into_iter().flatten())
        {
            assert_eq!(bound["HostIp"], "127.0.0.1", "{}", it["Name"]);
        }
    }
    let api = project.container("api");
    let api = project.inspect(&api);
    assert_eq!(api["Config"]["User"], "65532:65532");
    let image = Command::new("docker")
        .args(["image", "inspect", "-f", "{{.Size}}", api["Image"].as_str().unwrap()])
        .output();
    let bytes: u64 = lines(&image.unwrap())[0].parse().unwrap();
    println!("the gateway's image has {bytes} bytes");
    assert!(bytes < 60_000_000, "the gateway's image has {bytes} bytes");
}

fn secrets_stay_secret(project: &Project, secrets: &[&str]) {
    for id in project.containers() {
        let logs = Command::new("docker").args(["logs", &id]).output().unwrap();
        let seen = [
            project.inspect(&id).to_string(),
            String::from_utf8_lossy(&logs.stdout).into_owned(),
            String::from_utf8_lossy(&logs.stderr).into_owned(),
        ]
        .concat();
        for secret in secrets {
            assert!(!secret.is_empty() && !seen.contains(secret), "a secret can be read in {id}");
        }
    }
}

#[test]
fn the_file_is_valid_with_and_without_settings() {
    let Some(compose) = compose_command() else {
        println!("skipped: no Docker engine with Compose is running");
        return;
    };
    let config = |arguments: &[&str]| {
        let mut command = Command::new(&compose[0]);
        command.args(&compose[1..]).args(arguments).args([
            "--profile",
            "monitoring",
            "--profile",
            "load",
            "config",
        ]);
        let output = command.current_dir(repository()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        output.stdout
    };
    let example = config(&["--env-file", ".env.example"]);
    assert!(!example.is_empty());
    if !repository().join(".env").exists() {
        assert!(config(&[]) == example, "the defaults are those of .env.example");
    }
}
