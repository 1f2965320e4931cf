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
    assert!(all.places.lock().is_empty());
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
