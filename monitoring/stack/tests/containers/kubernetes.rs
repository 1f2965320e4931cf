//! The Kubernetes manifests match their schemas, and their rules equal those of `monitoring/alert_rules`.

use std::collections::BTreeSet;
use std::process::Command;

use process::program::repository;
use serde_json::{Value, json};

fn run(script: &str, arguments: &[&str]) -> (bool, String) {
    let output =
        Command::new(repository().join("deploy/kubernetes").join(script)).args(arguments).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

fn rules(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple::<Value>(text)
        .unwrap()
        .iter()
        .flat_map(|it| it.get("spec").unwrap_or(it)["groups"].as_array().cloned().unwrap_or_default())
        .collect()
}

fn manifest(file: &str) -> String {
    std::fs::read_to_string(repository().join("deploy/kubernetes").join(file)).unwrap()
}

/// The groups of every file in alert_rules, ordered by file name.
fn source() -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(repository().join("monitoring/alert_rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().flat_map(|file| rules(&std::fs::read_to_string(file).unwrap())).collect()
}

/// The job labels of the ServiceMonitors.
fn scraped() -> BTreeSet<String> {
    let monitors = serde_saphyr::from_multiple::<Value>(&manifest("service-monitors.yaml")).unwrap();
    let endpoints = monitors.iter().flat_map(|it| it["spec"]["endpoints"].as_array().unwrap().clone());
    let relabelings = endpoints.flat_map(|it| it["relabelings"].as_array().unwrap().clone());
    let jobs = relabelings.filter(|it| it["targetLabel"] == "job");
    jobs.map(|it| it["replacement"].as_str().unwrap().to_owned()).collect()
}

/// The jobs that an expression selects by `job="A"` and `job=~"A|B"`.
fn jobs(expression: &str) -> BTreeSet<String> {
    assert!(!expression.contains("job!"), "selects jobs by exclusion: {expression}");
    let parts =
        expression.split("job=").skip(1).map(|rest| rest.trim_start_matches('~').split('"').nth(1).unwrap());
    parts.flat_map(|part| part.split('|')).map(str::to_owned).collect()
}

#[test]
fn the_rules_have_one_source() {
    let (fresh, text) = run("rules.sh", &["--check"]);
    assert!(fresh, "{text}");

    // The groups are the same, without the rules about jobs that are not scraped.
    let scraped = scraped();
    let written = rules(&manifest("prometheus-rules.yaml"));
    let mut left_out = Vec::new();
    assert_eq!(written.len(), source().len());
    for (written, source) in written.iter().zip(source()) {
        assert_eq!(written["name"], source["name"]);
        assert_eq!(written["interval"], source["interval"]);
        let mut kept = written["rules"].as_array().unwrap().iter().peekable();
        for rule in source["rules"].as_array().unwrap() {
            // Its list of targets depends on the cluster; the next test checks it.
            if rule["alert"] == "PrometheusTargetDown" {
                let (mut written, mut rule) = (kept.next().unwrap().clone(), rule.clone());
                written["expr"] = Value::Null;
                rule["expr"] = Value::Null;
                assert_eq!(written, rule);
            } else if jobs(rule["expr"].as_str().unwrap()).is_subset(&scraped) {
                assert_eq!(kept.next(), Some(rule));
            } else if let Some(name) = rule["alert"].as_str() {
                left_out.push(name.to_owned());
            }
        }
        assert_eq!(kept.next(), None);
    }
    // In file order: the cluster itself monitors the monitoring and the hosts.
    let expected = [
        "AlertmanagerDown",
        "NotificationsFailing",
        "RuleEvaluationFailing",
        "ConfigReloadFailed",
        "AlertNotProven",
        "ContainerRestarting",
        "ContainerDown",
        "HostHighCpu",
        "HostMemoryLow",
        "HostDiskFull",
    ];
    assert_eq!(left_out, expected);
}

/// With every target of the manifests up, in a cluster with other targets, only the heartbeat fires.
#[test]
fn rules_use_only_jobs_that_manifests_scrape() {
    let scraped = scraped();
    assert_eq!(Vec::from_iter(&scraped), ["api", "custom-metrics", "redis"]);
    let groups = rules(&manifest("prometheus-rules.yaml"));
    let all: Vec<Value> = groups.iter().flat_map(|it| it["rules"].as_array().unwrap().clone()).collect();
    for rule in &all {
        let selected = jobs(rule["expr"].as_str().unwrap());
        assert!(selected.is_subset(&scraped), "{rule}: no manifest scrapes that job");
    }

    let mut series: Vec<Value> = scraped
        .iter()
        .map(|job| json!({"series": format!("up{{job=\"{job}\",instance=\"a\"}}"), "values": "1x40"}))
        .collect();
    series.push(json!({"series": "redis_up{job=\"redis\",instance=\"a\"}", "values": "1x40"}));
    series.push(json!({"series": "up{job=\"other\",instance=\"b\"}", "values": "0x40"}));
    series.push(
        json!({"series": "container_last_seen{job=\"kubelet\",name=\"c\"}", "values": "1+60x10 stale"}),
    );
    let alerts: BTreeSet<&str> = all.iter().filter_map(|rule| rule["alert"].as_str()).collect();
    assert!(alerts.contains("APIDown") && alerts.contains("PrometheusTargetDown"), "{alerts:?}");
    let silent = |minutes: u32| {
        let others = alerts.iter().filter(|name| **name != "Watchdog");
        others
            .map(move |name| json!({"eval_time": format!("{minutes}m"), "alertname": name, "exp_alerts": []}))
    };
    let tests = |series: &[Value], expected: Vec<Value>| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.yml"), json!({"groups": groups}).to_string()).unwrap();
        let file = folder.path().join("test.yml");
        let test = json!({"interval": "1m", "input_series": series, "alert_rule_test": expected});
        let tests = json!({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]});
        std::fs::write(&file, tests.to_string()).unwrap();
        let promtool = process::program::external("promtool").unwrap();
        let output = Command::new(promtool).args(["test", "rules"]).arg(&file).output().unwrap();
        (output.status.success(), format!("{output:?}"))
    };
    let (quiet, message) = tests(&series, silent(5).chain(silent(35)).collect());
    assert!(quiet, "{message}");
    // A missing target fires.
    series.retain(|it| !it["series"].as_str().unwrap().contains("custom-metrics"));
    let (quiet, message) = tests(&series, silent(5).collect());
    assert!(!quiet && message.contains("PrometheusTargetDown"), "{message}");
}

