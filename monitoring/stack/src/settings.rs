//! Where a stack lives, which files it runs, on which ports and how fast.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::{error::Error, port::Ports};
use process::program;

/// Settings of one stack.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its folder: rendered configuration, data, logs, state. Absolute; made when missing.
    pub dir: PathBuf,
    /// The monitoring files: prometheus.yml, alert_rules/, alertmanager.yml.
    pub monitoring: PathBuf,
    /// One port a service.
    pub ports: Ports,
    /// Every duration of the monitoring files is divided by this; 1 is production. At least 1.
    pub scale: f64,
    /// The folder of last proofs that the inbox exports. Absolute; may be missing.
    pub proofs: PathBuf,
    /// Whether notifications go to the channels that the environment and `.env` in the repository set up: else all go to the
    /// inbox.
    pub outside: bool,
    /// Whether it is one for a test or a drill: the host's processors being busy is then no news.
    pub alone: bool,
}

impl Settings {
    /// The repository's files on the documented ports, moved up by `offset`; each offset has its own folder.
    /// Proofs are where `make drill` keeps them, or in the folder that the variable `PROOFS_DIR` names.
    ///
    /// # Errors
    /// When the offset moves a port past the last; when a relative `PROOFS_DIR` is below no folder.
    pub fn new(offset: u16, scale: f64) -> Result<Self, Error> {
        let repository = program::repository();
        Ok(Self {
            dir: repository.join(format!("target/stack/{offset}")),
            monitoring: repository.join("monitoring"),
            proofs: proofs(&repository, std::env::var_os("PROOFS_DIR"))?,
            ports: Ports::offset(offset)?,
            scale: check_scale(scale)?,
            outside: true,
            alone: false,
        })
    }

    /// The repository's files on free ports in `dir`.
    ///
    /// # Errors
    /// When there are no free ports or the scale is below 1.
    pub fn isolated(dir: PathBuf, scale: f64) -> Result<Self, Error> {
        let monitoring = program::repository().join("monitoring");
        let (ports, scale) = (Ports::free()?, check_scale(scale)?);
        // A stack for a test or a drill tells nobody outside.
        // Nor is the news there what was proven elsewhere.
        let proofs = dir.join("data/proofs");
        Ok(Self { dir, monitoring, proofs, ports, scale, outside: false, alone: true })
    }
}

fn proofs(repository: &Path, named: Option<OsString>) -> Result<PathBuf, Error> {
    match named.filter(|named| !named.is_empty()) {
        Some(named) => std::path::absolute(named).map_err(Error::io("the folder that PROOFS_DIR names")),
        None => Ok(repository.join("target/proofs")),
    }
}

fn check_scale(scale: f64) -> Result<f64, Error> {
    if scale.is_finite() && scale >= 1.0 {
        Ok(scale)
    } else {
        Err(Error::Usage(format!("--scale {scale}: expected a number of at least 1, such as 20")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_is_used_shows_what_drills_prove() {
        let named =
            |named: Option<&str>| proofs(Path::new("/repository"), named.map(OsString::from)).unwrap();
        assert_eq!(
            named(None),
            Path::new("/repository/target/proofs"),
            "where the Makefile's drills keep it"
        );
        assert_eq!(named(Some("")), Path::new("/repository/target/proofs"));
        assert_eq!(named(Some("/var/proofs")), Path::new("/var/proofs"));
        assert_eq!(named(Some("proofs")), std::env::current_dir().unwrap().join("proofs"));
    }

    #[test]
    fn a_scale_below_one_is_refused() {
        for scale in [0.0, 0.5, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Settings::new(0, scale).unwrap_err().exit_code(), 2, "{scale}");
        }
        assert_eq!(Settings::new(7, 20.0).unwrap().ports.api, 8007);
    }
}
