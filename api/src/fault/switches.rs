//! Where state faults act on other parts of the gateway.

use super::spec::ModelFault;

/// The active model faults with their ids, ordered by id.
pub type ModelFaults = Vec<(String, ModelFault)>;

/// A part's switch, called with the new state; must not block.
pub type Switch<T> = Box<dyn Fn(T) + Send + Sync>;

/// The parts that faults can act on. Without its switch, a fault of that part is rejected.
#[derive(Default)]
pub struct Switches {
    /// Pauses the ingest worker (`true`) or resumes it.
    pub ingest: Option<Switch<bool>>,
    /// Slows or fails the models; an empty list ends that.
    pub models: Option<Switch<ModelFaults>>,
}

/// The current state of the switches, so that each change is sent once.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Applied {
    pub(super) paused: bool,
    pub(super) models: ModelFaults,
}

impl Switches {
    /// Moves the parts from one state to the next.
    pub(super) fn apply(&self, old: &Applied, new: &Applied) {
        if let (Some(ingest), true) = (&self.ingest, old.paused != new.paused) {
            ingest(new.paused);
        }
        if let (Some(models), true) = (&self.models, old.models != new.models) {
            models(new.models.clone());
        }
    }
}
