//! The reference pages match the program: settings, endpoints, metrics, fields of a policy.

#[path = "../../../monitoring/stack/tests/common/tables.rs"]
mod tables;

use crate::helpers::{TestApp, header, spawn_app};
use api::{Config, Gateway};
use clap::{CommandFactory, Parser};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use tables::{codes, rows_under, tables};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The only code span of a cell.
fn code(cell: &str) -> String {
    let codes = codes(cell);
    assert_eq!(codes.len(), 1, "one word between backticks in `{cell}`");
    codes[0].clone()
}

#[test]
fn the_settings_page_has_every_setting_with_its_default() {
    let all = tables(repository(), "docs/reference/settings.md");
    let listed: BTreeMap<String, String> =
        all.iter().flat_map(|table| &table.rows).map(|row| (code(&row[0]), row[1].clone())).collect();
    let command = Config::command();
    let settings: Vec<_> = command.get_arguments().filter(|argument| argument.get_env().is_some()).collect();
    for setting in &settings {
        let name = setting.get_env().unwrap().to_str().unwrap();
        let shown = listed.get(name).unwrap_or_else(|| panic!("docs/reference/settings.md lacks {name}"));
        let default = setting.get_default_values().first().map(|value| value.to_str().unwrap());
        match default.filter(|default| !default.is_empty()) {
            Some(default) => assert_eq!(*shown, format!("`{default}`"), "{name}"),
            None => assert!(shown.is_empty() || !shown.starts_with('`') || shown.contains(" if "), "{name}"),
        }
    }
    assert_eq!(listed.len(), settings.len(), "docs/reference/settings.md has a setting that does not exist");
}

/// Settings that a container does not get from its environment, with the reason.
const NOT_IN_COMPOSE: [(&str, &str); 3] = [
    ("ADMIN_TOKEN", "a secret, in the file .env that the service `secrets` writes"),
    ("REDIS_URL", "has a password, in that file as well"),
    ("METRICS_TOKEN", "a secret; Prometheus would have to have it too"),
];

#[test]
fn every_setting_reaches_the_container() {
    let compose = std::fs::read_to_string(repository().join("docker-compose.yml")).unwrap();
    let (_, service) = compose.split_once("\n  api:\n").unwrap();
    let (_, environment) = service.split_once("\n    environment:\n").unwrap();
    let passed: BTreeSet<&str> = environment
        .lines()
        .map_while(|line| line.strip_prefix("      "))
        .filter_map(|line| line.split_once(':').map(|(name, _)| name))
        .chain(NOT_IN_COMPOSE.map(|(name, _)| name))
        .collect();
    let command = Config::command();
    let known: BTreeSet<&str> =
        command.get_arguments().filter_map(|argument| argument.get_env()?.to_str()).collect();
    assert_eq!(passed, known, "docker-compose.yml, and the settings of the gateway");
}

/// Rows of methods and path, without HEAD, which every GET has.
fn endpoints(heading: &str) -> BTreeMap<String, BTreeSet<String>> {
    let rows = rows_under(repository(), "docs/reference/endpoints.md", heading);
    rows.iter().map(|row| (code(&row[1]), row[0].split(' ').map(str::to_owned).collect())).collect()
}

#[tokio::test]
async fn the_endpoints_page_has_every_path_of_the_public_listener() {
    let app = spawn_app().await;
    let index: Value = app.get("/").await.json().await.unwrap();
    let methods = |list: &Value| -> BTreeSet<String> {
        let names = list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        names.filter(|name| name != "HEAD").collect()
    };
    let mut served: BTreeMap<String, BTreeSet<String>> = index["links"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, list)| (path.clone(), methods(list)))
        .collect();
    served.insert("/".to_owned(), BTreeSet::from(["GET".to_owned()]));
    assert_eq!(endpoints("Public listener"), served);
}

#[tokio::test]
async fn the_endpoints_page_has_every_path_of_the_admin_listener() {
    let app = spawn_app().await;
    let unknown: Value = app.admin("GET", "/").send().await.unwrap().json().await.unwrap();
    let detail = unknown["detail"].as_str().unwrap();
    let paths = detail.split([' ', ',', ';']).filter(|word| word.starts_with('/'));
    let listed = endpoints("Admin listener");
    assert_eq!(listed.keys().cloned().collect::<BTreeSet<_>>(), paths.map(str::to_owned).collect());
    for (path, methods) in listed {
        let options = app.admin("OPTIONS", &path.replace("{id}", "any")).send().await.unwrap();
        let allowed = header(&options, "allow").split(", ").map(str::to_owned);
        let allowed: BTreeSet<String> = allowed.filter(|name| name != "HEAD" && name != "OPTIONS").collect();
        assert_eq!(methods, allowed, "{path}");
    }
}

