//! Rules that every service of the compose file follows.

use std::collections::BTreeMap;

use process::program::repository;
use serde_json::{Map, Value};

/// Services that run as root, with the reason.
const ROOT: &[(&str, &str)] = &[
    ("secrets", "writes into volumes of other users, and exits at once"),
    ("channels", "reads files that may be readable by their owner only, and exits at once"),
    ("docker-proxy", "the engine's socket belongs to root"),
    ("log-agent", "the engine's log files belong to root"),
    ("cadvisor", "reads control groups and Docker's folder, which belong to root"),
];

/// Settings with a secret's name that hold none: paths of files, numbers and words.
const NOT_SECRET: [&str; 6] =
    ["API_KEYS_FILE", "RATE_LIMIT_KEYS", "REDIS_KEY_PREFIX", "REDIS_TLS_KEY", "REQUIRE_API_KEY", "TLS_KEY"];

/// Services that exit after their work; dependent services wait for that.
const ENDING: [&str; 3] = ["secrets", "channels", "loadgen-image"];

pub fn text(file: &str) -> String {
    std::fs::read_to_string(repository().join(file)).unwrap()
}

pub fn services() -> Map<String, Value> {
    let file: Value = serde_saphyr::from_str(&text("docker-compose.yml")).unwrap();
    file["services"].as_object().unwrap().clone()
}

#[test]
fn every_service_is_confined() {
    for (name, service) in services() {
        assert_eq!(service["read_only"], true, "{name}: its root file system is writable");
        assert_eq!(service["cap_drop"][0], "ALL", "{name}: it has capabilities");
        assert_eq!(service["security_opt"][0], "no-new-privileges:true", "{name}");
        for limit in ["mem_limit", "cpus", "pids_limit"] {
            assert!(!service[limit].is_null(), "{name}: no {limit}");
        }
        assert_eq!(service["logging"]["options"]["max-size"], "10m", "{name}: its log is not rotated");
        // Our images define their user.
        let own = service["image"].as_str().unwrap().contains(":-firedrill/");
        let user = service["user"].as_str().unwrap_or(if own { "65532" } else { "0" });
        let root = user.starts_with('0');
        assert_eq!(root, ROOT.iter().any(|(excused, _)| *excused == name), "{name} runs as {user}");
        for capability in service["cap_add"].as_array().into_iter().flatten() {
            assert!(root && capability == "DAC_READ_SEARCH", "{name}: {capability}");
        }
    }
}

#[test]
fn every_service_has_a_health_check_and_waits_for_its_dependencies() {
    for (name, service) in services() {
        if !ENDING.contains(&name.as_str()) {
            let check = &service["healthcheck"]["test"];
            assert!(check.is_array(), "{name} has no health check");
            // A version command succeeds even if the service is down.
            assert!(!check.to_string().contains("version"), "{name}: {check} cannot fail");
        }
        for (needed, how) in service["depends_on"].as_object().into_iter().flatten() {
            let ends = ENDING.contains(&needed.as_str());
            let expected = if ends { "service_completed_successfully" } else { "service_healthy" };
            assert_eq!(how["condition"], expected, "{name} needs {needed}");
        }
    }
}

#[test]
fn ports_are_on_loopback_and_images_are_pinned_and_replaceable() {
    for (name, service) in services() {
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:${"), "{name}: {port}");
        }
        let image = service["image"].as_str().unwrap();
        let default = image.strip_prefix("${").and_then(|it| it.strip_suffix('}')).unwrap();
        let (variable, default) = default.split_once(":-").unwrap();
        assert!(variable.ends_with("_IMAGE"), "{name}: {image}");
        let (_, tag) = default.rsplit_once(':').unwrap_or_else(|| panic!("{name}: {image} has no tag"));
        assert_ne!(tag, "latest", "{name}");
    }
}

