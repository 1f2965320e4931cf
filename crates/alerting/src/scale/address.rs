//! Replaces addresses in the files, such as names of containers by local ports.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::document::editor::Editor;
use crate::document::report::ScaleError;
use crate::document::tree::Node;
use crate::scale::error::OptionError;

/// A replacement of one address: `api:8000=127.0.0.1:18000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// HOST:PORT to replace.
    pub from: String,
    /// HOST:PORT to write instead.
    pub to: String,
}

impl std::str::FromStr for Replacement {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        match text.split_once('=') {
            Some((from, to)) if is_address(from) && is_address(to) => {
                Ok(Self { from: from.to_owned(), to: to.to_owned() })
            }
            _ => Err(OptionError::Replacement(text.to_owned())),
        }
    }
}

fn is_address(text: &str) -> bool {
    let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
    text.rsplit_once(':')
        .is_some_and(|(name, port)| !name.is_empty() && name.chars().all(host) && port.parse::<u16>().is_ok())
}

/// Any number of [`Replacement`]s, with distinct `from` addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replacements(BTreeMap<String, String>);

impl Replacements {
    /// Collects replacements.
    ///
    /// # Errors
    /// One address has two different replacements.
    pub fn new(all: impl IntoIterator<Item = Replacement>) -> Result<Self, OptionError> {
        let mut map = BTreeMap::new();
        for Replacement { from, to } in all {
            match map.insert(from.clone(), to.clone()) {
                Some(one) if one != to => return Err(OptionError::Both { from, one, other: to }),
                _ => {}
            }
        }
        Ok(Self(map))
    }

    pub(crate) fn start(&self) -> Matching<'_> {
        Matching { wanted: &self.0, met: BTreeSet::new() }
    }
}

/// Applies replacements and records which addresses were found.
pub struct Matching<'a> {
    wanted: &'a BTreeMap<String, String>,
    met: BTreeSet<String>,
}

impl Matching<'_> {
    /// Replaces the address in a scalar: `host:port`, optionally with a scheme before and a path after it.
    pub fn replace_in(&mut self, editor: &mut Editor, node: &Node, field: &str) -> Result<(), ScaleError> {
        let Some(value) = node.scalar() else { return Ok(()) };
        let Some((range, address)) = address(value) else { return Ok(()) };
        if let Some(to) = self.wanted.get(&address) {
            editor.replace(node, field, &[(range, to.clone())])?;
            editor.note_change(field, &address, to, None);
        }
        self.met.insert(address);
        Ok(())
    }

    /// Checks that every address was found.
    ///
    /// # Errors
    /// An address to replace was not found; the error lists those that were.
    pub fn finish(self) -> Result<(), OptionError> {
        match self.wanted.keys().find(|from| !self.met.contains(*from)) {
            None => Ok(()),
            Some(from) => {
                let met: Vec<&str> = self.met.iter().map(String::as_str).collect();
                let met = if met.is_empty() { "none".to_owned() } else { met.join(", ") };
                Err(OptionError::NotMet { from: from.clone(), met })
            }
        }
    }
}

/// The position of the address in a target or URL, and the address with its port.
fn address(value: &str) -> Option<(Range<usize>, String)> {
    let (scheme, start) = match value.find("://") {
        Some(at) => (&value[..at], at + 3),
        None => ("", 0),
    };
    let end = value[start..].find(['/', '?', '#']).map_or(value.len(), |at| start + at);
    let start = value[start..end].rfind('@').map_or(start, |at| start + at + 1);
    let written = &value[start..end];
    let address = match scheme {
        _ if is_address(written) => written.to_owned(),
        "http" => format!("{written}:80"),
        "https" => format!("{written}:443"),
        _ => return None,
    };
    is_address(&address).then_some((start..end, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address_in_targets_and_urls() {
        for (value, expected) in [
            ("api:8000", Some(("api:8000", "api:8000"))),
            ("http://inbox:8025/slack", Some(("inbox:8025", "inbox:8025"))),
            ("http://inbox/webhook", Some(("inbox", "inbox:80"))),
            ("https://user:pw@hooks.example:8443?x=1", Some(("hooks.example:8443", "hooks.example:8443"))),
            ("https://hooks.example", Some(("hooks.example", "hooks.example:443"))),
            ("http://[::1]:9093/", Some(("[::1]:9093", "[::1]:9093"))),
            ("{{ template \"x\" . }}", None),
            ("api", None),
            ("", None),
        ] {
            let found = address(value);
            let found = found.as_ref().map(|(range, address)| (&value[range.clone()], address.as_str()));
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn reads_replacements() {
        let read: Replacement = "api:8000=127.0.0.1:18000".parse().unwrap();
        assert_eq!((read.from.as_str(), read.to.as_str()), ("api:8000", "127.0.0.1:18000"));
        for text in
            ["", "api", "api:8000", "api:8000=", "api=b", "api:x=b:1", "api:1=b:99999", "a b:1=c:2", ":1=a:2"]
        {
            assert!(
                text.parse::<Replacement>().unwrap_err().to_string().contains(&format!("`{text}`")),
                "{text}"
            );
        }
        let both = ["a:1=b:2", "a:1=c:3"].map(|text| text.parse::<Replacement>().unwrap());
        assert!(Replacements::new(both).unwrap_err().to_string().contains("b:2 and c:3"));
    }
}
