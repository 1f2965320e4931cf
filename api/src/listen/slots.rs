//! Who is connected, and who has to leave when there is no room for a new connection.
//!
//! Beyond the limit, the connection that has been without a request for the longest time is closed for the new one, of the
//! address with most connections if that has more than its share. Where all have a request, the new connection waits for the
//! first that ends or becomes idle.

use crate::{access::address::TrustedProxies, limit::ClientKey};
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use prometheus::IntCounterVec;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    task::Context,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The share of a search's result that later searches take from: searching costs as much as there are connections.
const AT_ONCE: usize = 16;
/// An address with more than this part of all connections has more than its share.
const CROWD: usize = 4;
/// For how long a new connection is preferred to one that has had its turn: its first request may be on its way.
const GRACE: Duration = Duration::from_secs(2);
/// `since` of a connection with a request, or one that waits.
const BUSY: u64 = 0;

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
    register: Mutex<Register>,
}

#[derive(Default)]
struct Register {
    next: u64,
    places: HashMap<u64, Arc<Place>>,
    longest_idle: Candidates,
    addresses: HashMap<ClientKey, OfAddress>,
}

#[derive(Default)]
struct OfAddress {
    connections: usize,
    longest_idle: Candidates,
}

/// Connections that were idle at the last search, the longest idle last, each with the time since when. Others have become
/// idle since then only, so that the order stays right.
type Candidates = Vec<(u64, u64)>;

struct Place {
    number: u64,
    /// `None` for proxies.
    address: Option<ClientKey>,
    /// Microseconds of `Slots::origin` plus one, or `BUSY`.
    since: AtomicU64,
    closing: AtomicBool,
    waker: AtomicWaker,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
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
            register: Mutex::default(),
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
        let mut register = self.register.lock();
        if let Some(key) = &address
            && register.addresses.get(key).is_some_and(|of| of.connections >= self.most_of_address)
        {
            self.admission.closed.with_label_values(&["address"]).inc();
            drop(register.close_longest_idle(Some(key))?);
        }
        register.next += 1;
        let place = Arc::new(Place {
            number: register.next,
            address,
            since: AtomicU64::new(BUSY),
            closing: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            permit: Mutex::new(None),
        });
        if let Some(key) = &place.address {
            register.addresses.entry(key.clone()).or_default().connections += 1;
        }
        register.places.insert(place.number, place.clone());
        Some(place)
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
        let permit = self.register.lock().close_longest_idle(None)?;
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

impl Register {
    /// Closes the connection that has been idle for the longest time, of this address or of all, and returns its permit.
    fn close_longest_idle(&mut self, address: Option<&ClientKey>) -> Option<OwnedSemaphorePermit> {
        let mut searched = false;
        loop {
            let candidates = match address {
                None => &mut self.longest_idle,
                Some(key) => &mut self.addresses.get_mut(key)?.longest_idle,
            };
            if let Some((since, number)) = candidates.pop() {
                let place = self.places.get(&number).filter(|place| place.since.load(SeqCst) == since);
                if let Some(place) = place.cloned() {
                    self.leave(&place);
                    place.closing.store(true, SeqCst);
                    place.waker.wake();
                    return place.permit.lock().take();
                }
                continue;
            }
            if searched {
                return None;
            }
            searched = true;
            let crowd = address.cloned().or_else(|| self.crowd());
            let mut found = self.idle(crowd.as_ref());
            if found.is_empty() && address.is_none() {
                found = self.idle(None);
            }
            match address {
                None => self.longest_idle = found,
                Some(key) => self.addresses.get_mut(key)?.longest_idle = found,
            }
        }
    }

    /// The address that has most connections, if it has more than its share.
    fn crowd(&self) -> Option<ClientKey> {
        let (key, of) = self.addresses.iter().max_by_key(|(_, of)| of.connections)?;
        (of.connections > (self.places.len() / CROWD).max(1)).then(|| key.clone())
    }

    /// The longest idle connections, of this address or of all.
    fn idle(&self, address: Option<&ClientKey>) -> Candidates {
        let among =
            self.places.values().filter(|place| address.is_none() || place.address.as_ref() == address);
        let idle = among.filter_map(|place| {
            let since = place.since.load(SeqCst);
            (since != BUSY).then_some((since, place.number))
        });
        let mut found: Candidates = idle.collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.drain(..found.len() - found.len().div_ceil(AT_ONCE));
        found
    }

