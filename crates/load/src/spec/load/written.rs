//! Requests as a person writes them in YAML: `{post: /api/users, body: {name: Ada}, expect: [201, 409]}`.

use crate::error::LoadError;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value as Json;

use crate::plan::request::Method;
use crate::spec::capture::{Capture, Source};
use crate::spec::expect::Expect;
use crate::spec::load::{RequestSpec, Templates, add_content_type, check_header};
use crate::spec::template::{Template, WORDS, is_name};

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
