//! The Kubernetes manifests fit their schemas, and their rules are those of `monitoring/alert_rules`.

use std::process::Command;

use serde_json::Value;
use stack::program::repository;

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

#[test]
fn the_rules_have_one_source() {
    let (fresh, text) = run("rules.sh", &["--check"]);
    assert!(fresh, "{text}");

    // Whatever the script does to the lines, the groups are the same groups.
    let mut source = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(repository().join("monitoring/alert_rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        source.extend(rules(&std::fs::read_to_string(file).unwrap()));
    }
    let written =
        std::fs::read_to_string(repository().join("deploy/kubernetes/prometheus-rules.yaml")).unwrap();
    assert!(!source.is_empty());
    assert_eq!(rules(&written), source);
}

#[test]
fn the_manifests_fit_their_schemas_and_a_damaged_one_does_not() {
    let (good, text) = run("check.sh", &[]);
    assert!(good, "{text}");
    println!("{}", text.trim());
    if text.starts_with("skipped:") {
        return;
    }
    let source = std::fs::read_to_string(repository().join("deploy/kubernetes/api.yaml")).unwrap();
    let damaged = source.replace("containerPort: 8000", "containerPort: \"8000\"");
    assert_ne!(source, damaged);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.yaml");
    std::fs::write(&file, damaged).unwrap();
    let (good, text) = run("check.sh", &[file.to_str().unwrap()]);
    assert!(!good && text.contains("containerPort must be integer"), "{text}");
}

/// What the containers are is the same wherever they run.
#[test]
fn images_are_those_of_the_compose_file() {
    let compose = std::fs::read_to_string(repository().join("docker-compose.yml")).unwrap();
    for file in ["redis.yaml"] {
        let text = std::fs::read_to_string(repository().join("deploy/kubernetes").join(file)).unwrap();
        for line in text.lines() {
            if let Some(image) = line.trim().strip_prefix("image: ") {
                assert!(compose.contains(&format!(":-{image}}}")), "{file}: {image}");
            }
        }
    }
}