#[test]
fn profiles_have_the_expected_services() {
    let mut profiles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, service) in services() {
        let of: Vec<&str> =
            service["profiles"].as_array().into_iter().flatten().map(|it| it.as_str().unwrap()).collect();
        for profile in if of.is_empty() { vec!["always"] } else { of } {
            profiles.entry(profile.to_owned()).or_default().push(name.clone());
        }
    }
    for names in profiles.values_mut() {
        names.sort();
    }
    assert_eq!(profiles["always"], ["api", "redis", "secrets"]);
    assert_eq!(profiles["load"], ["loadgen", "loadgen-image"]);
    assert_eq!(profiles["tracing"], ["jaeger"]);
    assert_eq!(profiles["logs"], ["log-agent", "loki"]);
    assert_eq!(
        profiles["monitoring"],
        [
            "alertmanager",
            "cadvisor",
            "channels",
            "docker-proxy",
            "grafana",
            "inbox",
            "loadgen-image",
            "node-exporter",
            "prometheus",
            "redis-exporter",
        ]
    );
}

/// Builds of one tag by several services fail on each other, and nobody publishes these names.
#[test]
fn each_image_of_this_repository_is_built_once_and_never_pulled() {
    let mut built: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, service) in services() {
        let image = service["image"].as_str().unwrap().to_owned();
        assert_eq!(
            image.contains(":-firedrill/"),
            service["pull_policy"] == "${PULL_POLICY:-never}",
            "{name}"
        );
        if !service["build"].is_null() {
            built.entry(image).or_default().push(name);
        } else if image.contains(":-firedrill/") {
            // It may be started alone, and then only its dependencies are built.
            assert!(!service["depends_on"]["loadgen-image"].is_null(), "{name}: nothing builds {image}");
        }
    }
    let builders: Vec<&[String]> = built.values().map(Vec::as_slice).collect();
    assert_eq!(builders, [["api".to_owned()], ["loadgen-image".to_owned()]]);
}

/// The names and ports of the profiles are those that Grafana's data sources, the gateway and the agent use.
#[test]
fn traces_and_logs_are_wired() {
    let services = services();
    let endpoint = services["api"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"].as_str().unwrap();
    assert_eq!(endpoint, "${OTLP_ENDPOINT:-http://jaeger:4318}");
    let share = services["api"]["environment"]["OTEL_TRACES_SAMPLER_ARG"].as_str().unwrap();
    assert_eq!(share, "${TRACE_SHARE:-0}", "no collector is needed without the profile");
    let sources = text("grafana/provisioning/datasources/datasources.yml");
    let agent = text("deploy/compose/logs.alloy");
    for (name, port, found) in [("jaeger", 16686, &sources), ("loki", 3100, &sources), ("loki", 3100, &agent)]
    {
        assert!(found.contains(&format!("http://{name}:{port}")), "{name}");
        let published = services[name]["ports"][0].as_str().unwrap();
        assert!(published.ends_with(&format!(":{port}")), "{published}");
        assert_eq!(services[name]["networks"], serde_json::json!(["monitoring"]), "Grafana is there");
    }
    let loki: Value = serde_saphyr::from_str(&text("deploy/compose/loki.yml")).unwrap();
    assert_eq!(loki["server"]["http_listen_port"], 3100);
    for (name, service) in &services {
        assert_eq!(service["logging"]["options"]["tag"], "{{.Name}}", "{name}: the agent labels lines by it");
    }
    assert!(agent.contains("attrs.tag"));
}

/// Docker refuses to start a container that may use more CPUs than there are.
#[test]
fn the_limits_fit_a_machine_with_one_cpu() {
    for (name, service) in services() {
        let cpus = match &service["cpus"] {
            Value::String(text) => text.trim_end_matches('}').rsplit_once(":-").unwrap().1.parse().unwrap(),
            number => number.as_f64().unwrap(),
        };
        assert!(cpus > 0.0 && cpus <= 1.0, "{name}: {cpus} CPUs");
    }
}

/// Where SELinux is enforced, a container can read a mounted file only if it is relabelled (`z`) or the container is not
/// confined. Relabelling files of the system would lock out its services. A missing source would be created, as root.
#[test]
fn mounted_files_exist_and_are_readable_under_selinux() {
    let mut mounted = 0;
    for (name, service) in services() {
        let unlabelled = service["security_opt"].as_array().unwrap().contains(&"label:disable".into());
        for volume in service["volumes"].as_array().into_iter().flatten().map(|it| it.as_str().unwrap()) {
            let source = volume.rsplit_once(":/").unwrap().0;
            // The default of a variable, and what follows it.
            let source = match source.strip_prefix("${").and_then(|it| it.split_once(":-")) {
                Some((_, rest)) => rest.replacen('}', "", 1),
                None => source.to_owned(),
            };
            let Some(first) = source.chars().next().filter(|first| "./".contains(*first)) else {
                assert!(!volume.ends_with('z'), "{name}: the volume {volume} has its label already");
                continue;
            };
            mounted += 1;
            assert!(unlabelled || volume.ends_with(":ro,z"), "{name}: {volume}");
            assert!(first == '.' || !volume.ends_with('z'), "{name}: {volume} relabels the system");
            if first == '.' {
                assert!(repository().join(&source).exists(), "{name}: {source} would be created as root");
                let tracked = ["ls-files", "--error-unmatch", &source];
                let git = std::process::Command::new("git").args(tracked).current_dir(repository()).output();
                let git = git.unwrap();
                // A source archive has no list of files.
                let no_list = String::from_utf8_lossy(&git.stderr).contains("not a git repository");
                assert!(git.status.success() || no_list, "{name}: a clone has no {source}");
            }
        }
    }
    assert!(mounted >= 15, "{mounted}");
}

/// `.env.example` has each variable of the compose file with its default, and the variables that the service `channels`
/// reads from `.env`, empty.
#[test]
fn the_example_has_the_default_settings() {
    let compose = text("docker-compose.yml");
    let mut defaults = BTreeMap::new();
    for part in compose.split("${").skip(1) {
        let (variable, _) = part.split_once('}').unwrap();
        let (name, default) =
            variable.split_once(":-").unwrap_or_else(|| panic!("{variable} has no default"));
        let before = defaults.insert(name.to_owned(), default.to_owned());
        assert!(before.is_none_or(|before| before == default), "{name} has two defaults");
    }
    defaults.insert("COMPOSE_PROJECT_NAME".into(), "firedrill".into());
    // Read by Compose itself.
    defaults.insert("COMPOSE_PROFILES".into(), "monitoring".into());
    for name in crate::channels::variables() {
        assert!(!compose.contains(&name), "{name} may be a secret, which the compose file would show");
        defaults.insert(name, String::new());
    }
    let example: BTreeMap<String, String> = text(".env.example")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap())
        .collect();
    assert_eq!(example, defaults);
}

