//! Policies: their requests, quotas and keys, read from a file.

pub(super) mod caller;
pub(super) mod client;
pub(super) mod definition;
pub(super) mod file;
pub(super) mod hash_tag;
pub(super) mod key;
pub(super) mod rate;
pub(super) mod set;
