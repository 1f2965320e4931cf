use actix_web::{
    dev::ServiceRequest,
    http::header::{HeaderName, HeaderValue},
};
use uuid::Uuid;

/// `X-Request-Id`.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id accepted from a client, in bytes.
const LONGEST: usize = 64;

/// The id that links response, log line and error body: the client's if acceptable, otherwise a new one.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    pub(crate) fn of(req: &ServiceRequest) -> Self {
        match req.headers().get(&HEADER) {
            Some(given) if acceptable(given.as_bytes()) => Self(given.clone()),
            _ => Self::fresh(),
        }
    }

    pub(super) fn fresh() -> Self {
        let mut buffer = Uuid::encode_buffer();
        let text: &str = Uuid::new_v4().simple().encode_lower(&mut buffer);
        Self(HeaderValue::from_str(text).expect("hexadecimal digits are valid in a header"))
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().expect("request ids contain only visible ASCII")
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Letters, digits, `-`, `_`, `.`: nothing that could forge a log line or a header.
fn acceptable(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_short_and_clean_ids() {
        for (id, kept) in [
            ("abc-123_x.y", true),
            (&"a".repeat(64), true),
            (&"a".repeat(65), false),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            ("ä", false),
        ] {
            assert_eq!(acceptable(id.as_bytes()), kept, "{id:?}");
        }
    }

    #[test]
    fn new_ids_are_acceptable_and_differ() {
        let (a, b) = (RequestId::fresh(), RequestId::fresh());
        assert!(acceptable(a.as_str().as_bytes()));
        assert_ne!(a.as_str(), b.as_str());
    }
}
