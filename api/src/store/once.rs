//! Writes that happen once even if sent repeatedly: the claim on an `Idempotency-Key` and its stored response.

use super::user::User;
use parking_lot::Mutex;
use std::{
    collections::HashSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// How long a response is stored, in seconds: a day.
pub(super) const KEPT_SECONDS: i64 = 24 * 3600;
/// Maximum number of stored responses; beyond it the first to expire are deleted early.
pub(super) const MAX_KEPT: i64 = 1_000_000;
/// Longest body of a stored response, in bytes: about a thousand predictions.
pub const LARGEST_KEPT: usize = 64 * 1024;
/// A longer body is large; the index of the large ones has the same number.
pub(super) const LARGE: usize = 2048;
/// Maximum number of large ones, together at most 256 MiB; another replaces the first to expire.
pub(super) const MAX_LARGE: i64 = 4096;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// One request's claim on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Once {
    /// Identifies the key: a digest of it with route and caller, so that they never collide with another's.
    pub id: Digest,
    /// Identifies the request: a digest of its query and body.
    pub fingerprint: Digest,
}

/// A stored response. For errors the body is the problem's detail; the rest is created for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers to repeat, such as `Location` and `ETag`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Creates the response to the creation of a user; without a user, another has the e-mail address.
pub type CreationResponse = fn(Option<&User>) -> StoredResponse;

/// Result of a write that may have been sent before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent<T> {
    /// Done now.
    First(T),
    /// Done before, with this response.
    Before(StoredResponse),
    /// The key belongs to another request.
    Otherwise,
}

/// The state of a key after the attempt to claim it.
#[derive(Debug)]
pub(super) enum Claim {
    /// Claimed now.
    Fresh,
    /// Already claimed: the request's fingerprint and the response.
    Taken(Digest, StoredResponse),
}

impl Claim {
    /// What a claimed key means for the request; `None` when the claim is new.
    pub(super) fn verdict<T>(self, once: &Once) -> Option<Sent<T>> {
        match self {
            Self::Fresh => None,
            Self::Taken(fingerprint, response) if fingerprint == once.fingerprint => {
                Some(Sent::Before(response))
            }
            Self::Taken(..) => Some(Sent::Otherwise),
        }
    }
}

/// Keys whose first request is in progress in this process. Never more than requests in flight.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashSet<Digest>>>);

/// A key in flight; released on drop.
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
    fn a_key_is_in_flight_only_once() {
        let keys = InFlight::default();
        let held = keys.enter([1; 32]);
        assert!(held.is_some() && keys.enter([1; 32]).is_none() && keys.enter([2; 32]).is_some());
        drop(held);
        assert!(keys.enter([1; 32]).is_some());
    }

    #[test]
    fn a_claimed_key_replays_or_refuses() {
        let response = StoredResponse { status: 201, headers: Vec::new(), body: b"x".to_vec() };
        let once = Once { id: [0; 32], fingerprint: [1; 32] };
        assert_eq!(Claim::Fresh.verdict::<()>(&once), None);
        assert_eq!(
            Claim::Taken([1; 32], response.clone()).verdict::<()>(&once),
            Some(Sent::Before(response.clone()))
        );
        assert_eq!(Claim::Taken([2; 32], response).verdict::<()>(&once), Some(Sent::Otherwise));
    }
}
