//! The country of a client, as a proxy in front says it.

use actix_web::http::header::{HeaderMap, HeaderName};
use std::str::FromStr;

/// The header that holds it; `None` counts no countries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CountryHeader(pub(super) Option<HeaderName>);

/// The label of a request whose country is not known.
const UNKNOWN: &str = "unknown";

impl CountryHeader {
    /// Whether countries are counted.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// The label of a request with these headers; `None` when countries are not counted. Two capital letters as in ISO
    /// 3166-1, or a letter and a digit, such as Cloudflare's `T1`: any other text is unknown, so that there are at most
    /// 937 labels.
    pub(super) fn label<'a>(&self, headers: &'a HeaderMap, trusted: bool) -> Option<&'a str> {
        let name = self.0.as_ref()?;
        let value = headers.get(name).filter(|_| trusted).map(|value| value.as_bytes().trim_ascii());
        let code = value.filter(|code| {
            matches!(code, [first, second]
                if first.is_ascii_uppercase() && (second.is_ascii_uppercase() || second.is_ascii_digit()))
        });
        Some(code.and_then(|code| std::str::from_utf8(code).ok()).unwrap_or(UNKNOWN))
    }
}

impl std::fmt::Display for CountryHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_ref().map_or("", HeaderName::as_str))
    }
}

/// A text that is not the name of a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected the name of a header, such as CF-IPCountry")]
pub struct HeaderNameError;

impl FromStr for CountryHeader {
    type Err = HeaderNameError;

    fn from_str(text: &str) -> Result<Self, HeaderNameError> {
        match text.trim() {
            "" => Ok(Self(None)),
            name => name.parse().map(|name| Self(Some(name))).map_err(|_| HeaderNameError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn labels_are_two_characters_or_unknown() {
        let header: CountryHeader = " CF-IPCountry ".parse().unwrap();
        let label = |value: &str, trusted| {
            let mut headers = HeaderMap::new();
            headers.insert(
                HeaderName::from_static("cf-ipcountry"),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
            header.label(&headers, trusted).map(str::to_owned).unwrap()
        };
        for code in ["DE", "T1", "XX", " FR "] {
            assert_eq!(label(code, true), code.trim());
            assert_eq!(label(code, false), "unknown", "anyone can send the header");
        }
        for odd in ["", "de", "DEU", "D", "1A", "D\"", "é"] {
            assert_eq!(label(odd, true), "unknown", "{odd}");
        }
        assert_eq!(header.label(&HeaderMap::new(), true), Some("unknown"));
        assert_eq!(CountryHeader::default().label(&HeaderMap::new(), true), None);
        assert_eq!("".parse(), Ok(CountryHeader::default()));
        assert_eq!("two words".parse::<CountryHeader>(), Err(HeaderNameError));
    }
}
