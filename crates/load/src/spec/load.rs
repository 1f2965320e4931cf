//! Load as written in YAML files: `{rate: 40/s, requests: [{weight: 92, get: /api/users}, …]}`.

mod written;

use crate::error::LoadError;
use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, de};

use crate::plan::request::Method;
use crate::spec::capture::Capture;
use crate::spec::dependencies::suppliers;
use crate::spec::expect::Expect;
use crate::spec::template::{Part, Place, Template, Value};
use common::rate::Rate;

use crate::spec::load::written::Written;
pub use crate::spec::load::written::at_least_one;

/// A rate and the requests that share it; used by drill files (`baseline:`, `cause.load:`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadSpec {
    /// Arrivals per second, all requests together.
    pub rate: Rate,
    /// The mix; at least one.
    #[serde(deserialize_with = "complete")]
    pub requests: Vec<RequestSpec>,
}

/// Requests that have all they need among themselves.
fn complete<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RequestSpec>, D::Error> {
    let requests = at_least_one(from)?;
    suppliers(&requests, &BTreeSet::new())
        .map_err(|(index, reason)| de::Error::custom(format!("requests[{index}]: {reason}")))?;
    Ok(requests)
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
    /// What is taken from a 2xx answer for later requests; one that lacks it is not as expected.
    pub capture: Vec<Capture>,
    /// What `{{…}}` in path and body means.
    pub templates: Templates,
}

/// What `{{…}}` means in path and body; in headers it always is a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Templates {
    /// Nothing: it is sent as it is.
    #[default]
    Off,
    /// A value; the body is text.
    Text,
    /// A value; the body is JSON made from YAML, and a string that is nothing but a number becomes one.
    Json,
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
            capture: Vec::new(),
            templates: Templates::Off,
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
    pub fn check(&self) -> Result<(), LoadError> {
        if self.weight == 0 {
            return Err(LoadError::Spec(
                "weight: 0 would never be sent; give 1 or more, or leave the request out".to_owned(),
            ));
        }
        let key = self.method.key();
        let path = self.template(&self.path).map_err(|error| LoadError::Spec(format!("{key}: {error}")))?;
        let begins_with_value = matches!(path.parts().first(), Some(Part::Value(Value::Captured { .. })));
        if !self.path.starts_with('/') && !begins_with_value {
            return Err(LoadError::Spec(format!(
                "{key}: `{}` is not a path: it must begin with `/`",
                self.path
            )));
        }
        if let Some(bad) = path.sample().chars().find(|c| !c.is_ascii_graphic() || *c == '#') {
            return Err(LoadError::Spec(format!("{key}: `{}` holds {bad:?}; percent-encode it", self.path)));
        }
        for (name, value) in &self.headers {
            let value =
                Template::parse(value).map_err(|error| LoadError::Spec(format!("headers: {error}")))?;
            check_header(name, &value.sample())?;
        }
        self.body_parts().map_err(|error| LoadError::Spec(format!("body: {error}"))).map(drop)
    }

    /// Sets headers, each in place of those of the same name in any letter case; names among `headers` may repeat.
    pub fn set_headers(&mut self, headers: &[(String, String)]) {
        self.headers.retain(|(own, _)| !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(own)));
        self.headers.extend(headers.iter().cloned());
    }

    /// The path or the body as a template; as it stands when it has none.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn template(&self, text: &str) -> Result<Template, LoadError> {
        if self.templates == Templates::Off { Ok(Template::literal(text)) } else { Template::parse(text) }
    }

    /// The body's parts, each with the place it stands in; without templates the body stands for itself.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn body_parts(&self) -> Result<Vec<(Part, Place)>, LoadError> {
        let Ok(text) = std::str::from_utf8(&self.body) else { return Ok(Vec::new()) };
        let template = match self.templates {
            Templates::Off => return Ok(Vec::new()),
            Templates::Text => Template::parse(text)?,
            Templates::Json => Template::parse(text)?.with_bare_numbers(),
        };
        let place = if is_json(template.sample().as_bytes()) { Place::Json } else { Place::Plain };
        Ok(template.parts().iter().cloned().map(|part| (part, place)).collect())
    }

    /// The names of the captured values it needs.
    #[must_use]
    pub fn needs(&self) -> BTreeSet<String> {
        let body = std::str::from_utf8(&self.body).unwrap_or_default();
        let texts = [self.path.as_str(), body].into_iter().map(|text| self.template(text));
        let headers = self.headers.iter().map(|(_, value)| Template::parse(value));
        let templates = texts.chain(headers).filter_map(Result::ok);
        templates.flat_map(|template| template.needs().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

fn check_header(name: &str, value: &str) -> Result<(), LoadError> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(LoadError::Spec(format!("headers: `{name}` is not a header name")));
    }
    if ["content-length", "transfer-encoding"].iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(LoadError::Spec(format!("headers: `{name}` follows from the body; leave it out")));
    }
    if value.bytes().any(|b| b < b' ' && b != b'\t' || b == 0x7f) {
        return Err(LoadError::Spec(format!("headers: the value of `{name}` holds a control character")));
    }
    Ok(())
}

/// Bodies that are JSON objects or arrays get `Content-Type: application/json` unless a type was given.
pub fn add_content_type(headers: &mut Vec<(String, String)>, body: &[u8]) {
    let given = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !given && is_json(body) {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
}

fn is_json(body: &[u8]) -> bool {
    matches!(body.first(), Some(b'{' | b'[')) && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}
