//! Values taken from answers for later requests.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use common::rng::Dice;

/// The most values kept under one name; beyond it the oldest go.
const KEPT: usize = 1_024;
/// `{{take …}}` takes only what has this many younger ones, so that requests under way with a value are answered first.
const YOUNGER: usize = 8;
/// `{{…}}` is one of so many youngest.
const YOUNGEST: u64 = 4;
/// The longest value, in bytes.
const LONGEST: usize = 1_024;
/// The most of a body that is kept to look for values in, in bytes.
pub const BODY_KEPT: usize = 1024 * 1024;

/// Where in an answer a value is.
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
    /// What later requests call it.
    pub name: String,
    /// Where it is.
    pub source: Source,
}

/// What is kept of an answer to capture from.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Header lines.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, up to [`BODY_KEPT`].
    pub body: Vec<u8>,
}

impl Kept {
    /// The value, if it is there: a string, a number or a boolean of at most 1,024 bytes.
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

/// What requests sent before a run have captured, by name: every worker has it, and it is never used up.
#[derive(Debug, Clone, Default)]
pub struct Given(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Given {
    /// Keeps a value in place of an earlier one.
    pub fn put(&self, name: &str, value: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value);
    }

    fn all(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The values of one worker, by name.
#[derive(Debug, Default)]
pub struct Pools {
    captured: RefCell<BTreeMap<String, VecDeque<Vec<u8>>>>,
    given: BTreeMap<String, Vec<u8>>,
}

impl Pools {
    /// With what was captured before.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        Self { captured: RefCell::default(), given: given.all() }
    }

    /// Keeps a value.
    pub fn put(&self, name: &str, value: Vec<u8>) {
        let mut pools = self.captured.borrow_mut();
        let pool = pools.entry(name.to_owned()).or_default();
        if pool.len() == KEPT {
            pool.pop_front();
        }
        pool.push_back(value);
    }

    /// One of the youngest.
    pub fn one(&self, name: &str, dice: &mut Dice) -> Option<Vec<u8>> {
        let pools = self.captured.borrow();
        let Some(pool) = pools.get(name).filter(|pool| !pool.is_empty()) else {
            return self.given.get(name).cloned();
        };
        let back = dice.below(YOUNGEST.min(pool.len() as u64)) as usize;
        pool.get(pool.len() - 1 - back).cloned()
    }

    /// The oldest, which is gone then; none while too few younger ones are there.
    pub fn take(&self, name: &str) -> Option<Vec<u8>> {
        let mut pools = self.captured.borrow_mut();
        let oldest = pools.get_mut(name).filter(|pool| pool.len() > YOUNGER).and_then(VecDeque::pop_front);
        oldest.or_else(|| self.given.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_they_are() {
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
    fn the_youngest_are_used_and_the_oldest_taken() {
        let pools = Pools::default();
        let mut dice = Dice::new(1);
        assert_eq!((pools.one("id", &mut dice), pools.take("id")), (None, None));
        for id in 0..10_u8 {
            pools.put("id", vec![id]);
        }
        for _ in 0..50 {
            assert!(pools.one("id", &mut dice).unwrap()[0] >= 6);
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
    fn what_was_captured_before_is_never_used_up() {
        let given = Given::default();
        given.put("token", b"old".to_vec());
        given.put("token", b"new".to_vec());
        let pools = Pools::with(&given);
        let mut dice = Dice::new(1);
        for _ in 0..3 {
            assert_eq!(pools.take("token"), Some(b"new".to_vec()));
        }
        assert_eq!(pools.one("token", &mut dice), Some(b"new".to_vec()));
        pools.put("token", b"younger".to_vec());
        assert_eq!(pools.one("token", &mut dice), Some(b"younger".to_vec()));
    }
}