/// Any web page in a browser that reaches Prometheus could stop it.
#[test]
fn no_service_can_be_controlled_without_a_login() {
    for (name, service) in services() {
        let command = service["command"].to_string();
        for flag in ["--web.enable-lifecycle", "--web.enable-admin-api", "--protected-mode"] {
            assert!(!command.contains(flag), "{name}: {flag}");
        }
    }
    let redis = services()["redis"]["command"].to_string();
    assert!(redis.contains("--aclfile"), "{redis}");
}

/// A read-only mount does not make a socket read-only.
#[test]
fn only_the_proxy_reaches_the_socket_of_the_engine() {
    for (name, service) in services() {
        let covered: Vec<&str> =
            service["tmpfs"].as_array().into_iter().flatten().map(|it| it.as_str().unwrap()).collect();
        let root = service["user"].as_str().is_some_and(|user| user.starts_with('0'));
        for volume in service["volumes"].as_array().into_iter().flatten().map(|it| it.as_str().unwrap()) {
            let (source, rest) = volume.rsplit_once(":/").unwrap_or_else(|| panic!("{name}: {volume}"));
            let target = format!("/{}", rest.trim_end_matches(",z").trim_end_matches(":ro"));
            assert!(name == "docker-proxy" || !source.contains("docker.sock"), "{name}: {volume}");
            assert!(!["/run", "/var/run", "/var"].contains(&source), "{name}: {volume}");
            // Other users than root have no right to the socket.
            let sockets = format!("{}/run", target.trim_end_matches('/'));
            assert!(source != "/" || !root || covered.contains(&sockets.as_str()), "{name}: {volume}");
        }
    }
}

/// The file contains no secret, and no environment has one.
#[test]
fn secrets_are_files() {
    for (name, service) in services() {
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            let secret = ["TOKEN", "PASSWORD", "SECRET", "KEY"].iter().any(|part| variable.contains(part));
            let harmless = variable.ends_with("__FILE") || NOT_SECRET.contains(&variable.as_str());
            assert!(!secret || harmless, "{name}: {variable}={value}");
        }
    }
}
