//! Models folders for tests, and gateways on them.

use crate::helpers::{TestApp, roomy, spawn_with};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A row of setosa.
pub const IRIS: &[f64] = &[5.1, 3.5, 1.4, 0.2];

/// A models folder for one test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// With the two shipped models.
    pub fn shipped() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for name in ["iris", "digits"] {
            folder.put(name, &Self::shipped_file(name));
        }
        folder
    }

    pub fn shipped_file(name: &str) -> Vec<u8> {
        Self::source(&format!("models/{name}.onnx"))
    }

    pub fn fixture(name: &str) -> Vec<u8> {
        Self::source(&format!("tests/fixtures/models/{name}.onnx"))
    }

    fn source(path: &str) -> Vec<u8> {
        fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub fn dir(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(format!("{name}.onnx"))
    }
}

/// A gateway on a folder, with further flags.
pub async fn spawn_on(folder: &Folder, flags: &[&str]) -> TestApp {
    let mut all = vec!["--models-dir", folder.0.path().to_str().unwrap()];
    if !flags.contains(&"--inference-deadline") {
        // The default of 5 s is for production; a debug build on a busy machine may miss it.
        all.extend(["--inference-deadline", "20s"]);
    }
    all.extend(["--unload-models", "anyone"]);
    all.extend(flags);
    spawn_with(&roomy(), &all).await
}
