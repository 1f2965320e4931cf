//! What an inbox is told.

use std::path::PathBuf;
use std::time::Duration;

use crate::store::history::Limits;

/// The largest body taken, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// What an inbox keeps.
#[derive(Debug, Clone)]
pub struct Config {
    /// How much it holds before the oldest goes.
    pub limits: Limits,
    /// Where to keep them over a restart; `None` keeps them in memory only.
    pub data_dir: Option<PathBuf>,
    /// How long the heartbeat may take before it counts as stopped.
    pub heartbeat_limit: Duration,
    /// Where last proofs are kept, to be exported.
    pub proofs: Option<PathBuf>,
    /// Where runbooks are, one `ALERTNAME.md` each, to be linked to.
    pub runbooks: Option<PathBuf>,
}
