use super::{policy::set::PolicySet, rules::Rules};
use crate::telemetry::Metrics;
use std::collections::HashMap;

/// Every policy name ever used, with its number, and the number of reloads.
#[derive(Debug, Default)]
pub(super) struct PolicyRegistry {
    slots: HashMap<String, u32>,
    readings: u32,
}

impl PolicyRegistry {
    /// The rules for these policies.
    pub(super) fn rules(&mut self, policies: PolicySet, shared: bool, metrics: &Metrics) -> Rules {
        self.readings = self.readings.wrapping_add(1);
        let slot = |name: &str| {
            let next = self.slots.len() as u32;
            *self.slots.entry(name.to_owned()).or_insert(next)
        };
        Rules::new(policies, self.readings, slot, shared, metrics)
    }
}
