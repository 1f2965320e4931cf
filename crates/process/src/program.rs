//! Finds programs: external ones on the PATH or in target/tools, the workspace's own next to the running binary.

use std::path::{Path, PathBuf};

use crate::Error;

/// The possible names of a program: its own, then Debian's.
fn names(program: &str) -> Vec<&str> {
    match program {
        "alertmanager" => vec!["alertmanager", "prometheus-alertmanager"],
        "node_exporter" => vec!["node_exporter", "prometheus-node-exporter"],
        "nginx_exporter" => vec!["nginx_exporter", "nginx-prometheus-exporter", "prometheus-nginx-exporter"],
        "redis_exporter" => vec!["redis_exporter", "prometheus-redis-exporter"],
        other => vec![other],
    }
}

/// The repository of this binary: the parent of the first `target` folder above the executable, else the source tree at
/// build time.
#[must_use]
pub fn repository() -> PathBuf {
    let marked = |folder: &Path| folder.join("monitoring/prometheus.yml").is_file();
    let above = |start: PathBuf| start.ancestors().find(|folder| marked(folder)).map(Path::to_owned);
    let starts = [std::env::current_exe(), std::env::current_dir()];
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built_from = || source.ancestors().nth(2).unwrap_or(source).to_owned();
    starts.into_iter().flatten().find_map(above).unwrap_or_else(built_from)
}

/// Finds an external program: first on the PATH, then in Debian's folders of PostgreSQL versions, which are not on the
/// PATH, newest first, then in the folder of `make setup` (target/tools/bin, or `STACK_TOOLS`).
///
/// # Errors
/// [`Error::ProgramMissing`] with the fix.
pub fn external(program: &str) -> Result<PathBuf, Error> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    external_in(program, std::env::split_paths(&path).chain(postgres_folders()), &tools())
}

/// Finds a library to preload: in Debian's folders of libfaketime, then in the folder of `make setup`.
///
/// # Errors
/// [`Error::ProgramMissing`] with the fix.
pub fn preload(library: &str) -> Result<PathBuf, Error> {
    let installed = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = installed.chain([PathBuf::from("/usr/local/lib")]).map(|folder| folder.join("faketime"));
    let lib = tools().with_file_name("lib");
    let found = folders.chain([lib.clone()]).map(|folder| folder.join(library)).find(|path| path.is_file());
    found.ok_or_else(|| Error::ProgramMissing { program: library.to_owned(), tools: lib })
}

/// The folder of `make setup`.
fn tools() -> PathBuf {
    std::env::var_os("STACK_TOOLS").map_or_else(|| repository().join("target/tools/bin"), PathBuf::from)
}

fn postgres_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let mut folders: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    folders.into_iter().map(|folder| folder.join("bin")).collect()
}

/// Like [`external`], with the given folders.
///
/// # Errors
/// [`Error::ProgramMissing`] with the fix.
pub fn external_in(
    program: &str,
    path: impl Iterator<Item = PathBuf>,
    tools: &Path,
) -> Result<PathBuf, Error> {
    let folders: Vec<PathBuf> = path.chain([tools.to_owned()]).collect();
    folders
        .iter()
        .flat_map(|folder| names(program).into_iter().map(|name| folder.join(name)))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| Error::ProgramMissing { program: program.to_owned(), tools: tools.to_owned() })
}

/// Finds one of the workspace's own binaries in the folder of the running one. The executable of a test is one folder
/// deeper, in `deps`.
///
/// # Errors
/// [`Error::NotBuilt`] with the fix.
pub fn own(program: &str) -> Result<PathBuf, Error> {
    let exe = std::env::current_exe().map_err(Error::io("finding the path of this program"))?;
    let mut folder = exe.parent().unwrap_or(Path::new(".")).to_owned();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let candidate = folder.join(program);
    if candidate.is_file() {
        Ok(candidate)
    } else {
        Err(Error::NotBuilt { program: program.to_owned(), folder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_comes_before_the_tools_and_debians_name_serves_too() {
        let dir = tempfile::tempdir().unwrap();
        let (first, tools) = (dir.path().join("first"), dir.path().join("tools"));
        for folder in [&first, &tools] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(tools.join("alertmanager"), "").unwrap();
        let found = || external_in("alertmanager", [first.clone()].into_iter(), &tools).unwrap();
        assert_eq!(found(), tools.join("alertmanager"));
        std::fs::write(first.join("prometheus-alertmanager"), "").unwrap();
        assert_eq!(found(), first.join("prometheus-alertmanager"));
    }

    #[test]
    fn a_missing_program_is_named_with_the_way_out() {
        let error = external_in("redis-server", std::iter::empty(), Path::new("/nowhere")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let text = error.to_string();
        assert!(text.contains("redis-server") && text.contains("make setup"), "{text}");
    }

    /// `make setup` runs before demo, drills and tests, so it must work without a network once everything is available.
    #[test]
    fn setup_is_not_requested_when_every_program_exists() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let make = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        let calls = dir.path().join("calls");
        for program in ["apt-get", "apt-cache", "dpkg-deb", "curl"] {
            let text = format!("#!/bin/sh\necho {program} \"$@\" >>{}\nexit 100\n", calls.display());
            make(&format!("bin/{program}"), &text);
        }
        let text = std::fs::read_to_string(repository().join("monitoring/stack/setup.sh")).unwrap();
        let run = |text: &str| {
            make("monitoring/stack/setup.sh", text);
            let mut command = std::process::Command::new("bash");
            command.arg(dir.path().join("monitoring/stack/setup.sh"));
            command.env("PATH", format!("{}:/usr/bin:/bin", dir.path().join("bin").display()));
            command.output().unwrap()
        };

        let (_, programs) = text.split_once("programs='").unwrap();
        let programs: Vec<&str> = programs.split_once('\'').unwrap().0.lines().collect();
        assert!(programs.len() > 10, "{programs:?}");
        for line in programs {
            make(&format!("target/tools/bin/{}", line.split('|').next().unwrap()), "#!/bin/sh\n");
        }
        make("target/tools/lib/libfaketime.so.1", "");
        let output = run(&text);
        assert!(output.status.success() && !calls.exists(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "setup: all external programs are available\n");

        // A missing program makes it call the package manager, which shows that the check above works.
        let output = run(&text.replacen("programs='", "programs='no-such|no-such|no-such-package\n", 1));
        assert!(String::from_utf8_lossy(&output.stdout).contains("installing no-such from"), "{output:?}");
        assert!(!output.status.success() && calls.exists(), "{output:?}");
    }
}
