//! The active faults.

use super::{
    id,
    in_force::{InForce, Status},
    memory::Hold,
    parse::Bounds,
    spec::{Decision, KINDS, Spec},
    switches::{Applied, ModelFaults, Switches},
};
use parking_lot::{Mutex, RwLock};
use prometheus::{IntCounterVec, IntGaugeVec};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use tokio::sync::Notify;

/// Maximum number of active faults.
const MAX: usize = 32;
/// Maximum number of ids that get a `fault` label of their own during the life of the process; further ones share one.
const MAX_LABELS: usize = 64;
/// The label that they share.
const SHARED_LABEL: &str = "other";

/// All active faults. The admin listener changes them, the public workers apply them.
pub struct Plane {
    bounds: Bounds,
    switches: Switches,
    injected: IntCounterVec,
    active: IntGaugeVec,
    /// Active traffic faults. While it is zero, requests check nothing else.
    traffic: AtomicUsize,
    book: RwLock<BTreeMap<String, Entry>>,
    /// Held while faults change, so that changes happen one at a time. Reading the book does not need it.
    change: Mutex<Applied>,
    labels: Mutex<BTreeSet<String>>,
    /// Notified when the next expiry may have changed.
    changed: Notify,
}

struct Entry {
    fault: Arc<InForce>,
    /// Dropped with the entry, even while a request still holds the fault.
    hold: Option<Hold>,
}

/// Why a fault cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The id is not valid as a label.
    #[error("invalid fault id: must be 1 to 40 letters, digits, - or _")]
    Id,
    /// There are [`MAX`] faults already.
    #[error("{MAX} faults are active, which is the maximum; remove one first")]
    TooMany,
    /// All faults together would hold more than `FAULT_MAX_MEMORY`.
    #[error(
        "must be at most {max} bytes (FAULT_MAX_MEMORY) together with the {held} bytes that other faults hold"
    )]
    Memory {
        /// Bytes held by other faults.
        held: u64,
        /// The limit in bytes.
        max: u64,
    },
    /// The system cannot provide the memory.
    #[error("the system cannot provide that much memory; use a smaller size")]
    NoMemory(#[source] std::io::Error),
}

impl Plane {
    /// A plane without faults. `injected` counts by fault and kind, `active` is the number of active faults by kind.
    pub fn new(bounds: Bounds, switches: Switches, injected: IntCounterVec, active: IntGaugeVec) -> Self {
        let bounds =
            Bounds { ingest: switches.ingest.is_some(), models: switches.models.is_some(), ..bounds };
        for kind in KINDS {
            active.with_label_values(&[kind]);
        }
        Self {
            bounds,
            switches,
            injected,
            active,
            traffic: AtomicUsize::new(0),
            book: RwLock::default(),
            change: Mutex::default(),
            labels: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// What faults are allowed.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Starts a fault at `now`, replacing one of the same id; returns whether the id is new. Takes as long as writing
    /// to the memory it is to hold.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then.
    pub fn put(&self, id: &str, spec: Spec, now: Instant) -> Result<bool, Refusal> {
        if !id::acceptable(id) || id == SHARED_LABEL {
            return Err(Refusal::Id);
        }
        let mut applied = self.change.lock();
        let (others, held) = {
            let book = self.book.read();
            let others = book.iter().filter(|(other, _)| *other != id).map(|(_, entry)| &entry.hold);
            others.fold((0, 0), |(count, held), hold| (count + 1, held + hold.as_ref().map_or(0, Hold::len)))
        };
        if others >= MAX {
            return Err(Refusal::TooMany);
        }
        let wanted = spec.memory.unwrap_or(0);
        if held + wanted > self.bounds.memory {
            return Err(Refusal::Memory { held, max: self.bounds.memory });
        }
        let hold = spec.memory.map(Hold::take).transpose().map_err(Refusal::NoMemory)?;
        let label = self.label(id);
        for kind in spec.kinds() {
            self.injected.with_label_values(&[label.as_str(), kind]);
        }
        // The other kinds count the requests they act on.
        for kind in spec.kinds().filter(|kind| ["memory", "pause"].contains(kind)) {
            self.injected.with_label_values(&[label.as_str(), kind]).inc();
        }
        let fault = Arc::new(InForce::new(id, label, spec, now));
        let old = self.book.write().insert(id.to_owned(), Entry { fault, hold });
        let new = old.is_none();
        end(old);
        self.settle(&mut applied);
        Ok(new)
    }

    /// Lifts a fault; returns whether it was active.
    pub fn lift(&self, id: &str) -> bool {
        let mut applied = self.change.lock();
        let old = self.book.write().remove(id);
        let was = old.is_some();
        end(old);
        self.settle(&mut applied);
        was
    }

    /// Lifts every fault.
    pub fn lift_all(&self) {
        let mut applied = self.change.lock();
        let all = std::mem::take(&mut *self.book.write());
        end(all.into_values());
        self.settle(&mut applied);
    }

    /// Lifts the faults that have expired at `now`; returns their ids.
    pub fn expire(&self, now: Instant) -> Vec<String> {
        let mut applied = self.change.lock();
        let over: BTreeMap<String, Entry> =
            self.book.write().extract_if(.., |_, entry| entry.fault.expires <= now).collect();
        let ids = over.keys().cloned().collect();
        end(over.into_values());
        self.settle(&mut applied);
        ids
    }

    /// When the next fault expires.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.book.read().values().map(|entry| entry.fault.expires).min()
    }

    /// The faults that are active at `now`, by id.
    pub fn list(&self, now: Instant) -> Vec<Status> {
        self.book.read().values().filter_map(|entry| entry.fault.status(now)).collect()
    }

    /// Lifts faults when they expire. Runs forever, in a separate task.
    pub async fn upkeep(self: Arc<Self>) {
        loop {
            let changed = self.changed.notified();
            match self.next_expiry() {
                None => changed.await,
                Some(at) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(at.into()) => {
                        let plane = self.clone();
                        // Returning gigabytes takes a while. An error means that the runtime ends, and everything with
                        // it.
                        let ids = tokio::task::spawn_blocking(move || plane.expire(Instant::now())).await;
                        for id in ids.unwrap_or_default() {
                            tracing::info!(id, "fault expired");
                        }
                    }
                },
            }
        }
    }

