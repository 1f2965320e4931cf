//! A concurrent map of keys with a hard cap on its size.

use super::policy::key::Key;
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// Number of locks; more than workers, so that they seldom contend.
const SHARDS: usize = 64;
/// Shortest time between two sweeps of a shard, because a sweep reads all of it.
const SWEEP_PAUSE: Duration = Duration::from_millis(100);

/// A policy's number in the registry, and a key under it.
pub(super) type Slot = (u32, Key);

/// Values by slot. Times are relative to any fixed instant.
#[derive(Debug)]
pub(super) struct Shards<V> {
    shards: Vec<Mutex<Shard<V>>>,
    hasher: RandomState,
    held: AtomicUsize,
    cap: usize,
}

/// The part under one lock.
#[derive(Debug)]
pub(super) struct Shard<V> {
    map: HashMap<Slot, V>,
    swept: Duration,
}

/// Values that expire.
pub(super) trait Expires {
    /// Whether the value has expired at this time.
    fn expired(&self, now: Duration) -> bool;
}

impl<V: Expires> Shards<V> {
    /// Holds at most `cap` values.
    pub(super) fn new(cap: usize) -> Self {
        let shard = || Mutex::new(Shard { map: HashMap::new(), swept: Duration::ZERO });
        Self {
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            hasher: RandomState::new(),
            held: AtomicUsize::new(0),
            cap,
        }
    }

    /// The shard of a slot.
    pub(super) fn index(&self, slot: &Slot) -> usize {
        self.hasher.hash_one(slot) as usize % SHARDS
    }

    /// Locks a shard. Callers that lock several must do so in the order of their indices.
    pub(super) fn lock(&self, index: usize) -> MutexGuard<'_, Shard<V>> {
        self.shards[index].lock()
    }

    /// Reserves room for one more value in a locked shard, sweeping out expired ones first where that is worthwhile;
    /// false when there is no room. The caller then inserts.
    pub(super) fn reserve(&self, shard: &mut Shard<V>, now: Duration) -> bool {
        let full = self.held.load(Ordering::Relaxed) >= self.cap;
        // Before the shard grows, so that memory follows the live entries, not the past ones.
        let growing = shard.map.len() == shard.map.capacity();
        if (full || growing) && now.saturating_sub(shard.swept) >= SWEEP_PAUSE {
            self.sweep_shard(shard, now);
        }
        let room = |held| (held < self.cap).then_some(held + 1);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    /// Replaces or adds the value of a slot in a locked shard: the slot may have been swept since it was read.
    pub(super) fn put(&self, shard: &mut Shard<V>, slot: Slot, value: V) {
        if shard.map.insert(slot, value).is_none() {
            self.held.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Releases reserved room that is not used.
    pub(super) fn release(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// Removes expired values and frees their memory.
    pub(super) fn sweep(&self, now: Duration) {
        for index in 0..SHARDS {
            let mut shard = self.lock(index);
            self.sweep_shard(&mut shard, now);
            let (held, room) = (shard.map.len(), shard.map.capacity());
            if room > 64 && held < room / 4 {
                shard.map.shrink_to(held * 2);
            }
        }
    }

    fn sweep_shard(&self, shard: &mut Shard<V>, now: Duration) {
        let before = shard.map.len();
        shard.map.retain(|_, value| !value.expired(now));
        self.held.fetch_sub(before - shard.map.len(), Ordering::Relaxed);
        shard.swept = now;
    }

    /// Removes everything.
    pub(super) fn clear(&self) {
        for index in 0..SHARDS {
            let mut shard = self.lock(index);
            self.held.fetch_sub(shard.map.len(), Ordering::Relaxed);
            shard.map = HashMap::new();
        }
    }

    /// Number of values held.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

impl<V> Shard<V> {
    /// The value of a slot.
    pub(super) fn get(&self, slot: &Slot) -> Option<&V> {
        self.map.get(slot)
    }

    /// Adds a slot for which room was reserved.
    pub(super) fn insert(&mut self, slot: Slot, value: V) {
        self.map.insert(slot, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::ClientKey;
    use std::net::Ipv4Addr;

    impl Expires for u64 {
        fn expired(&self, now: Duration) -> bool {
            u128::from(*self) <= now.as_millis()
        }
    }

    fn add(shards: &Shards<u64>, client: u32, until_ms: u64, now: Duration) -> bool {
        let slot = (0, Key::Client(ClientKey::V4(Ipv4Addr::from_bits(client))));
        let mut shard = shards.lock(shards.index(&slot));
        let room = shards.reserve(&mut shard, now);
        if room {
            shard.insert(slot, until_ms);
        }
        room
    }

    #[test]
    fn never_exceeds_the_cap_and_reuses_expired_room() {
        let shards = Shards::new(1000);
        let start = Duration::from_secs(1);
        let added = (0..5000).filter(|&client| add(&shards, client, 2000, start)).count();
        assert_eq!((added, shards.held()), (1000, 1000), "exactly up to the cap");
        let later = Duration::from_secs(3);
        let added = (5000..10_000).filter(|&client| add(&shards, client, 9000, later)).count();
        assert_eq!((added, shards.held()), (1000, 1000), "the first have all expired by then");
        shards.sweep(Duration::from_secs(20));
        assert_eq!(shards.held(), 0);
    }

    #[test]
    fn memory_follows_live_entries() {
        let shards = Shards::new(1_000_000);
        for client in 0..1_000_000 {
            // Each lives 10 ms, and 17 arrive per millisecond.
            let now = Duration::from_secs(1) + Duration::from_micros(60) * client;
            assert!(add(&shards, client, now.as_millis() as u64 + 10, now));
        }
        let room: usize = (0..SHARDS).map(|index| shards.lock(index).map.capacity()).sum();
        assert!(room < 20_000, "{room}");
        shards.clear();
        assert_eq!(shards.held(), 0);
    }
}
