//! Authorization of requests: the user and password of an address, or a bearer token.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::config::HttpConfig;
use crate::error::Reason;
use crate::headers::HeaderConfig;

/// How a user can authorize requests to a system.
#[derive(Debug, Clone, Copy)]
pub enum Access<'a> {
    /// User and password in the address.
    Address,
    /// As [`Self::Address`], or with the token in the file of `--bearer-token-file`, if given; and with further headers.
    Monitoring(Option<&'a Path>, &'a HeaderConfig),
    /// With the token in the file of `--admin-token-file`, if given.
    AdminToken(Option<&'a Path>),
}

impl<'a> Access<'a> {
    /// That of Prometheus and Alertmanager.
    pub fn monitoring(config: &'a HttpConfig) -> Self {
        Self::Monitoring(config.bearer_token_file.as_deref(), &config.headers)
    }

    /// The headers to add to every request.
    pub fn headers(self) -> HeaderConfig {
        match self {
            Self::Monitoring(_, headers) => headers.clone(),
            _ => HeaderConfig::default(),
        }
    }

    /// The flag of the token file, and the file.
    fn token(self) -> (&'static str, Option<&'a Path>) {
        match self {
            Self::Address => ("", None),
            Self::Monitoring(file, _) => ("--bearer-token-file", file),
            Self::AdminToken(file) => ("--admin-token-file", file),
        }
    }

    /// How to authorize requests that were sent without.
    fn remedy(self) -> &'static str {
        match self {
            Self::Address => "set user and password in the address, https://USER:PASSWORD@HOST",
            Self::Monitoring(..) => {
                "set user and password in the address, https://USER:PASSWORD@HOST, or --bearer-token-file FILE"
            }
            Self::AdminToken(_) => "set --admin-token-file FILE to a file with the gateway's ADMIN_TOKEN",
        }
    }
}

/// The `Authorization` header.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// No header, and how to set one.
    None(&'static str),
    /// User and password (RFC 7617).
    Basic(HeaderValue),
    /// The token in this file (RFC 6750). It is read for each request, as expiring tokens are replaced.
    Bearer {
        /// The flag that names the file.
        flag: &'static str,
        /// The file.
        file: PathBuf,
    },
}

impl Authorization {
    /// Removes user and password from the address and uses them; without them, uses the token file.
    pub fn of(address: &mut Url, access: Access<'_>) -> Result<Self, Reason> {
        let (user, password) = (address.username().to_owned(), address.password().map(str::to_owned));
        if user.is_empty() && password.is_none() {
            let (flag, file) = access.token();
            return Ok(match file {
                Some(file) => Self::Bearer { flag, file: file.to_owned() },
                None => Self::None(access.remedy()),
            });
        }
        // This fails only for addresses that cannot have a user and password.
        let _ = address.set_username("");
        let _ = address.set_password(None);
        let mut pair: Vec<u8> = percent_decode_str(&user).collect();
        pair.push(b':');
        pair.extend(percent_decode_str(&password.unwrap_or_default()));
        value("Basic", &STANDARD.encode(pair)).map(Self::Basic)
    }

    pub(crate) fn header(&self) -> Result<Option<HeaderValue>, Reason> {
        match self {
            Self::None(_) => Ok(None),
            Self::Basic(value) => Ok(Some(value.clone())),
            Self::Bearer { flag, file } => {
                let bad = |reason: String| Reason::Token { flag, file: file.clone(), reason };
                let token = std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
                if token.trim().is_empty() {
                    return Err(bad("contains no token".to_owned()));
                }
                value("Bearer", token.trim()).map(Some).map_err(|error| bad(error.to_string()))
            }
        }
    }

    /// How to fix a 401 response.
    pub fn remedy(&self) -> String {
        match self {
            Self::None(remedy) => (*remedy).to_owned(),
            Self::Basic(_) => {
                "the user or password in the address was rejected; percent-encode special characters, such as %40 for @"
                    .to_owned()
            }
            Self::Bearer { flag, file } => format!("the token of {flag} {} was rejected", file.display()),
        }
    }
}

fn value(scheme: &str, secret: &str) -> Result<HeaderValue, Reason> {
    let mut value = HeaderValue::try_from(format!("{scheme} {secret}"))
        .map_err(|_| Reason::Request("contains a character that is invalid in a header".to_owned()))?;
    value.set_sensitive(true); // hides it from Debug output
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, file: Option<&Path>) -> (String, Result<Option<String>, String>) {
        let mut address = Url::parse(text).unwrap();
        let none = HeaderConfig::default();
        let header =
            Authorization::of(&mut address, Access::Monitoring(file, &none)).and_then(|it| it.header());
        let header = header.map_err(|error| error.to_string());
        (address.to_string(), header.map(|it| it.map(|it| it.to_str().unwrap().to_owned())))
    }

    #[test]
    fn moves_user_and_password_from_the_address_to_the_header() {
        // Examples of RFC 7617, section 2, and with special characters.
        for (text, encoded) in [
            ("https://Aladdin:open%20sesame@h.example/x", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("https://me:a%26b%3A%40@h.example/x", "bWU6YSZiOkA="),
            ("https://me@h.example/x", "bWU6"),
        ] {
            let expected = ("https://h.example/x".to_owned(), Ok(Some(format!("Basic {encoded}"))));
            assert_eq!(of(text, Some(Path::new("/not/read"))), expected, "{text}");
        }
        assert_eq!(of("https://h.example/", None), ("https://h.example/".to_owned(), Ok(None)));
    }

    #[test]
    fn reads_the_token_for_each_request() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        let read = || of("https://h.example/", Some(&file)).1;
        assert!(read().unwrap_err().to_string().contains("No such file"), "{:?}", read());
        for (text, expected) in [("one\n", "Bearer one"), ("two", "Bearer two")] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(read(), Ok(Some(expected.to_owned())));
        }
        for (text, message) in [("\n", "contains no token"), ("a\u{7f}b", "invalid in a header")] {
            std::fs::write(&file, text).unwrap();
            let error = read().unwrap_err();
            assert!(error.starts_with("--bearer-token-file /") && error.contains(message), "{error}");
        }
    }

    #[test]
    fn names_only_what_can_help() {
        let none = HeaderConfig::default();
        for (access, remedy) in [
            (Access::Address, "set user and password in the address, https://USER:PASSWORD@HOST"),
            (
                Access::Monitoring(None, &none),
                "set user and password in the address, https://USER:PASSWORD@HOST, or --bearer-token-file FILE",
            ),
            (
                Access::AdminToken(None),
                "set --admin-token-file FILE to a file with the gateway's ADMIN_TOKEN",
            ),
            (Access::AdminToken(Some(Path::new("a"))), "the token of --admin-token-file a was rejected"),
        ] {
            let mut address = Url::parse("http://h.example/").unwrap();
            assert_eq!(Authorization::of(&mut address, access).unwrap().remedy(), remedy);
        }
    }

    #[test]
    fn debug_output_hides_the_password() {
        let mut address = Url::parse("https://me:secret@h.example/").unwrap();
        let seen = format!("{:?}", Authorization::of(&mut address, Access::Address).unwrap());
        assert!(!seen.contains("Basic bW"), "{seen}");
    }
}
