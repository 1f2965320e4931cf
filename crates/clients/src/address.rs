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

/// The address without everything before the last `@`, which may be a password, and without secrets in its query. Works for
/// malformed addresses too.
#[must_use]
pub fn redacted(text: &str) -> String {
    let Some(at) = text.rfind('@') else { return without_secrets(text) };
    let scheme = text[..at].find("://").map_or("", |end| &text[..end + 3]);
    format!("{scheme}…{}", without_secrets(&text[at..]))
}

/// Parts of the names of query parameters that hold secrets.
const SECRET: [&str; 10] =
    ["token", "secret", "password", "passwd", "pwd", "key", "auth", "credential", "session", "sig"];

/// An address or a path with the values of secret query parameters masked: `/a?token=…&limit=5`.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let Some((path, query)) = text.split_once('?') else { return text.to_owned() };
    let masked = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if SECRET.iter().any(|part| name.to_ascii_lowercase().contains(part)) => {
            format!("{name}=…")
        }
        _ => parameter.to_owned(),
    };
    format!("{path}?{}", query.split('&').map(masked).collect::<Vec<_>>().join("&"))
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

fn read<E: serde::de::Error>(text: &str) -> Result<Url, E> {
    Url::parse(text).map_err(|error| E::custom(format!("`{}` is not a URL: {error}", redacted(text))))
}

/// For `#[serde(with = "address::text")]`: an address as text, which no error shows as it is.
pub mod text {
    use serde::{Deserialize, Deserializer, Serializer};
    use url::Url;

    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(url: &Url, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(url.as_str())
    }

    /// # Errors
    /// When the text is not a URL.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
        super::read(&String::deserialize(from)?)
    }
}

/// For `#[serde(default, with = "address::text_if_any")]`: an optional address.
pub mod text_if_any {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use url::Url;

    /// # Errors
    /// Those of the serializer.
    // serde calls this with a reference to the field.
    #[allow(clippy::ref_option)]
    pub fn serialize<S: Serializer>(url: &Option<Url>, to: S) -> Result<S::Ok, S::Error> {
        url.as_ref().map(Url::as_str).serialize(to)
    }

    /// # Errors
    /// When the text is not a URL.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| super::read(&text)).transpose()
    }
}

/// For `#[serde(default, with = "address::texts")]`: several addresses.
pub mod texts {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use url::Url;

    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(urls: &[Url], to: S) -> Result<S::Ok, S::Error> {
        urls.iter().map(Url::as_str).collect::<Vec<_>>().serialize(to)
    }

    /// # Errors
    /// When a text is not a URL.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Url>, D::Error> {
        Vec::<String>::deserialize(from)?.iter().map(|text| super::read(text)).collect()
    }
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
            ("https://me:secret@a.example/?X-Api-Key=1", "https://…@a.example/?X-Api-Key=…"),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }

    #[test]
    fn masks_secrets_in_queries_and_nothing_else() {
        for (text, shown) in [
            ("/slow?delay=250ms&share=0.5", "/slow?delay=250ms&share=0.5"),
            ("/a?access_token=hush&limit=5", "/a?access_token=…&limit=5"),
            ("/a?limit=5&API_KEY=hush&Signature=a=b", "/a?limit=5&API_KEY=…&Signature=…"),
            ("/token/a=b", "/token/a=b"),
            ("/a?token", "/a?token"),
            ("/a?", "/a?"),
        ] {
            assert_eq!(without_secrets(text), shown);
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
