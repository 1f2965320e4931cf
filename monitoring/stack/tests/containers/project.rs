//! The compose project of a test, with its own name and ports, and images of this build.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use process::port;
use process::program::{self, repository};
use serde_json::Value;

/// Time scale of the monitoring files; half of the demo's, because the containers share one machine.
pub const SCALE: &str = "10";
/// Tag of the images that the test builds and removes.
const TAG: &str = "test";

/// The stand-in images of `make images-local` with the binaries of this build; removed on drop.
pub struct Images {
    pub env: PathBuf,
}

impl Images {
    pub fn build() -> Self {
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

/// A project of the compose file with its own name and ports; removed on drop.
pub struct Project {
    pub compose: Vec<String>,
    /// Number of words of the program.
    program: usize,
    pub name: String,
    ports: Vec<(String, u16)>,
    pub folder: tempfile::TempDir,
    /// A secret setting.
    pub slack_url: String,
}

/// `docker compose` or `docker-compose`; `None` without an engine.
pub fn compose_command() -> Option<Vec<String>> {
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
    pub fn new(compose: Vec<String>, images: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Rendered like that of local processes, but with container names.
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
        environment +=
            &format!("MONITORING_CONFIG={}\nALERT_RESEND_DELAY=6s\nPATTERN=soak\n", config.display());
        // A configured channel that still goes to the inbox; its file is readable by its owner only.
        let settings = folder.path().join("settings");
        std::fs::create_dir(&settings).unwrap();
        environment += &format!("SETTINGS_DIR={}\n", settings.display());
        let slack_url = format!("http://inbox:8025/slack?token=hush-{}", std::process::id());
        let dotenv = settings.join(".env");
        std::fs::write(&dotenv, format!("SLACK_WEBHOOK_URL={slack_url}\n")).unwrap();
        std::fs::set_permissions(&dotenv, std::fs::Permissions::from_mode(0o600)).unwrap();
        let env_file = folder.path().join("env");
        std::fs::write(&env_file, environment).unwrap();
        let name = format!("firedrill-test-{}", std::process::id());
        let program = compose.len();
        let mut compose = compose;
        compose.extend(["--env-file".into(), env_file.display().to_string(), "-p".into(), name.clone()]);
        compose.extend(["--profile".into(), "monitoring".into()]);
        Self { compose, program, name, ports, folder, slack_url }
    }

    /// The options after the program in every command of this project.
    pub fn options(&self) -> &[String] {
        &self.compose[self.program..]
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.compose[0]);
        command.args(&self.compose[1..]).args(arguments).current_dir(repository()).stdin(Stdio::null());
        command.output().unwrap()
    }

    pub fn url(&self, service: &str) -> String {
        let port = self.ports.iter().find(|(name, _)| name == service).unwrap().1;
        format!("http://127.0.0.1:{port}")
    }

    pub fn containers(&self) -> Vec<String> {
        lines(&self.run(&["ps", "-q"]))
    }

    /// The one container of a service.
    pub fn container(&self, service: &str) -> String {
        lines(&self.run(&["ps", "-q", service])).join("")
    }

    pub fn inspect(&self, container: &str) -> Value {
        let output = Command::new("docker").args(["inspect", container]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()[0].clone()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.run(&["--profile", "load", "down", "-v", "--remove-orphans", "--timeout", "5"]);
    }
}

pub fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

pub async fn json(url: &str) -> Option<Value> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    client.get(url).send().await.ok()?.json().await.ok()
}
