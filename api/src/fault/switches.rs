//! Where faults of state take hold of other parts of the gateway.

use super::spec::ModelFault;

/// The model faults in force with their ids, in the order of those.
pub type ModelFaults = Vec<(String, ModelFault)>;

/// A part's switch, called with the state it is to be in; must not block.
pub type Switch<T> = Box<dyn Fn(T) + Send + Sync>;

/// The parts that faults can act on. What is not plugged in cannot be faulted: such a fault is refused.
#[derive(Default)]
pub struct Switches {
    /// Pauses the ingest worker (`true`) or lets it go on.
    pub ingest: Option<Switch<bool>>,
    /// Slows or fails the models, or lets them be (none).
    pub models: Option<Switch<ModelFaults>>,
}

/// The state the switches are in, so that each change is told once.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Applied {
    pub(super) paused: bool,
    pub(super) models: ModelFaults,
}

impl Switches {
    /// Brings the parts from one state to the next.
    pub(super) fn apply(&self, old: &Applied, new: &Applied) {
        if let (Some(ingest), true) = (&self.ingest, old.paused != new.paused) {
            ingest(new.paused);
        }
        if let (Some(models), true) = (&self.models, old.models != new.models) {
            models(new.models.clone());
        }
    }
}
