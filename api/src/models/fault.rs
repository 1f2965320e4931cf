//! The switch with which the fault plane slows or fails the models.

use crate::{fault::ModelFault, shares::random_point};
use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

/// The fault in force.
#[derive(Debug, Default)]
pub(super) struct Faults(RwLock<Option<ModelFault>>);

/// What one run is to suffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    /// First this long a wait.
    pub(super) delay: Duration,
    /// Then no predictions.
    pub(super) fail: bool,
}

impl Faults {
    pub(super) fn set(&self, fault: Option<ModelFault>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// The fate of the next run; `None` when it is spared.
    pub(super) fn decide(&self) -> Option<Fate> {
        let fault = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let ModelFault { delay, fail } = fault.as_ref()?;
        let delay = delay.as_ref().and_then(|delays| delays.shares.pick(random_point()));
        (delay.is_some() || *fail).then(|| Fate { delay: delay.unwrap_or_default(), fail: *fail })
    }

    /// Whether there is none any more.
    pub(super) fn are_lifted(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}
