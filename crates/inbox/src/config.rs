//! Configuration of an inbox.

use std::path::PathBuf;
use std::time::Duration;

use crate::store::history::Limits;
use common::allowed_hosts::AllowedHosts;

/// Maximum size of a body, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Default maximum size of an Alertmanager webhook, in bytes. Alertmanager sends all alerts of a group in one body and has no
/// limit of its own.
pub const WEBHOOK_LIMIT: usize = 16 * 1024 * 1024;
/// Upper bound of that setting.
pub const MAX_WEBHOOK_LIMIT: usize = 64 * 1024 * 1024;

/// Configuration of an inbox.
#[derive(Debug, Clone)]
pub struct Config {
    /// Size of the history.
    pub limits: Limits,
    /// Directory of the persistent history; `None` keeps it in memory only.
    pub data_dir: Option<PathBuf>,
    /// Time without a heartbeat after which it counts as stopped.
    pub heartbeat_limit: Duration,
    /// Directory of the last proofs to export.
    pub proofs: Option<PathBuf>,
    /// Host names under which it can be read, beside IP addresses and `localhost`.
    pub allowed_hosts: AllowedHosts,
    /// Directory of runbooks to serve, `ALERTNAME.md` each.
    pub runbooks: Option<PathBuf>,
}