#[test]
fn a_cluster_can_set_its_own_jobs_and_links() {
    let output = Command::new(repository().join("deploy/kubernetes/rules.sh"))
        .arg("--print")
        .env("JOBS", "alertmanager=alertmanager-main prometheus=prometheus-k8s node=node-exporter")
        .env("RUNBOOKS", "https://wiki.example/runbooks?a&b=")
        .env("DASHBOARDS", "https://grafana.example")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let all: Vec<Value> =
        rules(&text).iter().flat_map(|it| it["rules"].as_array().unwrap().clone()).collect();
    let of = |name: &str| all.iter().find(|rule| rule["alert"] == name).unwrap_or_else(|| panic!("{name}"));
    let expression = |name| of(name)["expr"].as_str().unwrap();
    assert_eq!(
        expression("AlertmanagerDown"),
        r#"up{job="alertmanager-main"} == 0 or absent(up{job="alertmanager-main"})"#
    );
    let targets = expression("PrometheusTargetDown");
    assert!(
        targets.starts_with(r#"up{job=~"custom-metrics|redis|prometheus-k8s|node-exporter"} == 0"#),
        "{targets}"
    );
    assert!(
        targets.contains(r#"absent(up{job="node-exporter"})"#) && !targets.contains("inbox"),
        "{targets}"
    );
    assert!(expression("HostMemoryLow").contains(r#"node_memory_MemTotal_bytes{job="node-exporter"}"#));
    let annotations = &of("APIDown")["annotations"];
    assert_eq!(annotations["runbook_url"], "https://wiki.example/runbooks?a&b=/APIDown");
    assert_eq!(annotations["dashboard_url"], "https://grafana.example/d/rx580-api-overview");
    assert!(!text.contains("127.0.0.1"), "a link to the local machine");
}

/// What `secrets.sh` prints has every key that the manifests mount or read.
#[test]
fn secrets_have_the_keys_that_the_manifests_use() {
    let print = |database: &str, proxies: &str| {
        let mut command = Command::new(repository().join("deploy/kubernetes/secrets.sh"));
        command.env("DATABASE_URL", database).env("TRUSTED_PROXIES", proxies);
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let database = "postgres://u:p%24@db:5432/firedrill?sslmode=verify-full";
    let (code, text) = print(database, "10.244.0.0/16,fd00::/8");
    assert_eq!(code, Some(0), "{text}");
    let printed = serde_saphyr::from_multiple::<Value>(&text).unwrap();
    let of = |kind: &str, name: &str, key: &str| {
        let object = printed.iter().find(|it| it["kind"] == kind && it["metadata"]["name"] == name).unwrap();
        let value = object["stringData"].get(key).or_else(|| object["data"].get(key));
        value.unwrap_or_else(|| panic!("{kind} {name} has no {key}")).as_str().unwrap().to_owned()
    };
    let mut used = 0;
    let dotenv = of("Secret", "api", ".env");
    assert!(dotenv.contains(&format!("DATABASE_URL='{database}'\n")), "{dotenv}");
    assert!(dotenv.contains(&format!("ADMIN_TOKEN={}\n", of("Secret", "api", "ADMIN_TOKEN"))), "{dotenv}");
    let metrics = of("Secret", "api", "METRICS_TOKEN");
    assert!(metrics.len() >= 24 && dotenv.contains(&format!("METRICS_TOKEN={metrics}\n")), "{dotenv}");
    // The tokens that Prometheus reads from the cluster.
    for monitor in serde_saphyr::from_multiple::<Value>(&manifest("service-monitors.yaml")).unwrap() {
        let credentials = &monitor["spec"]["endpoints"][0]["authorization"]["credentials"];
        if let (Some(name), Some(key)) = (credentials["name"].as_str(), credentials["key"].as_str()) {
            of("Secret", name, key);
            used += 1;
        }
    }
    assert_eq!(of("ConfigMap", "api", "TRUSTED_PROXIES"), "10.244.0.0/16,fd00::/8");
    assert!(!of("Secret", "redis", "users.acl").contains("PASSWORD"));

    for file in ["api.yaml", "redis.yaml"] {
        for object in serde_saphyr::from_multiple::<Value>(&manifest(file)).unwrap() {
            let pod = &object["spec"]["template"]["spec"];
            for secret in pod["volumes"].as_array().into_iter().flatten().map(|it| &it["secret"]) {
                for item in secret["items"].as_array().into_iter().flatten() {
                    of("Secret", secret["secretName"].as_str().unwrap(), item["key"].as_str().unwrap());
                    used += 1;
                }
            }
            for variable in pod["containers"][0]["env"].as_array().into_iter().flatten() {
                assert!(
                    variable["valueFrom"]["secretKeyRef"].is_null(),
                    "secret in an environment: {variable}"
                );
                let reference = &variable["valueFrom"]["configMapKeyRef"];
                if let Some(name) = reference["name"].as_str() {
                    of("ConfigMap", name, reference["key"].as_str().unwrap());
                    assert!(reference["optional"].is_null(), "the step is required: {variable}");
                    used += 1;
                }
            }
        }
    }
    assert_eq!(used, 5);

    for (database, proxies, missing) in [
        ("", "10.0.0.0/8", "DATABASE_URL is not set"),
        (database, "", "TRUSTED_PROXIES is not set"),
        (database, "*", "must be addresses"),
        ("postgres://u:'@db/x", "10.0.0.0/8", "percent-encode"),
    ] {
        let (code, text) = print(database, proxies);
        assert!(code == Some(2) && text.contains(missing), "{text}");
    }
}

#[test]
fn the_namespace_denies_what_no_policy_allows() {
    let policies: Vec<Value> = ["network-policies.yaml", "api.yaml", "redis.yaml"]
        .iter()
        .flat_map(|file| serde_saphyr::from_multiple::<Value>(&manifest(file)).unwrap())
        .filter(|object| object["kind"] == "NetworkPolicy")
        .collect();
    let deny = policies.iter().find(|it| it["spec"]["podSelector"] == json!({})).unwrap();
    assert_eq!(deny["spec"], json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
    let allowing = |direction: &str, app: &str| {
        let selects = |it: &&Value| {
            it["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == app
                && !it["spec"][direction].is_null()
        };
        policies.iter().filter(selects).count()
    };
    assert_eq!([allowing("ingress", "api"), allowing("egress", "api")], [1, 1]);
    assert_eq!([allowing("ingress", "redis"), allowing("egress", "redis")], [1, 0]);
    assert!(manifest("kustomization.yaml").contains("- network-policies.yaml"));
}

#[test]
fn manifests_match_their_schemas_and_a_damaged_one_does_not() {
    let (good, text) = run("check.sh", &[]);
    assert!(good, "{text}");
    println!("{}", text.trim());
    if text.starts_with("skipped:") {
        return;
    }
    let source = manifest("api.yaml");
    let damaged = source.replace("containerPort: 8000", "containerPort: \"8000\"");
    assert_ne!(source, damaged);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.yaml");
    std::fs::write(&file, damaged).unwrap();
    let (good, text) = run("check.sh", &[file.to_str().unwrap()]);
    assert!(!good && text.contains("containerPort must be integer"), "{text}");
}

/// The images are the same as in the compose file.
#[test]
fn images_are_those_of_the_compose_file() {
    let compose = std::fs::read_to_string(repository().join("docker-compose.yml")).unwrap();
    for file in ["redis.yaml"] {
        for line in manifest(file).lines() {
            if let Some(image) = line.trim().strip_prefix("image: ") {
                assert!(compose.contains(&format!(":-{image}}}")), "{file}: {image}");
            }
        }
    }
}
