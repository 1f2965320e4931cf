//! Settings of a stack: folder, monitoring files, ports and time scale.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::{error::Error, port::Ports};
use process::program;

/// Settings of one stack.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its folder for rendered configuration, data, logs and state. Absolute; created if missing.
    pub dir: PathBuf,
    /// The monitoring files: prometheus.yml, alert_rules/, alertmanager.yml.
    pub monitoring: PathBuf,
    /// The ports of its services.
    pub ports: Ports,
    /// Divisor of every duration in the monitoring files; 1 for production timings. At least 1.
    pub scale: f64,
    /// The folder of proofs that the inbox exports. Absolute; may be missing.
    pub proofs: PathBuf,
    /// Whether notifications go to the channels configured by the environment and `.env` of the repository; otherwise
    /// all go to the inbox.
    pub outside: bool,
    /// Whether it is a stack for a test or a drill, where busy CPUs of the host must not fire an alert.
    pub alone: bool,
}

impl Settings {
    /// The repository's files on the documented ports plus `offset`; each offset has its own folder. Proofs are in the
    /// folder of `make drill`, or in that of the variable `PROOFS_DIR`.
    ///
    /// # Errors
    /// When a port exceeds the maximum, or a relative `PROOFS_DIR` cannot be resolved.
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
        // A stack for a test or a drill sends nothing to external channels, and does not export proofs of other stacks.
        let proofs = dir.join("data/proofs");
        Ok(Self { dir, monitoring, proofs, ports, scale, outside: false, alone: true })
    }
}

fn proofs(repository: &Path, named: Option<OsString>) -> Result<PathBuf, Error> {
    match named.filter(|named| !named.is_empty()) {
        Some(named) => std::path::absolute(named).map_err(Error::io("resolving the path in PROOFS_DIR")),
        None => Ok(repository.join("deploy/proofs")),
    }
}

fn check_scale(scale: f64) -> Result<f64, Error> {
    if scale.is_finite() && scale >= 1.0 {
        Ok(scale)
    } else {
        Err(Error::Usage(format!("invalid --scale {scale}: must be at least 1, such as 20")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_stack_exports_the_proofs_of_drills() {
        let named =
            |named: Option<&str>| proofs(Path::new("/repository"), named.map(OsString::from)).unwrap();
        assert_eq!(
            named(None),
            Path::new("/repository/deploy/proofs"),
            "the folder of the Makefile's drills"
        );
        assert_eq!(named(Some("")), Path::new("/repository/deploy/proofs"));
        assert_eq!(named(Some("/var/proofs")), Path::new("/var/proofs"));
        assert_eq!(named(Some("proofs")), std::env::current_dir().unwrap().join("proofs"));
    }

    #[test]
    fn rejects_a_scale_below_one() {
        for scale in [0.0, 0.5, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Settings::new(0, scale).unwrap_err().exit_code(), 2, "{scale}");
        }
        assert_eq!(Settings::new(7, 20.0).unwrap().ports.api, 8007);
    }
}
