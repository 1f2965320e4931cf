//! Checks that could not run are repeated at the end of `make test`.

use std::process::Command;

use process::program::repository;

/// A check that could not run is the last that `make test` says, and a failure in CI.
#[test]
fn skipped_checks_are_repeated_at_the_end_and_fail_in_ci() {
    let folder = tempfile::tempdir().unwrap();
    let skipped = folder.path().join("skipped");
    let bash = process::program::external("bash").unwrap();
    let check = repository().join("deploy/kubernetes/check.sh");
    // Without npm, as the folder is all of the PATH.
    let dirname = process::program::external("dirname").unwrap();
    std::os::unix::fs::symlink(dirname, folder.path().join("dirname")).unwrap();
    let run =
        Command::new(bash).arg(check).env("PATH", folder.path()).env("SKIPPED", &skipped).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    let line = "SKIPPED: validating the manifests needs node and npm (Debian: npm)\n";
    assert_eq!(std::fs::read_to_string(&skipped).unwrap(), line);
    let close = |ci: &str| {
        let mut command = Command::new("make");
        command.args(["-s", "skipped", &format!("SKIPPED={}", skipped.display())]).env("CI", ci);
        let output = command.env_remove("MAKEFLAGS").current_dir(repository()).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(close(""), (true, line.to_owned()));
    assert_eq!(close("true"), (false, line.to_owned()));
    std::fs::remove_file(&skipped).unwrap();
    assert_eq!(close("true"), (true, String::new()));
}