    /// Whether any traffic fault is active: one atomic load.
    #[inline]
    pub(crate) fn acts_on_traffic(&self) -> bool {
        self.traffic.load(Ordering::Acquire) > 0
    }

    /// The decisions for a request, in the order of the faults' ids, up to the first that ends the request.
    pub(crate) fn decide(&self, route: &str, method: &str, now: Instant) -> Vec<(Arc<InForce>, Decision)> {
        let mut hits = Vec::new();
        for entry in self.book.read().values() {
            if let Some(decision) = entry.fault.decide(route, method, now) {
                hits.push((entry.fault.clone(), decision));
                if decision.end.is_some() {
                    break;
                }
            }
        }
        hits
    }

    /// Counts an injection.
    pub(crate) fn count(&self, fault: &InForce, kind: &str) {
        self.injected.with_label_values(&[fault.label.as_str(), kind]).inc();
    }

    /// Counts a model response that faults of these ids acted on.
    pub(crate) fn count_models(&self, ids: &[String]) {
        for id in ids {
            self.injected.with_label_values(&[self.label(id).as_str(), "model"]).inc();
        }
    }

    /// Updates what depends on the faults: the traffic count, the gauges, the switches and the next expiry.
    fn settle(&self, applied: &mut Applied) {
        let book = self.book.read();
        let specs = || book.values().map(|entry| &entry.fault.spec);
        self.traffic.store(specs().filter(|spec| spec.acts_on_traffic()).count(), Ordering::Release);
        for kind in KINDS {
            let count = specs().filter(|spec| spec.kinds().any(|own| own == *kind)).count();
            self.active.with_label_values(&[kind]).set(count as i64);
        }
        let models =
            book.iter().filter_map(|(id, entry)| Some((id.clone(), entry.fault.spec.model.clone()?)));
        let models: ModelFaults = models.collect();
        let wanted = Applied { paused: specs().any(|spec| spec.pause_ingest), models };
        drop(book);
        self.switches.apply(applied, &wanted);
        *applied = wanted;
        self.changed.notify_one();
    }

    fn label(&self, id: &str) -> String {
        let mut labels = self.labels.lock();
        if labels.contains(id) || labels.len() < MAX_LABELS {
            labels.insert(id.to_owned());
            return id.to_owned();
        }
        SHARED_LABEL.to_owned()
    }
}

/// Releases the requests that wait, and the memory.
fn end(entries: impl IntoIterator<Item = Entry>) {
    for entry in entries {
        entry.fault.lift();
    }
}

#[cfg(test)]
mod tests;
