//! Parses the key file strictly, so that a typo is an error at start and not a key that never works.

use super::key_entry::Entry;
use crate::{
    limit::{Plan, PolicySet, name_is_clean},
    toml_file::{Fault, FileError, TomlFile},
};
use serde::Deserialize;
use std::collections::HashMap;
use toml::Spanned;

pub(super) const VARIABLE: &str = "API_KEYS_FILE";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    keys: Vec<RawKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    name: Spanned<String>,
    hash: Spanned<String>,
    plan: Option<Spanned<String>>,
}

pub(super) fn parse(path: &str, text: &str, policies: &PolicySet) -> Result<Vec<Entry>, FileError> {
    let source = TomlFile { variable: VARIABLE, path, text };
    let content = |fault| source.wrong(fault);
    let file: File = source.read("create an entry with `api hash-key`")?;
    if file.keys.is_empty() {
        return Err(content((
            0..0,
            "`keys`: the file has no keys; create an entry with `api hash-key`".to_owned(),
        )));
    }
    let (mut names, mut hashes) = (HashMap::new(), HashMap::new());
    let mut entries = Vec::with_capacity(file.keys.len());
    for raw in &file.keys {
        let entry = raw.check(policies).map_err(content)?;
        if names.insert(entry.name.clone(), ()).is_some() {
            let reason = format!("`name`: duplicate name \"{}\"; give each key a different name", entry.name);
            return Err(content((raw.name.span(), reason)));
        }
        if let Some(other) = hashes.insert(entry.hash, entry.name.clone()) {
            let reason =
                format!("`hash`: duplicate of the key \"{other}\"; create another key with `api hash-key`");
            return Err(content((raw.hash.span(), reason)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

impl RawKey {
    fn check(&self, policies: &PolicySet) -> Result<Entry, Fault> {
        let name = self.name.get_ref();
        if !name_is_clean(name) {
            let reason =
                format!("`name`: invalid name \"{name}\": must be 1 to 64 letters, digits, `-`, `_` or `.`");
            return Err((self.name.span(), reason));
        }
        // The value is not shown: someone may have written the key itself here.
        let hash = self.hash.get_ref().strip_prefix("sha256:").and_then(unhex).ok_or_else(|| {
            let reason =
                "`hash`: must be sha256: followed by 64 hexadecimal digits, as printed by `api hash-key`"
                    .to_owned();
            (self.hash.span(), reason)
        })?;
        let plan = match &self.plan {
            None => Plan::Default,
            Some(plan) => policies.plan(plan.get_ref()).ok_or_else(|| {
                let known = policies.plans().collect::<Vec<_>>().join(", ");
                let reason = format!(
                    "`plan`: unknown plan \"{}\": must be one of {known}; a policy with `plan = true` in RATE_LIMITS_FILE adds one",
                    plan.get_ref()
                );
                (plan.span(), reason)
            })?,
        };
        Ok(Entry { name: name.as_str().into(), plan, hash })
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::hash;

    #[test]
    fn errors_name_file_line_field_and_fix_but_no_key() {
        let good = |name: &str| format!("[[keys]]\nname = \"{name}\"\nhash = \"{}\"\n", hash(name));
        let policies = "[[policy]]\nname='all'\nlimit='1/s'\nburst=1\n[[policy]]\nname='gold'\nlimit='9/s'\nburst=9\nplan=true\n";
        let policies = PolicySet::parse("x", policies).unwrap();
        for (text, needles) in [
            (String::new(), &["line 1", "`keys`", "hash-key"][..]),
            ("keys = []".to_owned(), &["`keys`", "hash-key"]),
            ("[[keys]\n".to_owned(), &["line 1"]),
            (format!("{}hsah = 1\n", good("a")), &["line 4", "`hsah`", "`hash`"]),
            ("[[keys]]\nname = \"a\"\n".to_owned(), &["`hash`", "hash-key"]),
            (good("a b"), &["line 2", "`name`", "letters"]),
            (good(&"a".repeat(65)), &["line 2", "`name`"]),
            ("[[keys]]\nname='a'\nhash='SECRETKEY'".to_owned(), &["line 3", "`hash`", "64", "hash-key"]),
            (format!("[[keys]]\nname='a'\nhash='sha256:{}'", "é".repeat(32)), &["line 3", "`hash`"]),
            (format!("{}{}", good("a"), good("a")), &["line 5", "`name`", "duplicate"]),
            (
                format!("{}{}", good("a"), good("a").replacen("\"a\"", "\"b\"", 1)),
                &["line 6", "`hash`", "\"a\""],
            ),
            (
                format!("{}plan = \"silver\"\n", good("a")),
                &["line 4", "\"silver\"", "default, unlimited, gold;", "plan = true"],
            ),
            (format!("{}plan = \"all\"\n", good("a")), &["line 4", "`plan`", "gold"]),
        ] {
            let message = parse("keys.toml", &text, &policies).unwrap_err().to_string();
            assert!(message.starts_with("API_KEYS_FILE=keys.toml: "), "{message}");
            for needle in needles {
                assert!(message.contains(needle), "{needle:?} not in: {message}");
            }
            assert!(!message.contains("SECRETKEY"), "{message}");
        }
        let plan = parse("k", &format!("{}plan = \"gold\"\n", good("a")), &policies).unwrap()[0].plan.clone();
        assert_eq!(plan, Plan::Policy("gold".into()));
    }
}
