//! The switch that slows or fails the models for a fault.

use crate::{fault::ModelFaults, shares::random_point};
use parking_lot::RwLock;
use std::time::Duration;

/// The active faults.
#[derive(Debug, Default)]
pub(super) struct Faults(RwLock<ModelFaults>);

/// What happens to one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fate {
    /// Wait this long first.
    pub(super) delay: Duration,
    /// Then fail.
    pub(super) fail: bool,
    /// Ids of the faults that caused it.
    pub(super) faults: Vec<String>,
}

impl Faults {
    pub(super) fn set(&self, faults: ModelFaults) {
        *self.0.write() = faults;
    }

    /// The decision for the next run; `None` when no fault acts on it. The first of several delays counts, and one
    /// failing fault is enough.
    pub(super) fn decide(&self) -> Option<Fate> {
        decide(&self.0.read(), random_point())
    }

    /// Whether no fault is active any more.
    pub(super) fn are_lifted(&self) -> bool {
        self.0.read().is_empty()
    }
}

fn decide(faults: &ModelFaults, point: f64) -> Option<Fate> {
    let slow = faults.iter().find_map(|(id, fault)| Some((id, fault.delay.as_ref()?)));
    let slow = slow.and_then(|(id, delays)| Some((id, delays.shares.pick(point)?)));
    let broken = faults.iter().find(|(_, fault)| fault.fail).map(|(id, _)| id);
    let mut acting: Vec<String> = slow.iter().map(|(id, _)| (*id).clone()).chain(broken.cloned()).collect();
    acting.dedup();
    (!acting.is_empty()).then(|| Fate {
        delay: slow.map(|(_, delay)| delay).unwrap_or_default(),
        fail: broken.is_some(),
        faults: acting,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fault::{Delays, ModelFault},
        shares::Shares,
    };

    fn fault(id: &str, delay: Option<&str>, fail: bool) -> (String, ModelFault) {
        let delay = delay.map(|text| {
            let shares =
                Shares::parse(text, |value| humantime::parse_duration(value).map_err(|e| e.to_string()));
            Delays { text: text.to_owned(), shares: shares.unwrap() }
        });
        (id.to_owned(), ModelFault { delay, fail })
    }

    #[test]
    fn the_first_delay_and_any_failure_apply_and_name_their_faults() {
        let (slow, mixed) = (fault("slow", Some("2s"), false), fault("mixed", Some("1s:50"), false));
        let (broken, both) = (fault("broken", None, true), fault("both", Some("3s"), true));
        for (faults, expected) in [
            (vec![], None),
            (vec![slow.clone()], Some((2, false, &["slow"][..]))),
            (vec![slow.clone(), both.clone()], Some((2, true, &["slow", "both"]))),
            (vec![both.clone(), slow.clone()], Some((3, true, &["both"]))),
            (vec![broken.clone(), slow.clone()], Some((2, true, &["slow", "broken"]))),
            (vec![mixed.clone()], None),
            (vec![mixed, broken], Some((0, true, &["broken"]))),
        ] {
            let found = decide(&faults, 0.9);
            let found = found.as_ref().map(|fate| (fate.delay.as_secs(), fate.fail, fate.faults.clone()));
            let expected = expected
                .map(|(delay, fail, ids)| (delay, fail, ids.iter().map(|id| (*id).to_owned()).collect()));
            assert_eq!(found, expected, "{faults:?}");
        }
    }
}
