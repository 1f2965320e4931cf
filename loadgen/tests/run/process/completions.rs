//! Completions work in bash, and exist for the other shells.

use std::process::Command;

use crate::command::{LOADGEN, stdout};

fn script(shell: &str) -> String {
    let output = Command::new(LOADGEN).args(["completions", shell]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    stdout(&output)
}

#[test]
fn bash_completes_commands_and_flags() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("loadgen.bash");
    std::fs::write(&file, script("bash")).unwrap();
    for (words, expected) in [("dr", "drill"), ("drill --junit", "--junit"), ("cov", "coverage")] {
        let last = words.rsplit(' ').next().unwrap();
        let before = words.rsplit(' ').nth(1).unwrap_or("loadgen");
        let count = words.split(' ').count();
        let complete = format!(
            "source {}; COMP_WORDS=(loadgen {words}); COMP_CWORD={count}; _loadgen loadgen '{last}' '{before}'; \
             echo \"${{COMPREPLY[@]}}\"",
            file.display()
        );
        let output = Command::new("bash").args(["--norc", "-c", &complete]).output().unwrap();
        assert_eq!(stdout(&output).trim(), expected, "{words}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn other_shells_have_completions_of_every_command() {
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let script = script(shell);
        for command in ["run", "drill", "coverage", "routes", "inbox", "scale", "channels"] {
            assert!(script.contains(command), "{shell} lacks {command}");
        }
    }
}
