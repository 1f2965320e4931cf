//! Reads large JSON without keeping it: parts are looked at in the text of the body. As values they would take up to a
//! hundred times its size.

use serde::{
    Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// Whether this is the text of a list, if it is valid at all.
pub(crate) fn is_list(text: &str) -> bool {
    text.trim_ascii_start().starts_with('[')
}

/// Checks that this is valid JSON.
///
/// # Errors
/// Where it is not.
pub(crate) fn check(text: &[u8]) -> serde_json::Result<()> {
    serde_json::from_slice::<IgnoredAny>(text).map(drop)
}

/// Calls `element` with the text of each element of a list.
///
/// # Errors
/// When it is not a list, or not valid JSON.
pub(crate) fn each<'a>(list: &'a str, element: impl FnMut(&'a str)) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(list);
    json.deserialize_seq(Each(element))?;
    json.end()
}

struct Each<F>(F);

impl<'a, F: FnMut(&'a str)> Visitor<'a> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<&'a RawValue>()? {
            (self.0)(element.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_a_list_without_parsing_its_elements() {
        let mut found = Vec::new();
        each(" [1, [2,\n3] ,{\"a\":\"]\"}]", |text| found.push(text)).unwrap();
        assert_eq!(found, ["1", "[2,\n3]", "{\"a\":\"]\"}"]);
        for bad in ["[1,]", "[1", "{}", "1", "", "[1] 2"] {
            assert!(each(bad, |_| ()).is_err(), "{bad}");
        }
    }

    #[test]
    fn knows_lists_and_invalid_text() {
        assert!(is_list("\n[]") && !is_list("{}") && !is_list("7") && !is_list(""));
        assert!(check(b"[1]").is_ok() && check(b"[1").is_err() && check(&b"[".repeat(1_000_000)).is_err());
    }
}
