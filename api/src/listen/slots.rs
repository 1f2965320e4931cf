//! Who is connected, and who has to leave when there is no room for a new connection.
//!
//! Beyond the limit, the connection that has been without a request for the longest time is closed for the new one, of the
//! address with most connections if that has more than its share. Where all have a request, the new connection waits for the
//! first that ends or becomes idle.

use super::places::{BUSY, Place, Places};
use crate::{access::address::TrustedProxies, limit::ClientKey};
use parking_lot::Mutex;
use prometheus::IntCounterVec;
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Context,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For how long a new connection is preferred to one that has had its turn: its first request may be on its way.
const GRACE: Duration = Duration::from_secs(2);
/// What is decided elsewhere about who is connected.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    /// Addresses without a limit of their own.
    pub proxies: TrustedProxies,
    /// Connections closed for another one, by reason.
    pub closed: IntCounterVec,
}

/// All connections of a listener.
pub(super) struct Slots {
    free: Arc<Semaphore>,
    /// Connections of one address, or of one IPv6 network of 64 bits.
    most_of_address: usize,
    admission: Admission,
    waiting: AtomicUsize,
    origin: Instant,
    places: Mutex<Places>,
}

impl Slots {
    /// With room for `most` connections.
    pub(super) fn new(most: usize, most_of_address: usize, admission: Admission) -> Arc<Self> {
        for reason in ["idle", "address"] {
            admission.closed.with_label_values(&[reason]);
        }
        Arc::new(Self {
            free: Arc::new(Semaphore::new(most)),
            most_of_address,
            admission,
            waiting: AtomicUsize::new(0),
            origin: Instant::now(),
            places: Mutex::default(),
        })
    }

    /// A slot for a connection of this address, as soon as there is one. `None` if the address has as many as it may have,
    /// each with a request.
    pub(super) async fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Slot> {
        let place = self.enter(address)?;
        // From here on the place is given back, also when the connection ends while it waits.
        let slot = Slot { place, slots: self.clone() };
        let permit = match self.free.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.next_free().await,
        };
        *slot.place.permit.lock() = Some(permit);
        slot.place.since.store(self.now() + GRACE.as_micros() as u64, SeqCst);
        self.make_room();
        Some(slot)
    }

    fn enter(&self, address: Option<IpAddr>) -> Option<Arc<Place>> {
        let address = address.filter(|address| !self.admission.proxies.contains(*address));
        let address = address.map(|address| ClientKey::of(Some(address)));
        let mut places = self.places.lock();
        if let Some(key) = &address
            && places.is_full(key, self.most_of_address)
        {
            self.admission.closed.with_label_values(&["address"]).inc();
            drop(places.close_longest_idle(Some(key))?);
        }
        Some(places.take(address))
    }

    /// The permit of the longest idle connection, or the next that is given back.
    async fn next_free(self: &Arc<Self>) -> OwnedSemaphorePermit {
        // Counted before the search: whoever becomes idle after it sees that somebody waits.
        let _waiting = Waiting::count(&self.waiting);
        if let Some(permit) = self.close_longest_idle() {
            return permit;
        }
        self.free.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    fn close_longest_idle(&self) -> Option<OwnedSemaphorePermit> {
        let permit = self.places.lock().close_longest_idle(None)?;
        self.admission.closed.with_label_values(&["idle"]).inc();
        Some(permit)
    }

    /// Somebody has become idle: it leaves if another one waits.
    fn make_room(&self) {
        if self.waiting.load(SeqCst) > 0 {
            drop(self.close_longest_idle());
        }
    }

    fn now(&self) -> u64 {
        self.origin.elapsed().as_micros() as u64 + 1
    }
}

/// A connection that waits, counted until it does not.
struct Waiting<'s>(&'s AtomicUsize);

impl<'s> Waiting<'s> {
    fn count(waiting: &'s AtomicUsize) -> Self {
        waiting.fetch_add(1, SeqCst);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// The place of one connection, idle at first; given back when this is dropped.
pub(super) struct Slot {
    place: Arc<Place>,
    slots: Arc<Slots>,
}

impl Slot {
    /// A request has begun.
    pub(super) fn busy(&self) {
        self.place.since.store(BUSY, SeqCst);
    }

    /// The last request has ended.
    pub(super) fn idle(&self) {
        self.place.since.store(self.slots.now(), SeqCst);
        if self.is_closing() {
            self.place.waker.wake();
        } else {
            self.slots.make_room();
        }
    }

    /// Whether another connection has its place.
    pub(super) fn is_closing(&self) -> bool {
        self.place.closing.load(SeqCst)
    }

    /// Whether the connection must end now: another one has its place, and no request is in progress. Otherwise the task
    /// is woken when that is so.
    pub(super) fn poll_must_leave(&self, cx: &Context<'_>) -> bool {
        self.place.waker.register(cx.waker());
        self.is_closing() && self.place.since.load(SeqCst) != BUSY
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.places.lock().leave(&self.place);
        drop(self.place.permit.lock().take());
    }
}

#[cfg(test)]
#[path = "slots_tests.rs"]
pub(super) mod tests;
