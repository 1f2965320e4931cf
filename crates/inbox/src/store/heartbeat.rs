//! The heartbeat's state on disk, beside the history: without it an inbox that is started anew would not know that there
//! ever was a beat to miss, and a stop that was told would never be told to be over.

use std::fs;
use std::path::{Path, PathBuf};

use crate::heartbeat::{Heartbeat, Kept};
use crate::store::journal::{JournalError, failed};

/// The file in the data directory.
const FILE: &str = "heartbeat.json";

/// Where the state is kept.
#[derive(Debug)]
pub struct HeartbeatFile {
    path: PathBuf,
}

impl HeartbeatFile {
    /// In this directory.
    pub fn new(dir: &Path) -> Self {
        Self { path: dir.join(FILE) }
    }

    /// What was kept. A file that holds nothing (the power went while it was written, say) is as good as none.
    pub fn read(&self) -> Option<Kept> {
        serde_json::from_slice(&fs::read(&self.path).ok()?).ok()
    }

    /// Keeps the state as it is now, in place of the one before.
    pub fn write(&self, heartbeat: &Heartbeat) -> Result<(), JournalError> {
        let Some(kept) = heartbeat.kept() else { return Ok(()) };
        let beside = self.path.with_extension("json.new");
        let text = serde_json::to_vec(&kept)
            .map_err(|error| JournalError { path: self.path.clone(), reason: error.to_string() })?;
        fs::write(&beside, text).map_err(failed(&beside))?;
        fs::rename(&beside, &self.path).map_err(failed(&self.path))
    }
}
