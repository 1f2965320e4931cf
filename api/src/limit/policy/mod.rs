//! Policies: which requests, how many, counted by what, read from a file.

pub(super) mod caller;
pub(super) mod client;
pub(super) mod file;
pub(super) mod hash_tag;
pub(super) mod key;
#[expect(clippy::module_inception, reason = "one policy of them all")]
pub(super) mod policy;
pub(super) mod rate;
pub(super) mod set;
