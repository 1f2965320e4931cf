//! Tokens that monitors and operators send as `Authorization: Bearer`.

use super::key_ring::digest;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use subtle::ConstantTimeEq;

/// The token a request must carry; only its hash is stored.
#[derive(Clone)]
pub(crate) struct Token(Option<[u8; 32]>);

impl Token {
    /// `None` admits every request.
    pub(crate) fn new(token: Option<&str>) -> Self {
        Self(token.map(|token| digest(token.as_bytes())))
    }

    /// Whether there is a token.
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a request with these headers is admitted. Comparing hashes of equal length reveals nothing about the
    /// token through timing.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = &self.0 else { return true };
        bearer(headers).is_some_and(|given| digest(given).ct_eq(expected).into())
    }
}

/// The text after `Bearer`, in upper or lower case (RFC 9110, 11.1).
pub(super) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, rest) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn admits_only_the_right_bearer_token() {
        let token = Token::new(Some("s3cret"));
        for (value, passes) in [
            (None, false),
            (Some("Bearer s3cret"), true),
            (Some("bearer   s3cret "), true),
            (Some("Bearer s3cre"), false),
            (Some("Bearer s3cretX"), false),
            (Some("Bearer "), false),
            (Some("Bearer"), false),
            (Some("Bearers3cret"), false),
            (Some("Basic s3cret"), false),
            (Some("s3cret"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(token.admits(&headers), passes, "{value:?}");
            assert!(Token::new(None).admits(&headers), "without a token every request is admitted");
        }
    }
}
