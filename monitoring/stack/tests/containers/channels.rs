//! The service `channels` of the compose file: its configuration from `.env` and `deploy/secrets`, by its own command
//! line.

use std::path::Path;
use std::process::{Command, Output};

use process::program::{self, repository};
use serde_json::Value;

use crate::compose_file::{services, text};

/// The variables that `.env.example` leaves empty.
pub fn variables() -> Vec<String> {
    let example = text(".env.example");
    example.lines().filter_map(|line| line.strip_suffix('=')).map(str::to_owned).collect()
}

/// Files of deploy/secrets: name and content.
type Given<'a> = &'a [(&'a str, &'a str)];

/// Folders that replace the volumes of the service.
struct Service {
    folder: tempfile::TempDir,
}

impl Service {
    fn new(env: &str, given: Given) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["given", "settings", "out"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("settings/.env"), env).unwrap();
        for (name, content) in given {
            std::fs::write(folder.path().join("given").join(name), content).unwrap();
        }
        Self { folder }
    }

    fn run(&self) -> Output {
        let place = |argument: &str| -> String {
            let own = |rest: &str| self.folder.path().join(rest).display().to_string();
            match argument.strip_prefix('/') {
                Some("monitoring") => repository().join("monitoring").display().to_string(),
                Some(rest) if !rest.starts_with("etc/") => own(rest),
                _ => argument.to_owned(),
            }
        };
        let service = services()["channels"].clone();
        let arguments = service["command"].as_array().unwrap().iter().map(|it| place(it.as_str().unwrap()));
        Command::new(program::own("loadgen").unwrap())
            .args(arguments)
            // A container does not have the environment of the user.
            .env_clear()
            .output()
            .unwrap()
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("out").join(name)).unwrap()
    }

    /// The configuration, which must pass Alertmanager's own check.
    fn config(&self) -> Value {
        let path = self.folder.path().join("out/alertmanager.yml");
        let checked = Command::new(program::external("amtool").unwrap())
            .arg("check-config")
            .arg(&path)
            .output()
            .unwrap();
        assert!(checked.status.success(), "{checked:?}");
        assert!(String::from_utf8_lossy(&checked.stdout).contains("1 templates"), "{checked:?}");
        serde_saphyr::from_str(&self.file("alertmanager.yml")).unwrap()
    }
}

fn critical(config: &Value) -> Value {
    let receivers = config["receivers"].as_array().unwrap();
    receivers.iter().find(|it| it["name"] == "critical").unwrap().clone()
}

#[test]
fn without_settings_everything_goes_to_the_inbox() {
    // The result of `cp .env.example .env`.
    let service = Service::new(&text(".env.example"), &[]);
    let output = service.run();
    let output_text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output_text.contains("external services: none;"), "{output:?}");
    let config = critical(&service.config());
    assert_eq!(config["pagerduty_configs"][0]["url"], "http://inbox:8025/pagerduty");
    assert_eq!(config["email_configs"][0]["smarthost"], "inbox:1025");
    for (at, file) in ["slack_url", "discord_url"].into_iter().enumerate() {
        assert_eq!(config["slack_configs"][at]["api_url_file"], format!("/etc/alertmanager/secrets/{file}"));
    }
    assert_eq!(service.file("secrets/slack_url"), "http://inbox:8025/slack");
    assert_eq!(service.file("secrets/discord_url"), "http://inbox:8025/discord/slack");
}

