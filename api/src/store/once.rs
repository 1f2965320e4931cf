//! A write that happens once however often it is sent: the claim on an `Idempotency-Key` and the answer kept under it.

use super::user::User;
use parking_lot::Mutex;
use std::{
    collections::HashSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// How long an answer is kept, in seconds: a day.
pub(super) const KEPT_SECONDS: i64 = 24 * 3600;
/// Most answers kept; beyond it those that would expire first go early.
pub(super) const MOST_KEPT: i64 = 1_000_000;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// One request's claim on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Once {
    /// Which key: a digest of the key with its route and caller, so that neither can meet another's.
    pub id: Digest,
    /// Which request: a digest of its query and body.
    pub fingerprint: Digest,
}

/// An answer as it is kept. For errors the body is the problem's detail: the rest is made anew for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers worth repeating, such as `Location` and `ETag`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// How the creation of a user is answered; without a user, another has the e-mail address.
pub type CreationAnswer = fn(Option<&User>) -> Answer;

/// What became of a write that may have been sent before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent<T> {
    /// It was done now.
    First(T),
    /// It was done before; this was the answer.
    Before(Answer),
    /// The key belongs to another request.
    Otherwise,
}

/// What the database knows of a key once it has been asked to claim it.
#[derive(Debug)]
pub(super) enum Claim {
    /// Claimed now.
    Fresh,
    /// Taken: by which request, and its answer.
    Taken(Digest, Answer),
}

impl Claim {
    /// What a taken key means for the request that asks; `None` when the claim is fresh.
    pub(super) fn verdict<T>(self, once: &Once) -> Option<Sent<T>> {
        match self {
            Self::Fresh => None,
            Self::Taken(fingerprint, answer) if fingerprint == once.fingerprint => Some(Sent::Before(answer)),
            Self::Taken(..) => Some(Sent::Otherwise),
        }
    }
}

/// Keys whose first request this process is answering now. Never more than requests in flight.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashSet<Digest>>>);

/// A key in flight; free again when dropped.
#[derive(Debug)]
pub struct InFlightGuard {
    id: Digest,
    keys: InFlight,
}

impl InFlight {
    /// `None` while another request holds the key.
    pub(super) fn enter(&self, id: Digest) -> Option<InFlightGuard> {
        self.0.lock().insert(id).then(|| InFlightGuard { id, keys: self.clone() })
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.keys.0.lock().remove(&self.id);
    }
}

/// Seconds since 1970.
pub(super) fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_flight_once() {
        let keys = InFlight::default();
        let held = keys.enter([1; 32]);
        assert!(held.is_some() && keys.enter([1; 32]).is_none() && keys.enter([2; 32]).is_some());
        drop(held);
        assert!(keys.enter([1; 32]).is_some());
    }

    #[test]
    fn a_taken_key_replays_or_refuses() {
        let answer = Answer { status: 201, headers: Vec::new(), body: b"x".to_vec() };
        let once = Once { id: [0; 32], fingerprint: [1; 32] };
        assert_eq!(Claim::Fresh.verdict::<()>(&once), None);
        assert_eq!(
            Claim::Taken([1; 32], answer.clone()).verdict::<()>(&once),
            Some(Sent::Before(answer.clone()))
        );
        assert_eq!(Claim::Taken([2; 32], answer).verdict::<()>(&once), Some(Sent::Otherwise));
    }
}
