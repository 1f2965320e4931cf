use crate::limit::Plan;
use std::sync::Arc;

/// One key: its owner and its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: Arc<str>,
    pub plan: Plan,
    pub hash: [u8; 32],
}
