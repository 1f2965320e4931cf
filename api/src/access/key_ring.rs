//! The valid API keys, looked up by the hash of what a client sends.

use super::{key_entry::Entry, key_file};
use crate::{
    limit::{Caller, ClientKey, PolicySet},
    toml_file::{self, FileError},
};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, net::IpAddr, path::Path};
use subtle::ConstantTimeEq;

/// Every API key. Only hashes are held, never the keys. A plain SHA-256 is enough: keys are long and random
/// ([`crate::cli`] creates them), so a hash cannot be reversed by guessing.
#[derive(Debug)]
pub struct KeyRing {
    entries: Vec<Entry>,
    /// Entries by the first bytes of their hashes. The time of a look-up could reveal at most which of these exist, and
    /// no caller can choose a key by its hash.
    places: HashMap<[u8; 8], Vec<usize>>,
}

impl KeyRing {
    /// Reads a key file. `policies` define the plans.
    ///
    /// # Errors
    /// [`FileError`] with file, line, field and fix.
    pub fn load(path: &Path, policies: &PolicySet) -> Result<Self, FileError> {
        toml_file::load(key_file::VARIABLE, path, |path, text| Self::parse(path, text, policies))
    }

    /// Parses the text of a key file; `path` is for messages.
    ///
    /// # Errors
    /// [`FileError::Content`] with line, field and fix.
    pub fn parse(path: &str, text: &str, policies: &PolicySet) -> Result<Self, FileError> {
        let entries = key_file::parse(path, text, policies)?;
        let mut places: HashMap<_, Vec<_>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            places.entry(start(&entry.hash)).or_default().push(index);
        }
        Ok(Self { entries, places })
    }

    /// A plan that a key uses but these policies do not define.
    pub fn plan_missing<'a>(&'a self, policies: &PolicySet) -> Option<&'a str> {
        self.entries.iter().map(|entry| entry.plan.name()).find(|plan| policies.plan(plan).is_none())
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The caller with this key at this address; `None` for an unknown key.
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

/// The hash of a key as written in the key file: `sha256:` and 64 hexadecimal digits.
pub fn hash(key: &str) -> String {
    digest(key.as_bytes()).iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Plan;

    #[test]
    fn finds_keys_by_their_hash() {
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
