//! The files of `--out`: complete and under the right names.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::command::{LENIENT, LOADGEN, ledger_adds_up, loadgen, stderr};
use crate::server::Server;
use crate::support::wait_for;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn assert_is_complete(file: &Path) {
    ledger_adds_up(&serde_json::from_slice(&fs::read(file).unwrap()).unwrap());
}

#[test]
fn concurrent_runs_with_one_file_leave_it_complete() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let start = |_| {
        let mut command = Command::new(LOADGEN);
        command.args(["run", server.url("/").as_str(), "-q", "100", "-z", "1s"]).args(LENIENT);
        command.arg("--out").arg(&out).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let runs: Vec<_> = (0..4).map(start).collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    assert_is_complete(&out);
    assert_eq!(names(folder.path()), ["run.json"]);
}

#[test]
fn killed_run_leaves_no_partial_file() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(LOADGEN)
        .args(["run", server.url("/").as_str(), "-q", "100", "-z", "10m", "--out"])
        .arg(folder.path().join("run.json"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("requests", || server.requests() > 5);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn rejects_a_duplicate_file_before_sending() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    symlink("x.json", folder.path().join("link.json")).unwrap();
    for second in ["x.json", "./x.json", "sub/../x.json", "link.json"] {
        let output = Command::new(LOADGEN)
            .args(["run", server.url("/").as_str(), "-n", "1", "--out", "x.json", "--out", second])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{second}: {}", stderr(&output));
        let words = format!("--out {second}: same file as --out x.json");
        assert!(stderr(&output).contains(&words), "{}", stderr(&output));
    }
    assert_eq!(server.requests(), 0);
    assert_eq!(names(folder.path()), ["link.json", "sub"]);
}

#[test]
fn writes_to_the_target_of_a_symbolic_link() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let (link, real) = (folder.path().join("last.json"), folder.path().join("runs"));
    fs::create_dir(&real).unwrap();
    symlink("runs/today.json", &link).unwrap();
    // First the target is missing, then it exists.
    for _ in 0..2 {
        let output = loadgen(&[server.url("/").as_str(), "-n", "3", "--out", link.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_is_complete(&real.join("today.json"));
    }
    let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode();
    fs::write(real.join("any"), "").unwrap();
    assert_eq!(mode(&real.join("today.json")), mode(&real.join("any")), "it has the mode of a new file");
    assert_eq!(
        (names(folder.path()), names(&real)),
        (vec!["last.json".into(), "runs".into()], vec!["any".into(), "today.json".into()])
    );
}

#[test]
fn rejects_paths_that_are_not_files_before_sending() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(file("folder.json")).unwrap();
    symlink("/dev/null", file("device.json")).unwrap();
    symlink("circle.json", file("circle.json")).unwrap();
    nix::unistd::mkfifo(Path::new(&file("pipe.json")), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (name, words) in [
        ("folder.json", "is a directory"),
        ("device.json", "is a pipe, a socket or a device"),
        ("pipe.json", "is a pipe, a socket or a device"),
        ("circle.json", "too many symbolic links"),
        ("none/x.json", "choose another path"),
        ("/dev/stdout", "unknown extension: use .json, .html or .csv"),
    ] {
        let path = if name.starts_with('/') { name.to_owned() } else { file(name) };
        let output = loadgen(&["http://127.0.0.1:1/", "-n", "1", "--out", &path]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(stderr(&output).contains(words) && stderr(&output).contains(name), "{}", stderr(&output));
    }
}
