//! The commands in the documents do what the documents say: each is run here, or stands in [`ELSEWHERE`] with who runs it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use stack::program::{self, repository};
use tokio::process::Command;

use crate::support::{self, Bed, FAST};

/// The documents whose commands are run.
const DOCUMENTS: &[&str] = &[
    "docs/architecture.md",
    "docs/pipeline.md",
    "docs/receivers.md",
    "docs/troubleshooting.md",
    "docs/walkthrough.md",
    "CONTRIBUTING.md",
];

/// Beginnings of commands that are not run here, and who does run them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("make setup", "make test, before anything else"),
    ("make check", "make test: each of its parts"),
    ("make up", "lifecycle.rs: `stack up`; containers/engine.rs: the compose file"),
    ("make down", "lifecycle.rs: `stack down`; containers/engine.rs"),
    ("make status", "lifecycle.rs: `stack status`"),
    ("make demo", "proven.rs: the same drills at the same scale"),
    ("make drill", "proven.rs: every drill"),
    ("kubectl apply", "containers/kubernetes.rs: the manifests; there is no cluster here"),
];

/// What stands after `$ ` in blocks marked `console`.
fn commands(document: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(document).unwrap();
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            commands.push(command.to_owned());
        }
    }
    commands
}

/// The command at this stack's addresses, with this build's programs, and a load of seconds instead of minutes.
fn here(command: &str, bed: &Bed) -> String {
    let ports = bed.stack.settings().ports;
    let mut command = command.to_owned();
    for (documented, port) in [
        (8000, ports.api),
        (8001, ports.api_admin),
        (9090, ports.prometheus),
        (9093, ports.alertmanager),
        (8025, ports.inbox),
    ] {
        command = command.replace(&format!("127.0.0.1:{documented}"), &format!("127.0.0.1:{port}"));
    }
    if let Some(pattern) = command.strip_prefix("make load PATTERN=") {
        command = format!("loadgen run {} --pattern {pattern} -z 2s", bed.stack.url("api"));
    }
    command
}

#[tokio::test]
async fn every_command_in_the_documents_works() {
    let bed = Bed::start(FAST).await;
    let programs: PathBuf = program::own("loadgen").unwrap().parent().unwrap().to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut run = 0;
    for document in DOCUMENTS {
        for command in commands(&repository().join(document)) {
            if ELSEWHERE.iter().any(|(beginning, _)| command.starts_with(beginning)) {
                continue;
            }
            let here = here(&command, &bed);
            let mut shell = Command::new("bash");
            shell.args(["-c", &here]).env("PATH", &path).current_dir(bed.dir.path());
            shell.stdin(std::process::Stdio::null()).kill_on_drop(true);
            let output = support::finish(shell, Duration::from_secs(60)).await;
            let text = String::from_utf8_lossy(&output.stdout);
            // A load that a busy machine could not send on time exits 4; the command is right all the same.
            let late = here.starts_with("loadgen run") && output.status.code() == Some(4);
            assert!(output.status.success() || late, "{document}: {command}\n{output:?}");
            assert!(
                !text.trim().is_empty() || command.contains("DELETE"),
                "{document}: {command} says nothing"
            );
            assert!(!text.contains("\"status\":404"), "{document}: {command}\n{text}");
            run += 1;
        }
    }
    assert!(run >= 15, "only {run} commands were run");
    bed.stack.stop().await;
}

/// Every `make` command of every document names a target that there is.
#[test]
fn every_make_target_in_the_documents_exists() {
    let makefile = std::fs::read_to_string(repository().join("Makefile")).unwrap();
    let mut documents = vec![repository().join("README.md")];
    documents.extend(DOCUMENTS.iter().map(|document| repository().join(document)));
    let mut seen = 0;
    for document in documents {
        for command in commands(&document) {
            let Some(target) = command.strip_prefix("make ").and_then(|rest| rest.split_whitespace().next())
            else {
                continue;
            };
            assert!(makefile.contains(&format!("\n{target}:")), "{}: make {target}", document.display());
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen}");
}

/// Every file and heading that a document links to is there.
#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let mut documents = vec![repository().join("README.md")];
    documents.extend(DOCUMENTS.iter().map(|document| repository().join(document)));
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        for part in text.split("](").skip(1) {
            let (link, _) = part.split_once(')').unwrap();
            let file = link.split('#').next().unwrap();
            if !link.contains("://") && !file.is_empty() {
                let target = document.parent().unwrap().join(file);
                assert!(target.exists(), "{}: {link}", document.display());
            }
        }
    }
}