/// Each channel by `.env`, and by a file of deploy/secrets if it has one.
#[test]
fn only_configured_channels_go_to_the_real_services() {
    let mail = "SMTP_SMARTHOST=smtp.example.com:587\nSMTP_FROM=am@example.com\nSMTP_TO=us@example.com\nSMTP_USERNAME=am\n";
    let mail_password = format!("{mail}SMTP_PASSWORD=hush4");
    let slack = "https://hooks.slack.com/services/hush1";
    let discord = "https://discord.com/api/webhooks/1/hush2";
    let cases: [(&str, &str, Given); 8] = [
        ("Slack", &format!("SLACK_WEBHOOK_URL={slack}"), &[]),
        ("Slack", "", &[("slack_url", slack)]),
        ("Discord", &format!("DISCORD_WEBHOOK_URL={discord}"), &[]),
        ("Discord", "", &[("discord_url", discord)]),
        ("PagerDuty", "PAGERDUTY_ROUTING_KEY=hush3", &[]),
        ("PagerDuty", "", &[("pagerduty_routing_key", "hush3\n")]),
        ("e-mail", &mail_password, &[]),
        ("e-mail", mail, &[("smtp_password", "hush4\n")]),
    ];
    for (channel, env, given) in cases {
        let service = Service::new(env, given);
        let output = service.run();
        assert!(output.status.success(), "{channel}: {output:?}");
        let output_text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output_text.contains(&format!("external services: {channel};")) && !output_text.contains("hush"),
            "{channel}: {output_text}"
        );
        assert!(
            !service.file("alertmanager.yml").contains("hush"),
            "{channel}: a secret in the configuration"
        );
        let config = critical(&service.config());
        let is = |name: &str| channel == name;

        let or =
            |name, outside: &str, inbox: &str| if is(name) { outside.to_owned() } else { inbox.to_owned() };
        assert_eq!(service.file("secrets/slack_url"), or("Slack", slack, "http://inbox:8025/slack"));
        let discord = format!("{discord}/slack");
        assert_eq!(
            service.file("secrets/discord_url"),
            or("Discord", &discord, "http://inbox:8025/discord/slack")
        );
        let key = service.file("secrets/pagerduty_routing_key");
        assert_eq!(key, or("PagerDuty", "hush3", &"0".repeat(32)));
        let url = or("PagerDuty", "https://events.pagerduty.com/v2/enqueue", "http://inbox:8025/pagerduty");
        assert_eq!(config["pagerduty_configs"][0]["url"], url);
        assert_eq!(service.file("secrets/smtp_password"), or("e-mail", "hush4", "inbox"));
        let email = &config["email_configs"][0];
        for (key, outside, inbox) in [
            ("smarthost", "smtp.example.com:587", "inbox:1025"),
            ("from", "am@example.com", "alertmanager@firedrill.example"),
            ("to", "us@example.com", "oncall@firedrill.example"),
            ("auth_username", "am", "alertmanager"),
        ] {
            assert_eq!(email[key], or("e-mail", outside, inbox), "{channel}: {key}");
        }
        assert_eq!(email["require_tls"], is("e-mail"), "{channel}");
    }
}

#[test]
fn an_incomplete_channel_is_an_error_with_its_name() {
    let service = Service::new("", &[("smtp_password", "hush")]);
    let output = service.run();
    let output_text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        output_text.contains("smtp_password: is set and SMTP_USERNAME is not")
            && !output_text.contains("hush"),
        "{output_text}"
    );
    assert!(!Path::new(&service.folder.path().join("out/alertmanager.yml")).exists());
}

/// Rules rendered as documented have links to the moved ports.
#[test]
fn links_move_with_the_ports() {
    let text = text("docs/operations/troubleshooting.md");
    let command = text.split('`').find(|code| code.starts_with("loadgen scale --by 1 ")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("config");
    let arguments = command.split(' ').skip(1).map(|word| match word {
        "target/config" => out.display().to_string(),
        word => word.to_owned(),
    });
    let mut loadgen = Command::new(program::own("loadgen").unwrap());
    let output = loadgen.args(arguments).current_dir(repository()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut links = 0;
    for entry in std::fs::read_dir(out.join("alert_rules")).unwrap() {
        let rules = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for link in rules.lines().filter_map(|line| line.split_once("_url: ")).map(|(_, link)| link) {
            let moved = ["http://127.0.0.1:18025/runbooks/", "http://127.0.0.1:13000/d/"];
            assert!(moved.iter().any(|to| link.starts_with(to)), "{link}");
            links += 1;
        }
    }
    assert!(links > 60, "{links}");
}

/// Every setting of `.env.example` must have an effect.
#[test]
fn every_empty_setting_of_the_example_is_read() {
    let names = variables();
    assert_eq!(names.len(), 8, "{names:?}");
    for name in names {
        let output = Service::new(&format!("{name}='two words\nin two lines'\n"), &[]).run();
        let output_text = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && output_text.starts_with(&format!("error: {name}: ")),
            "{name}: {output:?}"
        );
    }
}
