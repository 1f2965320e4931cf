use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use subtle::ConstantTimeEq;

/// What a request to the admin listener must carry.
#[derive(Clone)]
pub(crate) struct Token(Option<String>);

impl Token {
    /// `None` asks for nothing.
    pub(crate) fn new(token: Option<&str>) -> Self {
        Self(token.map(str::to_owned))
    }

    /// Whether a request with these headers may pass. The comparison takes as long for a wrong token as for the right
    /// one, so that its time does not tell how much of a guess was right.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = &self.0 else { return true };
        let given = headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        given.is_some_and(|given| bool::from(given.ct_eq(expected.as_bytes())))
    }
}

/// What follows `Bearer`, a word of any case (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn only_the_right_bearer_passes() {
        let token = Token::new(Some("s3cret"));
        for (value, passes) in [
            (None, false),
            (Some("Bearer s3cret"), true),
            (Some("bearer   s3cret "), true),
            (Some("Bearer s3cre"), false),
            (Some("Bearer s3cretX"), false),
            (Some("Bearer "), false),
            (Some("Bearer"), false),
            (Some("Basic s3cret"), false),
            (Some("s3cret"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(token.admits(&headers), passes, "{value:?}");
            assert!(Token::new(None).admits(&headers), "no token, no question");
        }
    }
}
