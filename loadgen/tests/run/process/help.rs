//! The help: fits two screens, is grouped, and every example works.

use std::process::Command;

use crate::command::{LENIENT, LOADGEN, stderr, stdout, summary_adds_up};
use crate::server::Server;

/// The help on a terminal of 80 columns.
fn help() -> String {
    let output = Command::new(LOADGEN).args(["run", "--help"]).env("COLUMNS", "80").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    stdout(&output)
}

#[test]
fn fits_two_screens_without_wrapped_examples() {
    let help = help();
    assert!(help.lines().count() <= 100, "two screens of 80 x 50: {} lines\n{help}", help.lines().count());
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    let examples = help.split("Examples:\n").nth(1).unwrap().lines().take_while(|line| !line.is_empty());
    assert!(examples.clone().count() >= 8, "{help}");
    assert!(examples.clone().all(|line| line.starts_with("  loadgen run")), "an example is wrapped:\n{help}");
    let codes: Vec<_> = help.split("\nExit codes:").nth(1).unwrap().trim().lines().collect();
    assert!(codes.len() == 4 && codes[..3].iter().all(|line| line.len() > 65), "it is wrapped:\n{help}");
}

#[test]
fn every_example_works() {
    let help = help();
    let server = Server::start(|stream, request| {
        let status = match request.head.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["POST", _] => "422 No",
            [_, "/api/error"] => "500 Requested",
            _ => "200 OK",
        };
        let _ = std::io::Write::write_all(
            stream,
            format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes(),
        );
        crate::server::Then::KeepOpen
    });
    let folder = tempfile::tempdir().unwrap();
    let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  loadgen run")).collect();
    assert!(examples.len() >= 8, "{help}");
    for example in examples {
        let (command, comment) = example.split_once(" # ").unwrap_or((example, ""));
        let mut words: Vec<String> = words(command)
            .into_iter()
            .map(|word| word.replace("http://127.0.0.1:8000", &format!("http://{}", server.address)))
            .map(|word| word.replace("250ms", "1h")) // a busy machine may be slower
            .collect();
        if !words.iter().any(|word| word.starts_with("http://")) {
            words.insert(0, server.url("/").to_string());
        }
        // Twenty requests are enough. A repeated flag would be rejected, so an existing -n is replaced.
        match words.iter().position(|word| word == "-n") {
            Some(at) => words[at + 1] = "5".to_owned(),
            None => words.extend(["-n".to_owned(), "20".to_owned()]),
        }
        let output =
            Command::new(LOADGEN).arg("run").args(&words).args(LENIENT).current_dir(folder.path()).output();
        let output = output.unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{command} {comment}: {}{}",
            stdout(&output),
            stderr(&output)
        );
        summary_adds_up(&output);
    }
    assert!(folder.path().join("wave.json").exists() && folder.path().join("wave.html").exists());
}

/// Splits like a shell, as far as the examples need it.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in command.trim().chars() {
        match character {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn groups_the_flags() {
    let help = help();
    for heading in ["Load:", "Limits:", "Request:", "Connection:", "Verdict:", "Output:", "Exit codes:"] {
        assert!(help.contains(&format!("\n{heading}")), "{heading} is not in\n{help}");
    }
    // A flag without a group would be listed here.
    let others = help.split("Options:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    assert_eq!(others.trim(), "-h, --help  Print help");
}
