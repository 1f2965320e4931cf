//! A map of keys that several threads share, with a hard cap on how many it holds.

use super::policy::key::Key;
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// Locks; more than workers, so that they seldom meet.
const SHARDS: usize = 64;
/// A shard is not searched for what can go more often than this: the search reads all of it.
const SWEEP_PAUSE: Duration = Duration::from_millis(100);

/// A policy, by its place in the registry of names, and whose balance under it.
pub(super) type Slot = (u32, Key);

/// Values by slot. Times are since any fixed instant.
#[derive(Debug)]
pub(super) struct Shards<V> {
    shards: Vec<Mutex<Shard<V>>>,
    hasher: RandomState,
    held: AtomicUsize,
    cap: usize,
}

/// One lock's part.
#[derive(Debug)]
pub(super) struct Shard<V> {
    map: HashMap<Slot, V>,
    swept: Duration,
}

/// When a value is as good as none.
pub(super) trait Expires {
    /// Whether it is at this time.
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

    /// Which shard a slot lies in.
    pub(super) fn index(&self, slot: &Slot) -> usize {
        self.hasher.hash_one(slot) as usize % SHARDS
    }

    /// Locks a shard. Whoever locks several does so in the order of their indices.
    pub(super) fn lock(&self, index: usize) -> MutexGuard<'_, Shard<V>> {
        self.shards[index].lock()
    }

    /// Takes the place of one more value in a locked shard, after clearing out what has expired where that is worth it;
    /// false when there is none. The caller then inserts.
    pub(super) fn reserve(&self, shard: &mut Shard<V>, now: Duration) -> bool {
        let full = self.held.load(Ordering::Relaxed) >= self.cap;
        // Before it grows, so that memory follows what is alive and not what has been.
        let growing = shard.map.len() == shard.map.capacity();
        if (full || growing) && now.saturating_sub(shard.swept) >= SWEEP_PAUSE {
            self.sweep_shard(shard, now);
        }
        let room = |held| (held < self.cap).then_some(held + 1);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    /// Replaces the value of a slot in a locked shard, or adds it: the slot may have been cleared out since it was read.
    pub(super) fn put(&self, shard: &mut Shard<V>, slot: Slot, value: V) {
        if shard.map.insert(slot, value).is_none() {
            self.held.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Gives back a place that is not used after all.
    pub(super) fn release(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// Forgets what has expired and gives back the memory.
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

    /// Forgets everything.
    pub(super) fn clear(&self) {
        for index in 0..SHARDS {
            let mut shard = self.lock(index);
            self.held.fetch_sub(shard.map.len(), Ordering::Relaxed);
            shard.map = HashMap::new();
        }
    }

    /// How many values are held.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

impl<V> Shard<V> {
    /// The value of a slot.
    pub(super) fn get(&self, slot: &Slot) -> Option<&V> {
        self.map.get(slot)
    }

    /// Adds a slot for which a place was reserved.
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
    fn the_cap_is_never_passed_and_what_has_expired_makes_room() {
        let shards = Shards::new(1000);
        let start = Duration::from_secs(1);
        let added = (0..5000).filter(|&client| add(&shards, client, 2000, start)).count();
        assert_eq!((added, shards.held()), (1000, 1000), "exactly up to the cap");
        let later = Duration::from_secs(3);
        let added = (5000..10_000).filter(|&client| add(&shards, client, 9000, later)).count();
        assert_eq!((added, shards.held()), (1000, 1000), "all of the first have expired by then");
        shards.sweep(Duration::from_secs(20));
        assert_eq!(shards.held(), 0);
    }

    #[test]
    fn memory_follows_what_is_alive() {
        let shards = Shards::new(1_000_000);
        for client in 0..1_000_000 {
            // Each lives 10 ms, and 17 come in a millisecond.
            let now = Duration::from_secs(1) + Duration::from_micros(60) * client;
            assert!(add(&shards, client, now.as_millis() as u64 + 10, now));
        }
        let room: usize = (0..SHARDS).map(|index| shards.lock(index).map.capacity()).sum();
        assert!(room < 20_000, "{room}");
        shards.clear();
        assert_eq!(shards.held(), 0);
    }
}
