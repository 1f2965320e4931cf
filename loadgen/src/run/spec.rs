//! Load as written in YAML files: `{rate: 40/s, requests: [{weight: 92, get: /api/users}, …]}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::request::{Expect, Method};
use crate::rate::Rate;

/// A rate and the requests that share it; used by drill files (`baseline:`, `cause.load:`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadSpec {
    /// Arrivals per second, all requests together.
    pub rate: Rate,
    /// The mix; at least one.
    #[serde(deserialize_with = "at_least_one")]
    pub requests: Vec<RequestSpec>,
}

impl LoadSpec {
    /// The part of arrivals, 0 to 1, whose request satisfies `which`; for bounds that depend on a share.
    #[must_use]
    pub fn share(&self, which: impl Fn(&RequestSpec) -> bool) -> f64 {
        let total: f64 = self.requests.iter().map(|request| f64::from(request.weight)).sum();
        let chosen: f64 = self
            .requests
            .iter()
            .filter(|request| which(request))
            .map(|request| f64::from(request.weight))
            .sum();
        if total > 0.0 { chosen / total } else { 0.0 }
    }
}

/// One request of a mix: `{weight: 8, get: /api/error, expect: 500}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct RequestSpec {
    /// Relative share, 1 when absent.
    pub weight: u32,
    /// The method, from the key that carries the path.
    pub method: Method,
    /// Path and query, beginning with `/`, percent-encoded.
    pub path: String,
    /// Headers beside the usual ones; a name given here replaces ours.
    pub headers: Vec<(String, String)>,
    /// Body bytes, often none.
    pub body: Vec<u8>,
    /// Statuses that count as expected; below 400 when absent.
    pub expect: Expect,
}

impl RequestSpec {
    /// A request with weight 1, no body, no headers of its own, expecting a status below 400.
    #[must_use]
    pub fn new(method: Method, path: &str) -> Self {
        Self {
            weight: 1,
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            expect: Expect::default(),
        }
    }

    /// The same with another weight.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// The same expecting exactly these statuses.
    #[must_use]
    pub fn expecting(mut self, statuses: &[u16]) -> Self {
        self.expect = Expect::statuses(statuses);
        self
    }

    /// # Errors
    /// A sentence naming the field that could not be sent as it stands.
    pub fn check(&self) -> Result<(), String> {
        if self.weight == 0 {
            return Err("weight: 0 would never be sent; give 1 or more, or leave the request out".to_owned());
        }
        let key = self.method.key();
        if !self.path.starts_with('/') {
            return Err(format!("{key}: `{}` is not a path: it must begin with `/`", self.path));
        }
        if let Some(bad) = self.path.chars().find(|c| !c.is_ascii_graphic() || *c == '#') {
            return Err(format!("{key}: `{}` holds {bad:?}; percent-encode it", self.path));
        }
        self.headers.iter().try_for_each(|(name, value)| check_header(name, value))
    }
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(format!("headers: `{name}` is not a header name"));
    }
    if ["content-length", "transfer-encoding"].iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(format!("headers: `{name}` follows from the body; leave it out"));
    }
    if value.bytes().any(|b| b < b' ' && b != b'\t' || b == 0x7f) {
        return Err(format!("headers: the value of `{name}` holds a control character"));
    }
    Ok(())
}

/// The fields as written; the method is the key of the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    weight: Option<u32>,
    get: Option<String>,
    post: Option<String>,
    put: Option<String>,
    patch: Option<String>,
    delete: Option<String>,
    head: Option<String>,
    options: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    #[serde(default, deserialize_with = "statuses")]
    expect: Option<Expect>,
}

impl TryFrom<Written> for RequestSpec {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let paths = [
            written.get,
            written.post,
            written.put,
            written.patch,
            written.delete,
            written.head,
            written.options,
        ];
        let mut given = Method::ALL.into_iter().zip(paths).filter_map(|(method, path)| Some((method, path?)));
        let keys = "get, post, put, patch, delete, head or options";
        let (method, path) =
            given.next().ok_or_else(|| format!("a request needs its method and path: one of {keys}"))?;
        if let Some((second, _)) = given.next() {
            return Err(format!(
                "a request has exactly one of {keys}, here are `{}` and `{}`",
                method.key(),
                second.key()
            ));
        }
        let mut headers: Vec<(String, String)> = written.headers.into_iter().collect();
        let body = match written.body {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => text.into_bytes(),
            Some(value) => value.to_string().into_bytes(),
        };
        add_content_type(&mut headers, &body);
        let request = Self {
            weight: written.weight.unwrap_or(1),
            method,
            path,
            headers,
            body,
            expect: written.expect.unwrap_or_default(),
        };
        request.check()?;
        Ok(request)
    }
}

/// Bodies that are JSON objects or arrays get `Content-Type: application/json` unless a type was given.
pub fn add_content_type(headers: &mut Vec<(String, String)>, body: &[u8]) {
    let given = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let json = matches!(body.first(), Some(b'{' | b'['))
        && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    if json && !given {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
}

/// For lists of requests that must not be empty.
///
/// # Errors
/// When it is, or a request cannot be sent.
pub fn at_least_one<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RequestSpec>, D::Error> {
    let requests = Vec::<RequestSpec>::deserialize(from)?;
    if requests.is_empty() {
        return Err(de::Error::custom("requests: at least one request is needed, such as {get: /api/users}"));
    }
    Ok(requests)
}

fn statuses<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Expect>, D::Error> {
    struct Statuses;

    fn status<E: de::Error>(code: u64) -> Result<u16, E> {
        u16::try_from(code).ok().filter(|code| (100..=599).contains(code)).ok_or_else(|| {
            de::Error::custom(format!("expect: `{code}` is not a status: expected 100 to 599"))
        })
    }

    impl<'de> de::Visitor<'de> for Statuses {
        type Value = Option<Expect>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("expect: a status such as 500 or a list such as [200, 429]")
        }

        fn visit_u64<E: de::Error>(self, code: u64) -> Result<Self::Value, E> {
            Ok(Some(Expect::statuses(&[status(code)?])))
        }

        fn visit_i64<E: de::Error>(self, code: i64) -> Result<Self::Value, E> {
            self.visit_u64(u64::try_from(code).unwrap_or(0))
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
            let mut codes = Vec::new();
            while let Some(code) = from.next_element::<u64>()? {
                codes.push(status(code)?);
            }
            if codes.is_empty() {
                return Err(de::Error::custom("expect: the list is empty; name a status or leave it out"));
            }
            Ok(Some(Expect::statuses(&codes)))
        }
    }

    from.deserialize_any(Statuses)
}
