use actix_web::http::header::HeaderValue;
use std::str::FromStr;

/// Web origins that may call the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origins {
    /// CORS is off.
    #[default]
    None,
    /// Every origin.
    Any,
    /// These origins, as browsers write them.
    Named(Vec<String>),
}

/// An entry that no browser would send as its origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// `*` in a list.
    #[error("* allows every origin and must be the only entry")]
    NotAlone,
    /// Not written the way browsers write it.
    #[error(
        "invalid origin \"{0}\": expected an origin such as https://app.example.com, without a path or final /"
    )]
    Form(String),
}

impl FromStr for Origins {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries: Vec<&str> = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        match entries[..] {
            [] => Ok(Self::None),
            ["*"] => Ok(Self::Any),
            _ => entries.into_iter().map(origin).collect::<Result<_, _>>().map(Self::Named),
        }
    }
}

/// Checks that an entry is written exactly as a browser would write it, because it is compared as text.
fn origin(entry: &str) -> Result<String, OriginError> {
    if entry == "*" {
        return Err(OriginError::NotAlone);
    }
    let expected = || OriginError::Form(entry.to_owned());
    let host =
        entry.strip_prefix("https://").or_else(|| entry.strip_prefix("http://")).ok_or_else(expected)?;
    let written_as_sent = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
        && !host.contains(['/', '?', '#', '@', '*', '"']);
    // Browsers omit the default port of the scheme.
    let usual_port = if entry.starts_with("https:") { ":443" } else { ":80" };
    if written_as_sent && !host.ends_with(usual_port) { Ok(entry.to_owned()) } else { Err(expected()) }
}

impl Origins {
    /// Whether CORS is on.
    pub fn are_named(&self) -> bool {
        *self != Self::None
    }

    /// The value of `Access-Control-Allow-Origin` for a request from `origin`; `None` when the origin is not allowed.
    pub(crate) fn allow(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        match (self, origin) {
            (Self::Any, Some(_)) => Some(HeaderValue::from_static("*")),
            (Self::Named(named), Some(origin)) if named.iter().any(|name| name.as_bytes() == origin) => {
                Some(origin.clone())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_origins_exactly() {
        let named: Origins = "https://a.example, http://localhost:5173".parse().unwrap();
        for (origin, allowed) in [
            ("https://a.example", true),
            ("http://localhost:5173", true),
            ("http://a.example", false),
            ("https://a.example:8443", false),
            ("https://a.example.evil", false),
            ("null", false),
        ] {
            let value = HeaderValue::from_static(origin);
            assert_eq!(named.allow(Some(&value)), allowed.then_some(value.clone()), "{origin}");
        }
        assert_eq!(named.allow(None), None);
        let any: Origins = "*".parse().unwrap();
        assert_eq!(any.allow(Some(&HeaderValue::from_static("null"))), Some(HeaderValue::from_static("*")));
        assert_eq!("".parse(), Ok(Origins::None));
    }

    #[test]
    fn rejects_what_no_browser_sends() {
        for text in [
            "a.example",
            "https://a.example/",
            "https://A.example",
            "https://",
            "null",
            "*,https://a.example",
            "https://a.example:443",
            "http://a.example:80",
            "https://*.example",
            "ftp://a.example",
            "https://a b",
        ] {
            let reason = text.parse::<Origins>().unwrap_err().to_string();
            assert!(
                reason.contains("https://app.example.com") || reason.contains("only entry"),
                "{text}: {reason}"
            );
        }
    }
}
