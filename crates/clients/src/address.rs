//! System addresses, which may contain a user and password that no message may show.

use url::Url;

use crate::error::Reason;

/// Parses an address.
///
/// # Errors
/// Why it is invalid, without the address itself.
pub fn parse(text: &str) -> Result<Url, Reason> {
    Ok(Url::parse(text)?)
}

/// The address without everything before the last `@`, which may be a password. Works for malformed addresses too.
#[must_use]
pub fn redacted(text: &str) -> String {
    let Some(at) = text.rfind('@') else { return text.to_owned() };
    let scheme = text[..at].find("://").map_or("", |end| &text[..end + 3]);
    format!("{scheme}…{}", &text[at..])
}

/// `text` without the passwords of these addresses, percent-encoded or not.
#[must_use]
pub fn hushed<'a>(text: &str, addresses: impl IntoIterator<Item = &'a Url>) -> String {
    let mut text = text.to_owned();
    for written in addresses.into_iter().filter_map(Url::password).filter(|password| !password.is_empty()) {
        text = text.replace(written, "…");
        if let Ok(plain) = percent_encoding::percent_decode_str(written).decode_utf8() {
            text = text.replace(plain.as_ref(), "…");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redacts_everything_before_the_last_at() {
        for (text, shown) in [
            ("http://127.0.0.1:9090/x", "http://127.0.0.1:9090/x"),
            ("https://me:secret@a.example/", "https://…@a.example/"),
            ("https://me:se/cr@et@a.example:x", "https://…@a.example:x"),
            ("me:secret@a.example", "…@a.example"),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }

    #[test]
    fn removes_passwords_encoded_or_not() {
        let addresses =
            ["https://me:a%26b@h.example", "http://h.example"].map(|text| Url::parse(text).unwrap());
        let message = "curl https://me:a%26b@h.example: 401, a&b is not it";
        assert_eq!(hushed(message, &addresses), "curl https://me:…@h.example: 401, … is not it");
    }
}
