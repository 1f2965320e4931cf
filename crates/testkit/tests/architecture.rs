//! The dependencies between the crates of the workspace, as shown in docs/architecture.md.
//!
//! Every crate must be in [`LAYERS`] with its allowed dependencies.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate with the crates of this workspace that it may use. These are all on earlier lines, so there is no cycle.
const LAYERS: &[(&str, &[&str])] = &[
    ("process", &[]),
    ("testkit", &["process"]),
    ("common", &[]),
    ("promql", &["common"]),
    ("clients", &["common", "promql"]),
    ("alerting", &["common", "promql", "clients"]),
    // `clients` only for the alerts in a report.
    ("load", &["common", "clients"]),
    ("inbox", &["common", "promql", "clients", "alerting"]),
    ("drill", &["common", "promql", "clients", "alerting", "load", "inbox"]),
    ("coverage", &["common", "promql", "clients", "alerting", "inbox", "drill"]),
    ("loadgen", &["common", "promql", "clients", "alerting", "load", "inbox", "drill", "coverage"]),
    ("api", &["common"]),
    ("dashboards", &[]),
    ("stack", &["process", "common", "promql"]),
];
/// Additional crates for the tests of any crate.
const FOR_TESTS: &[&str] = &["common", "process", "testkit"];
/// Additional crates for the tests of one crate: the dashboards are tested on a running stack.
const FOR_TESTS_OF: &[(&str, &str)] = &[("stack", "dashboards")];
/// Crates with a command line; the others use plain configuration structs.
const COMMANDS: &[&str] = &["api", "dashboards", "loadgen", "stack"];
/// Libraries without I/O, and the crates that would add it.
const PURE: &[&str] = &["promql"];
const IO: &[&str] = &["actix-web", "hyper", "hyper-util", "reqwest", "tokio", "ureq"];

/// A member of the workspace, with its dependencies and those of its tests.
struct Member {
    name: String,
    normal: BTreeSet<String>,
    dev: BTreeSet<String>,
}

fn members() -> Vec<Member> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = |package: &Value, dev: bool| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let chosen = dependencies.filter(|it| (it["kind"] == "dev") == dev);
        chosen.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    let member = |package: &Value| Member {
        name: package["name"].as_str().unwrap().to_owned(),
        normal: names(package, false),
        dev: names(package, true),
    };
    metadata["packages"].as_array().unwrap().iter().map(member).collect()
}

/// Every violated rule.
fn faults(members: &[Member]) -> Vec<String> {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut faults = Vec::new();
    for Member { name, normal, dev } in members {
        let name = name.as_str();
        let Some(allowed) = layers.get(name) else {
            faults.push(format!("{name} is unknown: say in LAYERS what it may use"));
            continue;
        };
        let ours = |used: &&str| members.iter().any(|member| member.name == *used);
        let barred = |used: &&str| !allowed.contains(used);
        let for_tests = |used: &str| FOR_TESTS.contains(&used) || FOR_TESTS_OF.contains(&(name, used));
        let (normal, dev) = (normal.iter().map(String::as_str), dev.iter().map(String::as_str));
        for used in normal.clone().filter(ours).filter(barred) {
            faults.push(format!("{name} may not use {used}"));
        }
        for used in dev.filter(ours).filter(barred).filter(|used| !for_tests(used)) {
            faults.push(format!("the tests of {name} may not use {used}"));
        }
        for used in normal {
            if used == "clap" && !COMMANDS.contains(&name) {
                faults.push(format!("{name} is a library and knows the command line (clap)"));
            }
            if PURE.contains(&name) && IO.contains(&used) {
                faults.push(format!("{name} does no I/O and uses {used}"));
            }
        }
    }
    faults
}

#[test]
fn dependencies_point_downwards() {
    let members = members();
    assert!(members.iter().any(|member| member.name == "testkit"), "the workspace was not read");
    assert_eq!(faults(&members), [""; 0]);
}

#[test]
fn no_crate_may_use_a_later_one() {
    for (at, (name, allowed)) in LAYERS.iter().enumerate() {
        for used in *allowed {
            assert!(LAYERS[..at].iter().any(|(earlier, _)| earlier == used), "{name} uses {used}");
        }
    }
}

#[test]
fn each_broken_rule_is_named() {
    let member = |name: &str, normal: &[&str], dev: &[&str]| Member {
        name: name.to_owned(),
        normal: normal.iter().map(|&it| it.to_owned()).collect(),
        dev: dev.iter().map(|&it| it.to_owned()).collect(),
    };
    let members = [
        member("api", &["clap", "loadgen", "common"], &["testkit", "stack"]),
        member("loadgen", &["clap", "load"], &["testkit"]),
        member("load", &["clap", "clients", "drill", "tokio"], &[]),
        member("clients", &["tokio"], &["dashboards"]),
        member("drill", &["load"], &[]),
        member("promql", &["tokio"], &["tokio"]),
        member("stack", &["clap", "testkit"], &["dashboards"]),
        member("testkit", &["process"], &[]),
        member("dashboards", &[], &[]),
        member("newcomer", &[], &[]),
    ];
    let expected = [
        "api may not use loadgen",
        "the tests of api may not use stack",
        "load may not use drill",
        "load is a library and knows the command line (clap)",
        "the tests of clients may not use dashboards",
        "promql does no I/O and uses tokio",
        "stack may not use testkit",
        "newcomer is unknown: say in LAYERS what it may use",
    ];
    assert_eq!(faults(&members), expected);
}
