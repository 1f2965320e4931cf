//! The saved state of the heartbeat. Without it, a restarted inbox would not notice that heartbeats stopped, and would
//! not report their recovery after a reported stop.

use std::fs;
use std::path::Path;

use crate::heartbeat::{Heartbeat, Kept};
use crate::store::journal::{JournalError, failed};

/// The file in the data directory.
const FILE: &str = "heartbeat.json";

/// Reads the saved state. An unreadable file, such as one truncated by a power failure, counts as missing.
pub fn read(dir: &Path) -> Option<Kept> {
    serde_json::from_slice(&fs::read(dir.join(FILE)).ok()?).ok()
}

/// Saves the current state.
pub fn write(dir: &Path, heartbeat: &Heartbeat) -> Result<(), JournalError> {
    let Some(kept) = heartbeat.kept() else { return Ok(()) };
    let path = dir.join(FILE);
    let temporary = path.with_extension("json.new");
    let text = serde_json::to_vec(&kept).map_err(|error| failed(&path)(error.into()))?;
    fs::write(&temporary, text).map_err(failed(&temporary))?;
    fs::rename(&temporary, &path).map_err(failed(&path))
}
