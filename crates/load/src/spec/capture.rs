//! Values captured from responses for use in later requests.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use common::rng::Rng;

/// Maximum number of values kept per name. When it is full, the oldest is dropped.
const KEPT: usize = 1_024;
/// `{{take …}}` takes a value only when this many newer ones exist, so that requests in flight with it can finish
/// first.
const NEWER_THAN_TAKEN: usize = 8;
/// `{{…}}` picks one of this many newest values.
const NEWEST_USED: u64 = 4;
/// Maximum length of a value, in bytes.
const LONGEST: usize = 1_024;
/// Maximum part of a body that is searched for values, in bytes.
pub const BODY_KEPT: usize = 1024 * 1024;

/// Where a value is found in a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A JSON pointer into the body (RFC 6901), such as `/id` or `/users/0/id`.
    Body(String),
    /// A header's name.
    Header(String),
}

/// One entry of `capture:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The name that later requests use.
    pub name: String,
    /// Where the value is found.
    pub source: Source,
}

/// The part of a response that values are captured from.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Header lines.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, up to [`BODY_KEPT`].
    pub body: Vec<u8>,
}

impl Kept {
    /// The value at `source`, if present: a string, a number or a boolean of at most 1,024 bytes.
    #[must_use]
    pub fn find(&self, source: &Source) -> Option<Vec<u8>> {
        let value = match source {
            Source::Header(name) => {
                let line = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
                line.1.clone()
            }
            Source::Body(pointer) => {
                let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
                match body.pointer(pointer)? {
                    serde_json::Value::String(text) => text.clone().into_bytes(),
                    value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => {
                        value.to_string().into_bytes()
                    }
                    _ => return None,
                }
            }
        };
        (!value.is_empty() && value.len() <= LONGEST).then_some(value)
    }
}

/// Values captured by the requests sent before a run, by name. Every worker has them, and `take` does not remove them.
#[derive(Debug, Clone, Default)]
pub struct Given(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Given {
    /// Stores a value, replacing an earlier one.
    pub fn put(&self, name: &str, value: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value);
    }

    fn all(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The captured values of one worker, by name.
#[derive(Debug, Default)]
pub struct Pools {
    captured: RefCell<BTreeMap<String, VecDeque<Vec<u8>>>>,
    given: BTreeMap<String, Vec<u8>>,
}

impl Pools {
    /// Pools that start with the values captured before the run.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        Self { captured: RefCell::default(), given: given.all() }
    }

    /// Stores a value.
    pub fn put(&self, name: &str, value: Vec<u8>) {
        let mut pools = self.captured.borrow_mut();
        let pool = pools.entry(name.to_owned()).or_default();
        if pool.len() == KEPT {
            pool.pop_front();
        }
        pool.push_back(value);
    }

    /// One of the newest values.
    pub fn one(&self, name: &str, rng: &mut Rng) -> Option<Vec<u8>> {
        let pools = self.captured.borrow();
        let Some(pool) = pools.get(name).filter(|pool| !pool.is_empty()) else {
            return self.given.get(name).cloned();
        };
        let back = rng.below(NEWEST_USED.min(pool.len() as u64)) as usize;
        pool.get(pool.len() - 1 - back).cloned()
    }

    /// Removes and returns the oldest value. Returns none while too few newer values exist.
    pub fn take(&self, name: &str) -> Option<Vec<u8>> {
        let mut pools = self.captured.borrow_mut();
        let oldest =
            pools.get_mut(name).filter(|pool| pool.len() > NEWER_THAN_TAKEN).and_then(VecDeque::pop_front);
        oldest.or_else(|| self.given.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_values_in_headers_and_body() {
        let kept = Kept {
            headers: vec![("Location".into(), b"/api/users/7".to_vec())],
            body: br#"{"id":7,"name":"Ada","tags":["x",true],"none":null,"more":{"id":"8"}}"#.to_vec(),
        };
        for (source, value) in [
            (Source::Header("location".into()), Some("/api/users/7")),
            (Source::Header("ETag".into()), None),
            (Source::Body("/id".into()), Some("7")),
            (Source::Body("/name".into()), Some("Ada")),
            (Source::Body("/tags/1".into()), Some("true")),
            (Source::Body("/more/id".into()), Some("8")),
            (Source::Body("/more".into()), None),
            (Source::Body("/none".into()), None),
            (Source::Body("/absent".into()), None),
        ] {
            assert_eq!(kept.find(&source), value.map(|value| value.as_bytes().to_vec()), "{source:?}");
        }
        assert_eq!(
            Kept { body: b"no json".to_vec(), ..Kept::default() }.find(&Source::Body("/id".into())),
            None
        );
    }

    #[test]
    fn uses_the_newest_and_takes_the_oldest() {
        let pools = Pools::default();
        let mut rng = Rng::new(1);
        assert_eq!((pools.one("id", &mut rng), pools.take("id")), (None, None));
        for id in 0..10_u8 {
            pools.put("id", vec![id]);
        }
        for _ in 0..50 {
            assert!(pools.one("id", &mut rng).unwrap()[0] >= 6);
        }
        assert_eq!(
            [pools.take("id"), pools.take("id"), pools.take("id")],
            [Some(vec![0]), Some(vec![1]), None]
        );
        for id in 0..5_000_u32 {
            pools.put("id", id.to_le_bytes().to_vec());
        }
        assert_eq!(pools.captured.borrow()["id"].len(), KEPT, "memory is bounded");
    }

    #[test]
    fn take_does_not_remove_values_captured_before_the_run() {
        let given = Given::default();
        given.put("token", b"old".to_vec());
        given.put("token", b"new".to_vec());
        let pools = Pools::with(&given);
        let mut rng = Rng::new(1);
        for _ in 0..3 {
            assert_eq!(pools.take("token"), Some(b"new".to_vec()));
        }
        assert_eq!(pools.one("token", &mut rng), Some(b"new".to_vec()));
        pools.put("token", b"newer".to_vec());
        assert_eq!(pools.one("token", &mut rng), Some(b"newer".to_vec()));
    }
}
