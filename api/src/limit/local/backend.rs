//! The local backend: `governor` decides, without Redis or while Redis is away.

use super::gcra;
use crate::limit::{
    check::{Check, CheckResult},
    shards::{Expires, Shard, Shards, Slot},
};
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;
use std::{collections::HashMap, time::Duration};

/// A theoretical arrival time: nanoseconds since the origin of all times here.
#[derive(Debug, Clone, Copy)]
struct Arrival(u64);

impl Expires for Arrival {
    fn expired(&self, now: Duration) -> bool {
        self.0 <= nanoseconds(now)
    }
}

/// Balances by policy and key, with a cap on their number.
#[derive(Debug)]
pub(in crate::limit) struct LocalBackend {
    balances: Shards<Arrival>,
    /// Per policy, the balance shared by all keys beyond the cap. Locked after the shards, never before.
    overflow: Mutex<HashMap<u32, Arrival>>,
}

/// Where a key's balance is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    Held,
    /// Room is reserved for it.
    New,
    Overflow,
}

/// One policy's check in progress.
struct Case {
    slot: Slot,
    shard: usize,
    home: Home,
    /// The balance before and after the decision.
    before: u64,
    after: u64,
}

type Guards<'a> = SmallVec<[(usize, MutexGuard<'a, Shard<Arrival>>); 2]>;

impl LocalBackend {
    /// Holds at most `cap` balances.
    pub(in crate::limit) fn new(cap: usize) -> Self {
        Self { balances: Shards::new(cap), overflow: Mutex::default() }
    }

    /// Decides one request by all its policies at `now`, with the share of their quotas that one of `instances` has.
    /// All or nothing, even with concurrent requests on other threads.
    pub(in crate::limit) fn decide<'a>(
        &self,
        checks: impl Iterator<Item = &'a Check>,
        instances: u64,
        now: Duration,
    ) -> Vec<CheckResult> {
        let checks: SmallVec<[&Check; 2]> = checks.collect();
        let mut cases: SmallVec<[Case; 2]> = checks
            .iter()
            .map(|check| {
                let slot = (check.slot, check.key.clone());
                Case { shard: self.balances.index(&slot), slot, home: Home::Held, before: 0, after: 0 }
            })
            .collect();
        let mut guards = self.lock(&cases);
        let mut overflow = None;
        let mut results = Vec::with_capacity(checks.len());
        for (check, case) in checks.iter().zip(&mut cases) {
            let shard = guarded(&mut guards, case.shard);
            let arrival = match shard.get(&case.slot).copied() {
                Some(arrival) => arrival.0,
                None if self.balances.reserve(shard, now) => {
                    case.home = Home::New;
                    0
                }
                None => {
                    case.home = Home::Overflow;
                    let shared = overflow.get_or_insert_with(|| self.overflow.lock());
                    shared.get(&check.slot).map_or(0, |arrival| arrival.0)
                }
            };
            let quota =
                if instances > 1 { check.quota.share(instances, check.highest_cost) } else { check.quota };
            let owed = arrival.saturating_sub(nanoseconds(now));
            let most = gcra::most(&quota);
            if owed > most && case.home == Home::Held {
                // Stored although nothing is charged: otherwise an old balance would be cut down at every request, and
                // a raised limit would stay blocked.
                let cut = Arrival(nanoseconds(now).saturating_add(most));
                self.balances.put(shard, case.slot.clone(), cut);
            }
            case.before = owed.min(most);
            let (verdict, after) = gcra::check(&quota, case.before, check.cost);
            case.after = after;
            results.push(CheckResult { policy: check.policy, shadow: check.shadow, verdict });
        }
        let refused = results.iter().any(CheckResult::refuses);
        for ((case, result), check) in cases.into_iter().zip(&mut results).zip(checks) {
            let arrival = Arrival(nanoseconds(now).saturating_add(case.after));
            let charged = !refused && result.verdict.admitted;
            if refused && result.verdict.admitted {
                result.verdict.remaining += check.cost;
                result.verdict.reset_us = case.before.div_ceil(1000);
            }
            match case.home {
                Home::New if !charged => self.balances.release(),
                _ if !charged => {}
                Home::New => guarded(&mut guards, case.shard).insert(case.slot, arrival),
                Home::Held => self.balances.put(guarded(&mut guards, case.shard), case.slot, arrival),
                Home::Overflow => {
                    if let Some(shared) = &mut overflow {
                        shared.insert(case.slot.0, arrival);
                    }
                }
            }
        }
        results
    }

    /// Locks every shard of the cases, always in the same order.
    fn lock(&self, cases: &[Case]) -> Guards<'_> {
        let mut shards: SmallVec<[usize; 2]> = cases.iter().map(|case| case.shard).collect();
        shards.sort_unstable();
        shards.dedup();
        shards.into_iter().map(|shard| (shard, self.balances.lock(shard))).collect()
    }

    /// Removes keys whose balance is zero; they equal new ones.
    pub(in crate::limit) fn sweep(&self, now: Duration) {
        self.balances.sweep(now);
        self.overflow.lock().retain(|_, arrival| !arrival.expired(now));
    }

    /// Number of balances held.
    pub(in crate::limit) fn held(&self) -> usize {
        self.balances.held()
    }
}

fn guarded<'a, 'g>(guards: &'a mut Guards<'g>, shard: usize) -> &'a mut Shard<Arrival> {
    let found = guards.iter_mut().find(|(index, _)| *index == shard);
    &mut found.expect("the shards of all cases are locked").1
}

/// 2^64 nanoseconds are 584 years.
fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos() as u64
}

#[cfg(test)]
#[path = "backend_tests.rs"]
mod tests;
