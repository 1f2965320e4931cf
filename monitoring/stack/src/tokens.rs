//! The tokens that Prometheus sends, in the files that prometheus.yml names.

use std::path::Path;

use crate::{error::Error, settings::Settings};
use process::program;

/// The setting of the gateway's public `/metrics`.
pub const METRICS_TOKEN: &str = "METRICS_TOKEN";
/// Sent where no token is required.
const NONE: &str = "none";

/// The token that the stack's gateway requires for `/metrics`: of the environment, else of `.env` in the repository. A
/// stack for a test or a drill has none.
#[must_use]
pub fn metrics_token(settings: &Settings) -> Option<String> {
    setting(settings, METRICS_TOKEN)
}

/// A setting of the user: of the environment, else of `.env` in the repository; not in a stack for a test or a drill.
#[must_use]
pub fn setting(settings: &Settings, name: &str) -> Option<String> {
    let dotenv = program::repository().join(".env");
    settings.outside.then(|| given(name, std::env::var(name).ok(), &dotenv))?
}

fn given(name: &str, environment: Option<String>, dotenv: &Path) -> Option<String> {
    let in_file = || {
        // `loadgen channels` has reported malformed lines.
        let lines = dotenvy::from_path_iter(dotenv).into_iter().flatten().flatten();
        lines.filter(|(line, _)| line == name).last().map(|(_, value)| value)
    };
    environment.or_else(in_file).map(|token| token.trim().to_owned()).filter(|token| !token.is_empty())
}

/// Writes the files. The admin listener needs no token, because it is on loopback.
///
/// # Errors
/// When a file cannot be written.
pub fn write(config: &Path, metrics_token: Option<&str>) -> Result<(), Error> {
    let folder = config.join("secrets");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("admin_token"), NONE))
        .and_then(|()| std::fs::write(folder.join("metrics_token"), metrics_token.unwrap_or(NONE)))
        .map_err(Error::io(format!("writing into {}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_overrides_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(".env");
        let given = |environment| given(METRICS_TOKEN, environment, &file);
        assert_eq!(given(None), None, "no file");
        std::fs::write(&file, "# METRICS_TOKEN=no\nMETRICS_TOKEN= of-file \nOTHER=x\n").unwrap();
        assert_eq!(given(None).as_deref(), Some("of-file"));
        assert_eq!(given(Some("of-env".into())).as_deref(), Some("of-env"));
        assert_eq!(given(Some(String::new())), None, "an empty variable is no token");
    }

    #[test]
    fn prometheus_gets_the_token_or_a_word_that_nobody_checks() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str| std::fs::read_to_string(dir.path().join("secrets").join(name)).unwrap();
        write(dir.path(), None).unwrap();
        assert_eq!((read("admin_token"), read("metrics_token")), ("none".to_owned(), "none".to_owned()));
        write(dir.path(), Some("hush")).unwrap();
        assert_eq!(read("metrics_token"), "hush");
        // The files that prometheus.yml reads.
        let prometheus =
            std::fs::read_to_string(program::repository().join("monitoring/prometheus.yml")).unwrap();
        for line in prometheus.lines().filter_map(|line| line.trim().strip_prefix("credentials_file: ")) {
            assert!(dir.path().join(line).exists(), "{line} is not written");
        }
        assert_eq!(prometheus.matches("credentials_file: ").count(), 2);
    }
}