/// The type and labels of each metric of an exposition, without `le`; no labels if it has no series.
fn families(text: &str) -> BTreeMap<String, (String, Option<BTreeSet<String>>)> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let of = |family: &str, kind: &str| {
        let name = if kind == "histogram" { format!("{family}_count") } else { family.to_owned() };
        let series =
            text.lines().find_map(|line| line.strip_prefix(&name).filter(|it| it.starts_with(['{', ' '])))?;
        let inside =
            series.strip_prefix('{').and_then(|it| it.rsplit_once('}')).map_or("", |(inside, _)| inside);
        let names =
            inside.split("\",").filter_map(|label| label.split_once('=')).map(|(name, _)| name.to_owned());
        Some(names.collect())
    };
    types.map(|(family, kind)| (family.to_owned(), (kind.to_owned(), of(family, kind)))).collect()
}

/// Metrics of a page must match the exported ones; those exported only sometimes must be in the source.
fn compare(heading: &str, exported: &BTreeMap<String, (String, Option<BTreeSet<String>>)>) {
    let mut listed = BTreeSet::new();
    for row in rows_under(repository(), "docs/reference/metrics.md", heading) {
        let name = code(&row[0]);
        match exported.get(&name) {
            Some((kind, labels)) => {
                assert_eq!(row[1], *kind, "{name}");
                let shown: BTreeSet<String> = codes(&row[2]).into_iter().collect();
                assert!(
                    labels.as_ref().is_none_or(|labels| *labels == shown),
                    "{name}: {shown:?}, not {labels:?}"
                );
            }
            None => assert!(in_source(&name), "docs/reference/metrics.md: nothing exports {name}"),
        }
        listed.insert(name);
    }
    let missing: Vec<_> = exported.keys().filter(|name| !listed.contains(*name)).collect();
    assert!(missing.is_empty(), "docs/reference/metrics.md, {heading}, lacks {missing:?}");
}

fn in_source(name: &str) -> bool {
    let mut folders = vec![repository().join("api/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).is_ok_and(|text| text.contains(&format!("\"{name}\""))) {
                return true;
            }
        }
    }
    false
}

async fn exposition(app: &TestApp) -> [String; 2] {
    let public = app.get("/metrics").await.text().await.unwrap();
    let admin = app.admin("GET", "/metrics").send().await.unwrap().text().await.unwrap();
    [public, admin]
}

#[cfg(all(target_os = "linux", feature = "inference"))]
#[tokio::test]
async fn the_metrics_page_has_every_metric_with_its_type_and_labels() {
    let app = spawn_app().await;
    let fault = json!({"route": "/error", "delay": "1ms", "ttl": "30s"});
    assert!(app.admin("PUT", "/faults/a").json(&fault).send().await.unwrap().status().is_success());
    app.get("/error").await;
    let [public, admin] = exposition(&app).await.map(|text| families(&text));
    assert!(public.len() > 20 && admin.len() > 4, "{public:?} {admin:?}");
    assert!(public.contains_key("faults_injected_total"));
    compare("Gateway, public listener", &public);
    compare("Gateway, admin listener", &admin);
}

#[tokio::test]
async fn the_rate_limits_page_has_every_field_of_a_policy() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("limits.toml");
    std::fs::write(&file, "[[policy]]\nnone_such = 1\n").unwrap();
    let config = Config::try_parse_from(["api", "--rate-limits-file", file.to_str().unwrap()]).unwrap();
    let refusal = Gateway::prepare(&config).await.err().unwrap().to_string();
    let (_, expected) = refusal.split_once("expected one of").unwrap();
    let expected: BTreeSet<String> = codes(expected).into_iter().collect();
    let rows = rows_under(repository(), "docs/concepts/rate-limits.md", "Policies");
    assert_eq!(rows.iter().map(|row| code(&row[0])).collect::<BTreeSet<_>>(), expected);
}
