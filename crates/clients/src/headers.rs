//! Further headers of requests to Prometheus and Alertmanager, such as the tenant.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use serde::{Deserialize, Serialize};

use crate::error::Reason;

/// Headers that describe the connection or the body, which no user can set.
const RESERVED: [HeaderName; 5] = [HOST, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, CONNECTION];

/// The headers to add to every request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeaderConfig {
    /// Given by `--header`.
    pub given: Vec<Header>,
    /// `--header-file`: a file with a header per line, which is read for each request, as tokens are replaced.
    pub file: Option<PathBuf>,
}

/// A header, `Name: value`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Header(String);

/// The value may be a secret.
impl std::fmt::Debug for Header {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}: …", self.0.split(':').next().unwrap_or_default())
    }
}

impl FromStr for Header {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        parse(text).map(|_| Self(text.trim().to_owned()))
    }
}

/// The messages do not show the value.
fn parse(text: &str) -> Result<(HeaderName, HeaderValue), Reason> {
    let bad =
        |reason: &str| Reason::Request(format!("{reason}: expected a header such as 'X-Scope-OrgID: team'"));
    let (name, value) = text.split_once(':').ok_or_else(|| bad("has no colon"))?;
    let name = HeaderName::try_from(name.trim()).map_err(|_| bad("the name is invalid"))?;
    if RESERVED.contains(&name) {
        return Err(bad(&format!("`{name}` cannot be set")));
    }
    let mut value = HeaderValue::try_from(value.trim())
        .map_err(|_| bad("the value contains a character that is invalid in a header"))?;
    value.set_sensitive(true); // hides it from Debug output
    Ok((name, value))
}

impl HeaderConfig {
    /// Adds the headers, in place of those of the same name.
    pub(crate) fn add(&self, to: &mut HeaderMap) -> Result<(), Reason> {
        for Header(text) in &self.given {
            let (name, value) = parse(text)?;
            to.insert(name, value);
        }
        for (name, value) in self.file.as_deref().map_or(Ok(Vec::new()), read)? {
            to.insert(name, value);
        }
        Ok(())
    }
}

fn read(file: &Path) -> Result<Vec<(HeaderName, HeaderValue)>, Reason> {
    let bad = |reason: String| Reason::Token { flag: "--header-file", file: file.to_owned(), reason };
    let text = std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| parse(line).map_err(|error| bad(format!("line {}: {error}", index + 1))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(config: &HeaderConfig) -> Result<Vec<(String, String)>, Reason> {
        let mut map = HeaderMap::new();
        map.insert("authorization", HeaderValue::from_static("Basic x"));
        config.add(&mut map)?;
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        Ok(map.iter().map(text).collect())
    }

    #[test]
    fn adds_headers_of_the_command_line_and_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("headers");
        std::fs::write(&file, "\nAuthorization: Token a:b\n\n").unwrap();
        let config =
            HeaderConfig { given: vec!["X-Scope-OrgID: team".parse().unwrap()], file: Some(file.clone()) };
        let expected = [("authorization", "Token a:b"), ("x-scope-orgid", "team")];
        assert_eq!(
            added(&config).unwrap(),
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );

        std::fs::write(&file, "Authorization Token a").unwrap();
        let error = added(&config).unwrap_err().to_string();
        assert!(error.contains("--header-file ") && error.contains("line 1: has no colon"), "{error}");
        std::fs::remove_file(&file).unwrap();
        assert!(added(&config).unwrap_err().to_string().contains("No such file"), "{:?}", added(&config));
    }

    #[test]
    fn rejects_invalid_headers_without_showing_the_value() {
        for (text, reason) in [
            ("X-Scope-OrgID", "has no colon"),
            (": secret", "the name is invalid"),
            ("a b: secret", "the name is invalid"),
            ("Host: secret", "`host` cannot be set"),
            ("content-length: secret", "`content-length` cannot be set"),
            ("A: secret\u{7f}", "invalid in a header"),
        ] {
            let error = text.parse::<Header>().unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("X-Scope-OrgID: team"), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!(format!("{:?}", "A: secret".parse::<Header>().unwrap()), "A: …");
    }
}
