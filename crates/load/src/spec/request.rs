//! Requests as a person writes them in YAML: `{post: /api/users, body: {name: Ada}, expect: [201, 409]}`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value as Json;

use crate::error::LoadError;
use crate::spec::capture::{Capture, Source};
use crate::spec::expect::Expect;
use crate::spec::method::Method;
use crate::spec::template::{Part, Place, Template, Value, WORDS, is_name};

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

/// The fields as written; the method is the key of the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
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
    body: Option<Json>,
    expect: Option<Expect>,
    #[serde(default)]
    capture: BTreeMap<String, String>,
}

impl TryFrom<Written> for RequestSpec {
    type Error = LoadError;

    fn try_from(written: Written) -> Result<Self, LoadError> {
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
        let (method, path) = given
            .next()
            .ok_or_else(|| LoadError::Spec(format!("a request needs its method and path: one of {keys}")))?;
        if let Some((second, _)) = given.next() {
            return Err(LoadError::Spec(format!(
                "a request has exactly one of {keys}, here are `{}` and `{}`",
                method.key(),
                second.key()
            )));
        }
        let mut headers: Vec<(String, String)> = written.headers.into_iter().collect();
        let (body, templates) = match written.body {
            None | Some(Json::Null) => (String::new(), Templates::Text),
            Some(Json::String(text)) => (text, Templates::Text),
            Some(value) => (value.to_string(), Templates::Json),
        };
        let sample =
            Template::parse(&body).map_err(|error| LoadError::Spec(format!("body: {error}")))?.sample();
        add_content_type(&mut headers, sample.as_bytes());
        let capture =
            written.capture.into_iter().map(|(name, from)| capture(name, from)).collect::<Result<_, _>>()?;
        let request = Self {
            weight: written.weight.unwrap_or(1),
            method,
            path,
            headers,
            body: body.into_bytes(),
            expect: written.expect.unwrap_or_default(),
            capture,
            templates,
        };
        request.check()?;
        Ok(request)
    }
}

/// One entry of `capture:`: a JSON pointer begins with `/`, a header's name does not.
fn capture(name: String, from: String) -> Result<Capture, LoadError> {
    if !is_name(&name) {
        return Err(LoadError::Spec(format!(
            "capture: `{name}` cannot be a name: expected letters, digits and `_`, and none of {}",
            WORDS.join(", ")
        )));
    }
    let source = if from.starts_with('/') {
        Source::Body(from)
    } else {
        check_header(&from, "").map_err(|_| {
            LoadError::Spec(format!(
                "capture: `{from}` is neither a JSON pointer such as /id nor a header's name such as Location"
            ))
        })?;
        Source::Header(from)
    };
    Ok(Capture { name, source })
}
