//! Requests in YAML files: `{post: /api/users, body: {name: Ada}, expect: [201, 409]}`.

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
    /// Relative share; default 1.
    pub weight: u32,
    /// The method, which is the key of the path.
    pub method: Method,
    /// Path and query, percent-encoded, starting with `/`.
    pub path: String,
    /// Additional headers. They replace the default header of the same name.
    pub headers: Vec<(String, String)>,
    /// Body bytes; may be empty.
    pub body: Vec<u8>,
    /// Expected statuses; default 200-399.
    pub expect: Expect,
    /// Values captured from a 2xx response. A response without them counts as unexpected.
    pub capture: Vec<Capture>,
    /// How `{{…}}` in path and body is treated.
    pub templates: Templates,
}

/// How `{{…}}` is treated in path and body. In headers it is always a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Templates {
    /// As literal text.
    #[default]
    Off,
    /// As a placeholder; the body is text.
    Text,
    /// As a placeholder; the body is JSON made from YAML, and a string that is only a number placeholder becomes a
    /// number.
    Json,
}

impl RequestSpec {
    /// A request with the default weight, headers and expected statuses, and without a body.
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
    /// When a field is invalid; the error names it.
    pub fn check(&self) -> Result<(), LoadError> {
        if self.weight == 0 {
            return Err(LoadError::Spec(
                "weight: must be at least 1, found 0; remove the request if it must not be sent".to_owned(),
            ));
        }
        let key = self.method.key();
        let path = self.template(&self.path).map_err(|error| LoadError::Spec(format!("{key}: {error}")))?;
        let begins_with_value = matches!(path.parts().first(), Some(Part::Value(Value::Captured { .. })));
        if !self.path.starts_with('/') && !begins_with_value {
            return Err(LoadError::Spec(format!(
                "{key}: `{}` is not a path: must start with `/`",
                self.path
            )));
        }
        if let Some(bad) = path.sample().chars().find(|c| !c.is_ascii_graphic() || *c == '#') {
            return Err(LoadError::Spec(format!(
                "{key}: `{}` contains {bad:?}; percent-encode it",
                self.path
            )));
        }
        for (name, value) in &self.headers {
            let value =
                Template::parse(value).map_err(|error| LoadError::Spec(format!("headers: {error}")))?;
            check_header(name, &value.sample())?;
        }
        self.body_parts().map_err(|error| LoadError::Spec(format!("body: {error}"))).map(drop)
    }

    /// Sets headers, replacing those of the same name in any letter case. `headers` may contain a name more than once.
    pub fn set_headers(&mut self, headers: &[(String, String)]) {
        self.headers.retain(|(own, _)| !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(own)));
        self.headers.extend(headers.iter().cloned());
    }

    /// Parses the path or the body as a template, or as literal text when templates are off.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn template(&self, text: &str) -> Result<Template, LoadError> {
        if self.templates == Templates::Off { Ok(Template::literal(text)) } else { Template::parse(text) }
    }

    /// The parts of the body, each with its place. Empty when templates are off.
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
        return Err(LoadError::Spec(format!("headers: `{name}` is set from the body; remove it")));
    }
    if value.bytes().any(|b| b < b' ' && b != b'\t' || b == 0x7f) {
        return Err(LoadError::Spec(format!("headers: the value of `{name}` contains a control character")));
    }
    Ok(())
}

/// Adds `Content-Type: application/json` when the body is a JSON object or array and no type is set.
pub fn add_content_type(headers: &mut Vec<(String, String)>, body: &[u8]) {
    let given = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !given && is_json(body) {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
}

fn is_json(body: &[u8]) -> bool {
    matches!(body.first(), Some(b'{' | b'[')) && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// The fields as they appear in YAML.
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
        let (method, path) = given.next().ok_or_else(|| {
            LoadError::Spec(format!("a request needs a method and a path: expected one of {keys}"))
        })?;
        if let Some((second, _)) = given.next() {
            return Err(LoadError::Spec(format!(
                "a request must have exactly one of {keys}, found `{}` and `{}`",
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

/// Parses an entry of `capture:`. A JSON pointer starts with `/`, a header name does not.
fn capture(name: String, from: String) -> Result<Capture, LoadError> {
    if !is_name(&name) {
        return Err(LoadError::Spec(format!(
            "capture: `{name}` is not a valid name: expected letters, digits and `_`, and not one of {}",
            WORDS.join(", ")
        )));
    }
    let source = if from.starts_with('/') {
        Source::Body(from)
    } else {
        check_header(&from, "").map_err(|_| {
            LoadError::Spec(format!(
                "capture: `{from}` is neither a JSON pointer such as /id nor a header name such as Location"
            ))
        })?;
        Source::Header(from)
    };
    Ok(Capture { name, source })
}
