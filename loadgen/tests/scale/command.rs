//! `loadgen scale` with directories.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::fixture::files;

fn monitoring() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files() {
        write(dir.path(), &path, &text);
    }
    write(dir.path(), "templates/slack.tmpl", "{{ define \"slack.title\" }}x{{ end }}");
    write(dir.path(), "secrets/pw", "secret");
    write(dir.path(), "drills/not-copied.yaml", "drill: x");
    dir
}

fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn scale(dir: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.arg("scale").arg(dir).arg("--out").arg(out).args(more).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn renders_a_directory_into_another() {
    let (dir, out) = (monitoring(), tempfile::tempdir().unwrap());
    let out = out.path().join("deep/rendered");
    let ran = scale(dir.path(), &out, &["--by", "20", "--address", "api:8000=127.0.0.1:18000"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    let message = text(&ran.stdout);
    for part in [
        "prometheus.yml\n  global.scrape_interval: 15s → 1s  (raised to the minimum; the divided value would be 750ms)",
        "scrape_configs[api].static_configs[0].targets[0]: api:8000 → 127.0.0.1:18000",
        "alert_rules/api.yml\n",
        "3 files written to",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(text(&ran.stderr).contains("warning: alert_rules/api.yml: groups[api].rules[Aged].expr"));
    let rules = fs::read_to_string(out.join("alert_rules/api.yml")).unwrap();
    assert!(rules.contains("for: 6s"), "{rules}");
    assert!(fs::read_to_string(out.join("alertmanager.yml")).unwrap().contains("repeat_interval: 12m"));
    assert_eq!(
        fs::read(out.join("templates/slack.tmpl")).unwrap(),
        fs::read(dir.path().join("templates/slack.tmpl")).unwrap()
    );
    assert_eq!(fs::read_to_string(out.join("secrets/pw")).unwrap(), "secret");
    assert!(!out.join("drills").exists());

    // Again, quietly, over the existing output.
    let ran = scale(dir.path(), &out, &["--by", "10", "--quiet"]);
    assert_eq!((ran.status.code(), text(&ran.stdout)), (Some(0), String::new()));
    assert!(fs::read_to_string(out.join("alert_rules/api.yml")).unwrap().contains("for: 12s"));
    let names: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn bad_input_exits_2_and_says_what_to_do() {
    let dir = monitoring();
    let out = tempfile::tempdir().unwrap();
    let (dir, out) = (dir.path(), out.path());
    let missing = dir.join("missing");
    for (from, to, more, says) in [
        (dir, out, &["--by", "0.5"][..], "`0.5`"),
        (dir, out, &["--by", "inf"], "`inf`"),
        (dir, out, &[], "--by"),
        (dir, out, &["--by", "2", "--address", "api"], "`api`"),
        (dir, out, &["--by", "2", "--address", "gone:1=b:2"], "`gone:1`"),
        (dir, dir, &["--by", "2"], "set --out to another directory"),
        (missing.as_path(), out, &["--by", "2"], "missing/prometheus.yml"),
    ] {
        let ran = scale(from, to, more);
        assert_eq!(ran.status.code(), Some(2), "{more:?}: {}", text(&ran.stderr));
        assert!(text(&ran.stderr).contains(says), "{more:?}: {}", text(&ran.stderr));
    }
    assert_eq!(fs::read_dir(out).unwrap().count(), 0);
}

#[test]
fn rejects_missing_and_stale_rule_files() {
    let (dir, out) = (monitoring(), tempfile::tempdir().unwrap());
    write(out.path(), "alert_rules/old.yml", "groups: []");
    let ran = scale(dir.path(), out.path(), &["--by", "2"]);
    let message = text(&ran.stderr);
    assert!(
        ran.status.code() == Some(2) && message.contains("old.yml") && message.contains("remove it"),
        "{message}"
    );

    for (pattern, says) in [
        ("other/*.yml", "`other/*.yml` matches no file"),
        ("/etc/rules.yml", "outside the directory"),
        ("../r.yml", "outside the directory"),
        ("rules/*/*.yml", "a `*` before its last `/`, which Prometheus refuses"),
        ("'[a'", "is not a pattern"),
    ] {
        let text_of = files()["prometheus.yml"].replace("alert_rules/*.yml", pattern);
        write(dir.path(), "prometheus.yml", &text_of);
        let ran = scale(dir.path(), &out.path().join("new"), &["--by", "2"]);
        assert!(ran.status.code() == Some(2) && text(&ran.stderr).contains(says), "{}", text(&ran.stderr));
    }
}

#[test]
fn reads_absolute_rule_files_from_the_root_directory() {
    let (dir, root, out) = (monitoring(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(root.path(), "etc/prometheus/rules/far.yml", &files()["alert_rules/api.yml"]);
    let text_of = files()["prometheus.yml"].replace("alert_rules/*.yml", "'/etc/prometheus/rules/*.yml'");
    write(dir.path(), "prometheus.yml", &text_of);
    let ran = scale(dir.path(), out.path(), &["--by", "20"]);
    let message = text(&ran.stderr);
    assert!(ran.status.code() == Some(2) && message.contains("`/etc/prometheus/rules/*.yml`"), "{message}");
    assert!(message.contains("set --root to the directory to use in place of /"), "{message}");

    let root = root.path().to_str().unwrap();
    let ran = scale(dir.path(), out.path(), &["--by", "20", "--root", root]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    let message = text(&ran.stdout);
    assert!(
        message.contains("rule_files[0]: /etc/prometheus/rules/*.yml → etc/prometheus/rules/*.yml"),
        "{message}"
    );
    let read = |name: &str| fs::read_to_string(out.path().join(name)).unwrap();
    assert!(read("etc/prometheus/rules/far.yml").contains("for: 6s"));
    assert!(read("prometheus.yml").contains("rule_files: ['etc/prometheus/rules/*.yml']"));

    let ran = scale(dir.path(), out.path(), &["--by", "20", "--root", dir.path().to_str().unwrap()]);
    let message = text(&ran.stderr);
    assert!(ran.status.code() == Some(2) && message.contains("matches no file in"), "{message}");
}

#[test]
fn finds_rule_files_like_prometheus_including_empty_ones() {
    let (dir, out) = (monitoring(), tempfile::tempdir().unwrap());
    let text_of =
        files()["prometheus.yml"].replace("alert_rules/*.yml", "'alert_rules/[^a-y]*.yml', 'more/?/*.yml'");
    write(dir.path(), "prometheus.yml", &text_of);
    write(dir.path(), "alert_rules/z.yml", "# none yet\n\n");
    write(dir.path(), "more/a/x.yml", "");
    let ran = scale(dir.path(), out.path(), &["--by", "20"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    assert_eq!(fs::read_to_string(out.path().join("alert_rules/z.yml")).unwrap(), "# none yet\n\n");
    assert!(out.path().join("more/a/x.yml").exists() && !out.path().join("alert_rules/api.yml").exists());
}

/// alertmanager.yml may contain channel URLs, which are secrets.
#[test]
fn preserves_file_modes() {
    let (dir, out) = (monitoring(), tempfile::tempdir().unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let secret =
        |name: &str| fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    secret("alertmanager.yml");
    secret("secrets/pw");
    for _again in 0..2 {
        let ran = scale(dir.path(), out.path(), &["--by", "20"]);
        assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
        for (name, expected) in [("alertmanager.yml", 0o600), ("secrets/pw", 0o600)] {
            assert_eq!(mode(&out.path().join(name)), expected, "{name}");
        }
        assert_eq!(mode(&out.path().join("prometheus.yml")), mode(&dir.path().join("prometheus.yml")));
    }
}

/// The files of this repository: by 1 they are unchanged, by 20 they are still valid.
#[test]
fn scales_the_shipped_files() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../monitoring");
    if !shipped.join("prometheus.yml").exists() {
        return; // outside the repository
    }
    let out = tempfile::tempdir().unwrap();
    let ran = scale(&shipped, out.path(), &["--by", "1"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    for name in ["prometheus.yml", "alertmanager.yml"] {
        assert_eq!(fs::read(out.path().join(name)).unwrap(), fs::read(shipped.join(name)).unwrap(), "{name}");
    }
    for entry in fs::read_dir(out.path().join("alert_rules")).unwrap() {
        let name = entry.unwrap().file_name();
        let of = |dir: &Path| fs::read(dir.join("alert_rules").join(&name)).unwrap();
        assert_eq!(of(out.path()), of(&shipped), "{name:?}");
    }
    let ran = scale(&shipped, out.path(), &["--by", "20"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
}
