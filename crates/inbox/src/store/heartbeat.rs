//! The heartbeat's state on disk, beside the history: without it an inbox that is started anew would not know that there
//! ever was a beat to miss, and a stop that was told would never be told to be over.

use std::fs;
use std::path::Path;

use crate::heartbeat::{Heartbeat, Kept};
use crate::store::journal::{JournalError, failed};

/// The file in the data directory.
const FILE: &str = "heartbeat.json";

/// What was kept in this directory. A file that holds nothing (the power went while it was written, say) is as good as none.
pub fn read(dir: &Path) -> Option<Kept> {
    serde_json::from_slice(&fs::read(dir.join(FILE)).ok()?).ok()
}

/// Keeps the state as it is now, in place of the one before.
pub fn write(dir: &Path, heartbeat: &Heartbeat) -> Result<(), JournalError> {
    let Some(kept) = heartbeat.kept() else { return Ok(()) };
    let path = dir.join(FILE);
    let beside = path.with_extension("json.new");
    let text = serde_json::to_vec(&kept).map_err(|error| failed(&path)(error.into()))?;
    fs::write(&beside, text).map_err(failed(&beside))?;
    fs::rename(&beside, &path).map_err(failed(&path))
}
