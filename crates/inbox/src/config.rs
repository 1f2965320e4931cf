//! What an inbox is told.

use std::path::PathBuf;
use std::time::Duration;

use crate::store::history::Limits;

/// The largest body of a message taken, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// The largest body of Alertmanager's webhook taken, in bytes, unless it is set. Alertmanager sends every alert of a group
/// with all its labels, and knows no limit.
pub const WEBHOOK_LIMIT: usize = 16 * 1024 * 1024;
/// What it can be set to at most.
pub const MAX_WEBHOOK_LIMIT: usize = 64 * 1024 * 1024;

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
