//! `Idempotency-Key`: the first response is stored together with the write, and repeated.

use crate::{
    limit::ClientKey,
    middleware::limit::IDEMPOTENCY_KEY as HEADER,
    problem::{Kind, Problem},
    store::{InFlightGuard, LARGEST_KEPT, Once, Sent, Store, StoredResponse},
};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
    },
};
use sha2::{Digest, Sha256};

/// Marks a repeated response.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Longest key, in characters.
const MAX_LENGTH: usize = 255;

/// The key of a request.
pub(super) struct Key(Once);

/// A key held by the request in progress.
pub(super) struct Held {
    /// The claim to write.
    pub(super) once: Once,
    _guard: InFlightGuard,
}

impl Key {
    /// Reads the header; `None` without one.
    ///
    /// # Errors
    /// 400 for a key that is empty, too long, not printable or given twice.
    pub(super) fn of(req: &HttpRequest, body: &[u8]) -> Result<Option<Self>, Problem> {
        let mut given = req.headers().get_all(&HEADER);
        let Some(first) = given.next() else { return Ok(None) };
        let bad = || {
            let detail = format!("send one Idempotency-Key of 1 to {MAX_LENGTH} printable ASCII characters");
            Problem::new(Kind::BadRequest, detail)
        };
        let key = first.as_bytes().trim_ascii();
        let printable = key.iter().all(|byte| (b' '..=b'~').contains(byte));
        if given.next().is_some() || key.is_empty() || key.len() > MAX_LENGTH || !printable {
            return Err(bad());
        }
        // Responses of different callers must stay separate: of API keys, of addresses, and of whatever else clients send
        // to authenticate where no API keys are configured.
        let client = req.extensions().get::<ClientKey>().map_or_else(String::new, ToString::to_string);
        let caller = |name: HeaderName| req.headers().get(name).map_or(&b""[..], HeaderValue::as_bytes);
        let route = req.match_pattern().unwrap_or_default();
        let id = digest(&[route.as_bytes(), client.as_bytes(), caller(AUTHORIZATION), caller(API_KEY), key]);
        let fingerprint = digest(&[req.query_string().as_bytes(), body]);
        Ok(Some(Self(Once { id, fingerprint })))
    }

    /// Holds the key while the request is in progress.
    ///
    /// # Errors
    /// 409 while another request holds it.
    pub(super) fn hold(self, store: &Store) -> Result<Held, Problem> {
        let guard = store.hold(self.0.id).ok_or_else(|| {
            let detail = "a request with this Idempotency-Key is still in progress; try again shortly";
            Problem::new(Kind::Conflict, detail).header(RETRY_AFTER, HeaderValue::from_static("1"))
        })?;
        Ok(Held { once: self.0, _guard: guard })
    }
}

/// A digest of several parts that keeps their boundaries: no part can pass for a piece of another.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Whether a response may be stored.
///
/// # Errors
/// 422 when it is too large.
pub(super) fn storable(response: &StoredResponse) -> Result<(), Problem> {
    if response.body.len() <= LARGEST_KEPT {
        return Ok(());
    }
    let detail = "the response is too large to be stored; send a smaller request, or omit Idempotency-Key";
    Err(Problem::new(Kind::Validation, detail))
}

/// The response in the form in which it is stored.
pub(super) fn respond(stored: StoredResponse) -> Result<HttpResponse, Problem> {
    let status = StatusCode::from_u16(stored.status).map_err(Problem::internal)?;
    if status.is_client_error() || status.is_server_error() {
        let detail = String::from_utf8_lossy(&stored.body).into_owned();
        let kind = if status == StatusCode::CONFLICT { Kind::Conflict } else { Kind::of_status(status) };
        return Err(Problem::new(kind, detail));
    }
    let mut response = HttpResponse::build(status);
    response.insert_header((CONTENT_TYPE, "application/json"));
    for (name, value) in stored.headers {
        response.insert_header((name, value));
    }
    Ok(response.body(stored.body))
}

/// The response to a request that was sent before.
pub(super) fn again<T>(sent: Sent<T>) -> Result<HttpResponse, Problem> {
    let yes = HeaderValue::from_static("true");
    match sent {
        Sent::Before(kept) => match respond(kept) {
            Ok(mut response) => {
                response.headers_mut().insert(REPLAYED, yes);
                Ok(response)
            }
            Err(problem) => Err(problem.header(REPLAYED, yes)),
        },
        Sent::Otherwise => {
            let detail = "this Idempotency-Key was used for another request; use a new key for a new request";
            Err(Problem::new(Kind::Validation, detail))
        }
        Sent::First(_) => Err(Problem::internal("expected a repeated request, found a first one")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn key(values: &[&str]) -> Result<Option<Once>, StatusCode> {
        let request = values.iter().fold(TestRequest::post().uri("/api/users"), |request, value| {
            request.append_header((HEADER, *value))
        });
        Key::of(&request.to_http_request(), b"{}")
            .map(|key| key.map(|key| key.0))
            .map_err(|problem| problem.kind.status())
    }

    #[test]
    fn accepts_short_printable_keys_only() {
        assert_eq!(key(&[]), Ok(None));
        for good in ["a", "\"quoted\"", "with space", &"k".repeat(255)] {
            assert!(key(&[good]).unwrap().is_some(), "{good}");
        }
        for bad in ["", " ", "tab\tinside", "ä", &"k".repeat(256)] {
            assert_eq!(key(&[bad]), Err(StatusCode::BAD_REQUEST), "{bad}");
        }
        assert_eq!(key(&["a", "a"]), Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn distinguishes_callers_keys_and_requests() {
        let once = |caller: &str, key: &str, uri: &str, body: &[u8]| {
            let request = TestRequest::post().uri(uri).insert_header((API_KEY, caller));
            Key::of(&request.insert_header((HEADER, key)).to_http_request(), body).unwrap().unwrap().0
        };
        let first = once("a", "bc", "/x?name=A", b"{}");
        assert_eq!(first, once("a", "bc", "/x?name=A", b"{}"));
        assert_ne!(first.id, once("ab", "c", "/x?name=A", b"{}").id, "no part passes for another");
        for other in [once("a", "bc", "/x?name=B", b"{}"), once("a", "bc", "/x?name=A", b"{ }")] {
            assert_eq!(first.id, other.id);
            assert_ne!(first.fingerprint, other.fingerprint);
        }
    }
}
