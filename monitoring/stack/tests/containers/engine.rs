//! With an engine: everything healthy, every target up, drills proven, nothing left behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use stack::port;
use stack::program::{self, repository};

/// Time that all containers together have to be healthy, on a machine that does other things as well.
const HEALTHY: Duration = Duration::from_secs(240);
/// Divides every duration of the monitoring files; half of the demo's, since the containers share what the machine has.
const SCALE: &str = "10";
/// Tag of the images that the test builds and removes.
const TAG: &str = "test";

/// The stand-ins of `make images-local`, of this build's binaries; dropped, they are gone.
struct Images {
    env: PathBuf,
}

impl Images {
    fn build() -> Self {
        let output = Command::new(repository().join("deploy/images/build.sh"))
            .args([program::own("api").unwrap(), program::own("loadgen").unwrap()])
            .env("TAG", TAG)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { env: repository().join(format!("target/images/env-{TAG}")) }
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        for tag in [format!("{TAG}-stand-in"), TAG.to_owned()] {
            let listed =
                Command::new("docker").args(["images", "-q", &format!("firedrill/*:{tag}")]).output();
            let ids = listed.map(|it| String::from_utf8_lossy(&it.stdout).into_owned()).unwrap_or_default();
            let _ = Command::new("docker").args(["rmi", "-f"]).args(ids.lines()).output();
        }
    }
}

/// A project of the compose file under a name and on ports of its own; dropped, it is gone.
struct Project {
    compose: Vec<String>,
    ports: Vec<(String, u16)>,
    folder: tempfile::TempDir,
}

/// `docker compose` or `docker-compose`; `None` when no engine answers.
fn compose_command() -> Option<Vec<String>> {
    let works = |words: &[&str]| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !works(&["docker", "info"]) {
        return None;
    }
    [&["docker", "compose"][..], &["docker-compose"]]
        .into_iter()
        .find(|words| works(&[*words, &["version"]].concat()))
        .map(|words| words.iter().map(|word| (*word).to_owned()).collect())
}

impl Project {
    fn new(compose: Vec<String>, images: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Rendered like the native stack's, but with the names of containers.
        let config = folder.path().join("config");
        let rendered = Command::new(program::own("loadgen").unwrap())
            .args(["scale", "--by", SCALE, "--quiet", "--out"])
            .arg(&config)
            .arg(repository().join("monitoring"))
            .output()
            .unwrap();
        assert!(rendered.status.success(), "{rendered:?}");
        let mut environment = std::fs::read_to_string(images).unwrap();
        let mut ports = Vec::new();
        for line in std::fs::read_to_string(repository().join(".env.example")).unwrap().lines() {
            if let Some((name, _)) = line.split_once("_PORT=") {
                let port = port::free().unwrap();
                environment += &format!("{name}_PORT={port}\n");
                ports.push((name.to_owned(), port));
            }
        }
        environment += &format!("MONITORING_CONFIG={}\nALERT_RESEND_DELAY=6s\n", config.display());
        let env_file = folder.path().join("env");
        std::fs::write(&env_file, environment).unwrap();
        let name = format!("firedrill-test-{}", std::process::id());
        let mut compose = compose;
        compose.extend(["--env-file".into(), env_file.display().to_string(), "-p".into(), name]);
        compose.extend(["--profile".into(), "monitoring".into()]);
        Self { compose, ports, folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.compose[0]);
        command.args(&self.compose[1..]).args(arguments).current_dir(repository()).stdin(Stdio::null());
        command.output().unwrap()
    }

    fn url(&self, service: &str) -> String {
        let port = self.ports.iter().find(|(name, _)| name == service).unwrap().1;
        format!("http://127.0.0.1:{port}")
    }

    fn containers(&self) -> Vec<String> {
        lines(&self.run(&["ps", "-q"]))
    }

    fn inspect(&self, container: &str) -> Value {
        let output = Command::new("docker").args(["inspect", container]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()[0].clone()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.run(&["down", "-v", "--remove-orphans", "--timeout", "5"]);
    }
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

async fn json(url: &str) -> Option<Value> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    client.get(url).send().await.ok()?.json().await.ok()
}

#[tokio::test]
async fn everything_is_healthy_alerts_are_proven_and_nothing_is_left() {
    let Some(compose) = compose_command() else {
        println!("skipped: no Docker engine with Compose answers");
        return;
    };
    let images = Images::build();
    let project = Project::new(compose, &images.env);
    let started = Instant::now();
    let up = project.run(&["up", "-d"]);
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));

    wait_healthy(&project, started).await;
    wait_targets(&project, started).await;
    confined(&project);
    let admin = "/run/firedrill/admin_password";
    let password = lines(&project.run(&["exec", "-T", "grafana", "cat", admin])).join("");
    assert!(password.len() >= 24, "a password that somebody could guess");
    let token =
        lines(&project.run(&["exec", "-T", "prometheus", "cat", "/etc/prometheus/secrets/admin_token"]));
    secrets_stay_secret(&project, &[&password, &token.join("")]);

    for drill in ["high-error-rate", "rate-limit-hits"] {
        let file = repository().join(format!("monitoring/drills/{drill}.yaml"));
        let output = tokio::time::timeout(
            Duration::from_secs(420),
            tokio::process::Command::new(program::own("loadgen").unwrap())
                .args(["drill", "--scale", SCALE, "--target", &project.url("API")])
                .args(["--prometheus", &project.url("PROMETHEUS")])
                .args(["--alertmanager", &project.url("ALERTMANAGER"), "--inbox", &project.url("INBOX")])
                .arg(file)
                .kill_on_drop(true)
                .output(),
        )
        .await
        .expect("the drill ends")
        .unwrap();
        assert!(output.status.success(), "{drill}: {}", String::from_utf8_lossy(&output.stdout));
    }

    let down = project.run(&["down", "-v", "--timeout", "5"]);
    assert!(down.status.success(), "{}", String::from_utf8_lossy(&down.stderr));
    let name = format!("firedrill-test-{}", std::process::id());
    for what in ["ps -aq", "volume ls -q", "network ls -q"] {
        let filter = format!("label=com.docker.compose.project={name}");
        let output =
            Command::new("docker").args(what.split(' ')).args(["--filter", &filter]).output().unwrap();
        assert_eq!(lines(&output), Vec::<String>::new(), "{what} after down -v");
    }
    assert!(project.folder.path().exists()); // it lives as long as what was mounted from it
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
        assert!(started.elapsed() < HEALTHY, "targets not up within {HEALTHY:?}: {down:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The gateway's container is small, read-only and nobody's; nothing listens beyond this machine.
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
    let api = lines(&project.run(&["ps", "-q", "api"])).join("");
    let api = project.inspect(&api);
    assert_eq!(api["Config"]["User"], "65532:65532");
    let image = Command::new("docker")
        .args(["image", "inspect", "-f", "{{.Size}}", api["Image"].as_str().unwrap()])
        .output();
    let bytes: u64 = lines(&image.unwrap())[0].parse().unwrap();
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
        println!("skipped: no Docker engine with Compose answers");
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
