//! The places that connections have taken, and which of them is given up first: that of the connection that has been idle
//! for the longest time, of the address with most connections if that has more than its share.

use crate::limit::ClientKey;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};
use tokio::sync::OwnedSemaphorePermit;

/// The share of a search's result that later searches take from: searching costs as much as there are connections.
const AT_ONCE: usize = 16;
/// An address with more than this part of all connections has more than its share.
const CROWD: usize = 4;
/// `since` of a connection with a request, or one that waits.
pub(super) const BUSY: u64 = 0;

/// The place of a connection.
pub(super) struct Place {
    pub(super) number: u64,
    /// `None` for proxies.
    pub(super) address: Option<ClientKey>,
    /// Microseconds of `Slots::origin` plus one, or `BUSY`.
    pub(super) since: AtomicU64,
    pub(super) closing: AtomicBool,
    pub(super) waker: AtomicWaker,
    pub(super) permit: Mutex<Option<OwnedSemaphorePermit>>,
}

/// All places, and those of each address.
#[derive(Default)]
pub(super) struct Places {
    next: u64,
    taken: HashMap<u64, Arc<Place>>,
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

impl Places {
    /// Whether an address has as many connections as it may have.
    pub(super) fn is_full(&self, address: &ClientKey, most: usize) -> bool {
        self.addresses.get(address).is_some_and(|of| of.connections >= most)
    }

    /// Whether nothing is kept, of connections and addresses.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.taken.is_empty() && self.addresses.is_empty()
    }

    /// A place for a connection that has no permit yet.
    pub(super) fn take(&mut self, address: Option<ClientKey>) -> Arc<Place> {
        self.next += 1;
        let place = Arc::new(Place {
            number: self.next,
            address,
            since: AtomicU64::new(BUSY),
            closing: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            permit: Mutex::new(None),
        });
        if let Some(key) = &place.address {
            self.addresses.entry(key.clone()).or_default().connections += 1;
        }
        self.taken.insert(place.number, place.clone());
        place
    }

    /// Closes the connection that has been idle for the longest time, of this address or of all, and returns its permit.
    pub(super) fn close_longest_idle(&mut self, address: Option<&ClientKey>) -> Option<OwnedSemaphorePermit> {
        let mut searched = false;
        loop {
            let candidates = match address {
                None => &mut self.longest_idle,
                Some(key) => &mut self.addresses.get_mut(key)?.longest_idle,
            };
            if let Some((since, number)) = candidates.pop() {
                let place = self.taken.get(&number).filter(|place| place.since.load(SeqCst) == since);
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
        (of.connections > (self.taken.len() / CROWD).max(1)).then(|| key.clone())
    }

    /// The longest idle connections, of this address or of all.
    fn idle(&self, address: Option<&ClientKey>) -> Candidates {
        let among =
            self.taken.values().filter(|place| address.is_none() || place.address.as_ref() == address);
        let idle = among.filter_map(|place| {
            let since = place.since.load(SeqCst);
            (since != BUSY).then_some((since, place.number))
        });
        let mut found: Candidates = idle.collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.drain(..found.len() - found.len().div_ceil(AT_ONCE));
        found
    }

    /// Gives up a place; nothing happens if it has been given up.
    pub(super) fn leave(&mut self, place: &Place) {
        if self.taken.remove(&place.number).is_none() {
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
