//! The API keys that are let in, found by the hash of what a client presents.

use super::{key_entry::Entry, key_file};
use crate::{
    limit::{Caller, ClientKey, PolicySet},
    toml_file::{self, FileError},
};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, net::IpAddr, path::Path};
use subtle::ConstantTimeEq;

/// Every API key. Keys themselves are never held, only their hashes; a plain SHA-256 is enough, as keys are long and
/// random ([`crate::cli`] makes them) and cannot be guessed from it.
#[derive(Debug)]
pub struct KeyRing {
    entries: Vec<Entry>,
    /// Where entries are, by the first bytes of their hashes. Which of these exist is all that the time of a look-up
    /// could tell, and nobody can choose a key by its hash.
    places: HashMap<[u8; 8], Vec<usize>>,
}

impl KeyRing {
    /// Reads a keys file. `policies` are the plans there are.
    ///
    /// # Errors
    /// [`FileError`] with file, line, field and remedy.
    pub fn load(path: &Path, policies: &PolicySet) -> Result<Self, FileError> {
        toml_file::load(key_file::VARIABLE, path, |path, text| Self::parse(path, text, policies))
    }

    /// Parses the text of a keys file; `path` is for messages.
    ///
    /// # Errors
    /// [`FileError::Content`] with line, field and remedy.
    pub fn parse(path: &str, text: &str, policies: &PolicySet) -> Result<Self, FileError> {
        let entries = key_file::parse(path, text, policies)?;
        let mut places: HashMap<_, Vec<_>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            places.entry(start(&entry.hash)).or_default().push(index);
        }
        Ok(Self { entries, places })
    }

    /// A plan that a key has and these policies do not.
    pub fn plan_missing<'a>(&'a self, policies: &PolicySet) -> Option<&'a str> {
        self.entries.iter().map(|entry| entry.plan.name()).find(|plan| policies.plan(plan).is_none())
    }

    /// Whose key this is, sent from this address; `None` for one that is not known.
    pub fn find(&self, key: &[u8], address: Option<IpAddr>) -> Option<Caller> {
        let hash = digest(key);
        let candidates = self.places.get(&start(&hash))?;
        let entry = candidates.iter().map(|&index| &self.entries[index]);
        let entry = { entry }.find(|entry| entry.hash.ct_eq(&hash).into())?;
        Some(Caller { key: ClientKey::Key(entry.name.clone()), plan: entry.plan.clone(), address })
    }
}

fn start(hash: &[u8; 32]) -> [u8; 8] {
    std::array::from_fn(|index| hash[index])
}

pub(super) fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The hash of a key as the keys file writes it: `sha256:` and 64 hexadecimal digits.
pub fn hash(key: &str) -> String {
    digest(key.as_bytes()).iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Plan;

    #[test]
    fn keys_are_found_by_their_hash() {
        let text = format!(
            "[[keys]]\nname = \"ci\"\nhash = \"{}\"\n[[keys]]\nname = \"ops\"\nhash = \"{}\"\nplan = \"unlimited\"\n",
            hash("key-of-ci"),
            hash("key-of-ops").to_uppercase().replace("SHA256", "sha256"),
        );
        let ring = KeyRing::parse("keys.toml", &text, &PolicySet::built_in()).unwrap();
        for (key, name, plan) in
            [("key-of-ci", "key:ci", Plan::Default), ("key-of-ops", "key:ops", Plan::Unlimited)]
        {
            let caller = ring.find(key.as_bytes(), None).unwrap();
            assert_eq!((caller.key.to_string().as_str(), caller.plan), (name, plan));
        }
        for unknown in ["", "key-of-c", "key-of-ci ", &hash("key-of-ci")] {
            assert!(ring.find(unknown.as_bytes(), None).is_none(), "{unknown}");
        }
    }

    #[test]
    fn the_hash_is_sha256() {
        // The test vector "abc" of FIPS 180-2, appendix B.1.
        assert_eq!(hash("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