    fn leave(&mut self, place: &Place) {
        if self.places.remove(&place.number).is_none() {
            return;
        }
        if let Some(key) = &place.address
            && let Some(of) = self.addresses.get_mut(key)
        {
            of.connections -= 1;
            if of.connections == 0 {
                self.addresses.remove(key);
            }
        }
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
        self.slots.register.lock().leave(&self.place);
        drop(self.place.permit.lock().take());
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use futures_util::{FutureExt, future::BoxFuture};
    use prometheus::Opts;

    pub(in crate::listen) fn slots(most: usize, most_of_address: usize, proxies: &str) -> Arc<Slots> {
        let closed = IntCounterVec::new(Opts::new("closed", "closed"), &["reason"]).unwrap();
        Slots::new(most, most_of_address, Admission { proxies: proxies.parse().unwrap(), closed })
    }

    /// Of the address 192.0.2.`host`; `None` if it is refused.
    fn admit(slots: &Arc<Slots>, host: u8) -> Option<Slot> {
        try_admit(slots, host).now_or_never().expect("nobody has to wait")
    }

    fn try_admit(slots: &Arc<Slots>, host: u8) -> BoxFuture<'static, Option<Slot>> {
        let slots = slots.clone();
        Box::pin(async move { slots.admit(Some([192, 0, 2, host].into())).await })
    }

    fn closing(slots: &[Slot]) -> Vec<usize> {
        (0..slots.len()).filter(|index| slots[*index].is_closing()).collect()
    }

    /// Lets the clock advance, which decides who is idle for longer.
    fn tick(slots: &Slots) {
        let before = slots.now();
        while slots.now() == before {}
    }

    #[test]
    fn the_longest_idle_connection_leaves() {
        let all = slots(40, 40, "");
        let mut held = Vec::new();
        for host in 0..40 {
            let slot = admit(&all, host).unwrap();
            slot.busy();
            slot.idle();
            held.push(slot);
            tick(&all);
        }
        held[0].busy();
        held[1].busy();
        held[1].idle();
        for (newcomer, left) in (100..).zip([vec![2], vec![2, 3]]) {
            held.push(admit(&all, newcomer).unwrap());
            assert_eq!(closing(&held), left);
        }
        // Those that a search has found and that had a request since are passed over.
        held[4].busy();
        held[4].idle();
        held[5].busy();
        held.push(admit(&all, 110).unwrap());
        assert_eq!(closing(&held), [2, 3, 6]);
        drop(held);
        assert_eq!(all.free.available_permits(), 40, "each place is given back once");
        assert!(all.register.lock().addresses.is_empty());
    }

    #[test]
    fn a_connection_that_has_not_had_its_turn_is_preferred() {
        let all = slots(2, 2, "");
        let (fresh, served) = (admit(&all, 1).unwrap(), admit(&all, 2).unwrap());
        served.busy();
        tick(&all);
        served.idle();
        let _third = admit(&all, 3).unwrap();
        assert!(served.is_closing() && !fresh.is_closing(), "although it has been idle for longer");
    }

    #[test]
    fn an_address_with_more_than_its_share_leaves_first() {
        let all = slots(10, 10, "");
        let others = [admit(&all, 2).unwrap(), admit(&all, 3).unwrap()];
        for slot in &others {
            slot.busy();
            slot.idle();
        }
        let crowd: Vec<_> = (0..8).map(|_| admit(&all, 1).unwrap()).collect();
        let _newcomer = admit(&all, 4).unwrap();
        assert_eq!(
            (closing(&others).len(), closing(&crowd).len()),
            (0, 1),
            "although others are idle for longer"
        );
        for slot in &crowd {
            slot.busy();
        }
        let _another = admit(&all, 5).unwrap();
        assert_eq!(closing(&others), [0], "the crowd has no idle connection");
    }

    #[test]
    fn waits_where_all_have_a_request() {
        let all = slots(2, 2, "");
        let (one, two) = (admit(&all, 1).unwrap(), admit(&all, 2).unwrap());
        one.busy();
        two.busy();
        let mut third = try_admit(&all, 3);
        let mut gone = try_admit(&all, 4);
        assert!(third.as_mut().now_or_never().is_none() && gone.as_mut().now_or_never().is_none());
        drop(gone);
        two.idle();
        let third = third.now_or_never().expect("the idle one has left").unwrap();
        assert!(two.is_closing() && !one.is_closing());
        third.busy();
        let mut fifth = try_admit(&all, 5);
        assert!(fifth.as_mut().now_or_never().is_none());
        drop(one);
        assert!(fifth.now_or_never().is_some(), "one has ended");
        drop((two, third));
        assert_eq!(all.free.available_permits(), 2);
        assert_eq!(all.waiting.load(SeqCst), 0);
    }

    #[test]
    fn an_address_has_a_limit_of_its_own_and_proxies_have_none() {
        let all = slots(10, 2, "192.0.2.9");
        let held = [admit(&all, 1).unwrap(), admit(&all, 2).unwrap(), admit(&all, 1).unwrap()];
        let another = admit(&all, 1).unwrap();
        assert_eq!(closing(&held), [0], "its own longest idle one leaves");
        held[2].busy();
        another.busy();
        assert!(admit(&all, 1).is_none(), "refused without touching the others");
        assert_eq!(closing(&held), [0]);
        let proxied: Vec<_> = (0..6).map(|_| admit(&all, 9).unwrap()).collect();
        assert!(closing(&proxied).is_empty());
        drop((held, another, proxied));
        assert_eq!(all.free.available_permits(), 10);
    }
}
