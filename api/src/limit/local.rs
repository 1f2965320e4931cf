//! The local judge: `governor`, the whole limiter without Redis and the stand-in when Redis is gone.

use super::{
    ask::{Answer, Ask},
    debt,
    shards::{Expires, Shard, Shards, Slot},
};
use smallvec::SmallVec;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A theoretical arrival time: nanoseconds since the fixed instant that all times here count from.
#[derive(Debug, Clone, Copy)]
struct Arrival(u64);

impl Expires for Arrival {
    fn expired(&self, now: Duration) -> bool {
        self.0 <= nanoseconds(now)
    }
}

/// Debts of every key under every policy, with a cap.
#[derive(Debug)]
pub(super) struct LocalJudge {
    debts: Shards<Arrival>,
    /// The debt, for each policy, that all keys share for which there was no room.
    overflow: Mutex<HashMap<u32, Arrival>>,
}

/// Where a key's debt is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    Held,
    /// A place is reserved.
    New,
    Overflow,
}

/// One policy's question on its way to an answer.
struct Case {
    slot: Slot,
    shard: usize,
    home: Home,
    /// The debt before and after the decision.
    before: u64,
    after: u64,
}

type Guards<'a> = SmallVec<[(usize, MutexGuard<'a, Shard<Arrival>>); 2]>;

impl LocalJudge {
    /// Holds at most `cap` debts.
    pub(super) fn new(cap: usize) -> Self {
        Self { debts: Shards::new(cap), overflow: Mutex::default() }
    }

    /// Decides one request by all its policies at `now`, at the part of their quotas that one of so many `instances` has:
    /// all or nothing, also beside requests on other threads.
    pub(super) fn decide<'a>(
        &self,
        asks: impl Iterator<Item = &'a Ask>,
        instances: u64,
        now: Duration,
    ) -> Vec<Answer> {
        let asks: SmallVec<[&Ask; 2]> = asks.collect();
        let mut cases: SmallVec<[Case; 2]> = asks
            .iter()
            .map(|ask| {
                let slot = (ask.slot, ask.key.clone());
                Case { shard: self.debts.index(&slot), slot, home: Home::Held, before: 0, after: 0 }
            })
            .collect();
        let mut guards = self.lock(&cases);
        let mut overflow = None;
        let mut answers = Vec::with_capacity(asks.len());
        for (ask, case) in asks.iter().zip(&mut cases) {
            let shard = guarded(&mut guards, case.shard);
            let arrival = match shard.get(&case.slot).copied() {
                Some(arrival) => arrival.0,
                None if self.debts.reserve(shard, now) => {
                    case.home = Home::New;
                    0
                }
                None => {
                    case.home = Home::Overflow;
                    let shared = overflow.get_or_insert_with(|| self.lock_overflow());
                    shared.get(&ask.slot).map_or(0, |arrival| arrival.0)
                }
            };
            let quota = if instances > 1 { ask.quota.share(instances, ask.dearest) } else { ask.quota };
            let owed = arrival.saturating_sub(nanoseconds(now));
            let most = debt::most(&quota);
            if owed > most && case.home == Home::Held {
                // Kept although nothing is charged: else it would be as much again and again, and a limit that was raised
                // would stay blocked.
                let cut = Arrival(nanoseconds(now).saturating_add(most));
                self.debts.put(shard, case.slot.clone(), cut);
            }
            case.before = owed.min(most);
            let (verdict, after) = debt::judge(&quota, case.before, ask.cost);
            case.after = after;
            answers.push(Answer { policy: ask.policy, shadow: ask.shadow, verdict });
        }
        let refused = answers.iter().any(Answer::refuses);
        for ((case, answer), ask) in cases.into_iter().zip(&mut answers).zip(asks) {
            let arrival = Arrival(nanoseconds(now).saturating_add(case.after));
            let charged = !refused && answer.verdict.admitted;
            if refused && answer.verdict.admitted {
                answer.verdict.remaining += ask.cost;
                answer.verdict.reset_us = case.before.div_ceil(1000);
            }
            match case.home {
                Home::New if !charged => self.debts.release(),
                _ if !charged => {}
                Home::New => guarded(&mut guards, case.shard).insert(case.slot, arrival),
                Home::Held => self.debts.put(guarded(&mut guards, case.shard), case.slot, arrival),
                Home::Overflow => {
                    if let Some(shared) = &mut overflow {
                        shared.insert(case.slot.0, arrival);
                    }
                }
            }
        }
        answers
    }

    /// Locks every shard the cases lie in, in the one order that everybody keeps.
    fn lock(&self, cases: &[Case]) -> Guards<'_> {
        let mut shards: SmallVec<[usize; 2]> = cases.iter().map(|case| case.shard).collect();
        shards.sort_unstable();
        shards.dedup();
        shards.into_iter().map(|shard| (shard, self.debts.lock(shard))).collect()
    }

    /// After the shards, never before.
    fn lock_overflow(&self) -> MutexGuard<'_, HashMap<u32, Arrival>> {
        self.overflow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets keys whose debt is paid: they are as good as new.
    pub(super) fn sweep(&self, now: Duration) {
        self.debts.sweep(now);
        self.lock_overflow().retain(|_, arrival| !arrival.expired(now));
    }

    /// Debts held.
    pub(super) fn held(&self) -> usize {
        self.debts.held()
    }
}

fn guarded<'a, 'g>(guards: &'a mut Guards<'g>, shard: usize) -> &'a mut Shard<Arrival> {
    let found = guards.iter_mut().find(|(index, _)| *index == shard);
    &mut found.expect("every case's shard was locked").1
}

/// 2^64 of them are 584 years.
fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos() as u64
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
