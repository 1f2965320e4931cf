//! Parses a fault from JSON and reports every wrong field by its JSON pointer.

use crate::fault::spec::{Delays, ModelFault, Spec};
use crate::{bytes, problem::FieldError, routes, shares::Shares};
use actix_web::http::StatusCode;
use serde_json::{Map, Value};
use std::time::Duration;

/// What faults this gateway allows.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Longest time to live.
    pub ttl: Duration,
    /// Maximum memory, in bytes.
    pub memory: u64,
    /// Whether there is an ingest worker to pause.
    pub ingest: bool,
    /// Whether there are models to slow or fail.
    pub models: bool,
}

/// A longer delay would hold up a shutdown and test no alert better.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// Parses a fault.
///
/// # Errors
/// Every wrong field, each with the expected value.
pub fn parse(value: &Value, bounds: &Bounds) -> Result<Spec, Vec<FieldError>> {
    let Value::Object(object) = value else {
        return Err(vec![wrong("", "must be a JSON object such as {\"abort\":503,\"ttl\":\"60s\"}")]);
    };
    let mut reader = Reader::new(object, "");
    let route = reader.read("route", "a route such as \"/api/users\"", route);
    let method = reader.read("method", "a method such as \"GET\"", |value| {
        let method = value.as_str()?;
        routes::KNOWN_METHODS.iter().copied().find(|known| *known == method).map(Ok)
    });
    let share = reader.read("share", "a number from 0 to 1", |value| {
        value.as_f64().filter(|share| (0.0..=1.0).contains(share)).map(Ok)
    });
    let abort = reader.read("abort", "an error status from 400 to 599", |value| {
        let code = value.as_u64().filter(|code| (400..=599).contains(code))?;
        StatusCode::from_u16(u16::try_from(code).ok()?).ok().map(Ok)
    });
    let delay = reader.read("delay", DELAY, delays);
    let panic = reader.read("panic", "true or false", |value| value.as_bool().map(Ok));
    let memory = reader.read("memory", "a size such as \"500MB\"", |value| memory(value, bounds));
    let pause = reader.read("pause", "\"ingest\"", |value| match value.as_str()? {
        "ingest" if bounds.ingest => Some(Ok(true)),
        "ingest" => Some(Err("not available in this build: it has no ingest worker".to_owned())),
        _ => None,
    });
    let model = reader.read("model", "an object such as {\"delay\":\"2s\"} or {\"fail\":true}", |value| {
        bounds.models.then_some(()).map_or_else(
            || Some(Err("not available in this build: it has no models".to_owned())),
            |()| value.is_object().then_some(Ok(())),
        )
    });
    let model = model.and_then(|()| reader.model());
    let ttl = reader.read("ttl", "a duration such as \"60s\"", |value| ttl(value, bounds));
    if object.get("ttl").is_none_or(Value::is_null) {
        reader
            .errors
            .push(wrong("/ttl", "is required: a duration such as \"60s\", after which the fault ends"));
    }
    let seed = reader.read("seed", "an integer of 0 or more", |value| value.as_u64().map(Ok));

    let mut errors = reader.finish();
    let spec = Spec {
        route,
        method,
        share: share.unwrap_or(1.0),
        abort,
        delay,
        panic: panic.unwrap_or(false),
        memory,
        pause_ingest: pause.unwrap_or(false),
        model,
        ttl: ttl.unwrap_or_default(),
        seed: seed.unwrap_or_else(random_seed),
    };
    if errors.is_empty() {
        errors = contradictions(&spec, object);
    }
    if errors.is_empty() { Ok(spec) } else { Err(errors) }
}

const DELAY: &str = "a duration such as \"250ms\", or shares such as \"50ms:90,2s:10\"";

/// Errors in the combination of fields that are valid on their own.
fn contradictions(spec: &Spec, object: &Map<String, Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if spec.kinds().next().is_none() {
        errors.push(wrong("", "has no effect: set abort, delay, panic, memory, pause or model"));
    } else if !spec.acts_on_traffic() {
        for field in ["route", "method", "share", "seed"] {
            if object.get(field).is_some_and(|value| !value.is_null()) {
                let detail = "selects requests, but this fault has no abort, delay or panic to apply to them";
                errors.push(wrong(&format!("/{field}"), detail));
            }
        }
    }
    if spec.abort.is_some() && spec.panic {
        errors.push(wrong("/panic", "cannot be combined with abort: set one of the two"));
    }
    if let (Some(route), Some(method)) = (spec.route, spec.method)
        && let Some(endpoint) = routes::find(Some(route))
        && !endpoint.methods.contains(&method)
        && method != "OPTIONS"
    {
        errors.push(wrong("/method", format!("{route} accepts {}", endpoint.allow)));
    }
    errors
}

/// Result of a field's reader: `None` for a wrong type, else the value or the error.
type Reading<T> = Option<Result<T, String>>;

struct Reader<'a> {
    object: &'a Map<String, Value>,
    path: &'static str,
    /// Fields read so far; after the last read, all known fields.
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl<'a> Reader<'a> {
    fn new(object: &'a Map<String, Value>, path: &'static str) -> Self {
        Self { object, path, known: Vec::new(), errors: Vec::new() }
    }

    /// All errors, unknown fields first.
    fn finish(self) -> Vec<FieldError> {
        let unknown = self.object.keys().filter(|name| !self.known.contains(&name.as_str()));
        let detail = format!("unknown field; valid fields are {}", self.known.join(", "));
        let unknown = unknown.map(|name| wrong(&format!("{}/{}", self.path, escape(name)), detail.as_str()));
        unknown.chain(self.errors).collect()
    }

    /// The value of a field; `None` when it is absent, null or wrong. A wrong value is recorded as an error.
    fn read<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl Fn(&Value) -> Reading<T>,
    ) -> Option<T> {
        self.known.push(name);
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        let detail = match read(value) {
            Some(Ok(value)) => return Some(value),
            Some(Err(detail)) => detail,
            None => format!("must be {expected}"),
        };
        self.errors.push(wrong(&format!("{}/{name}", self.path), detail));
        None
    }

    fn model(&mut self) -> Option<ModelFault> {
        let object = self.object.get("model")?.as_object()?;
        let mut inner = Reader::new(object, "/model");
        let delay = inner.read("delay", DELAY, delays);
        let fail = inner.read("fail", "true or false", |value| value.as_bool().map(Ok)).unwrap_or(false);
        let mut errors = inner.finish();
        if errors.is_empty() && delay.is_none() && !fail {
            errors.push(wrong("/model", "has no effect: set delay, or set fail to true"));
        }
        self.errors.append(&mut errors);
        Some(ModelFault { delay, fail })
    }
}

fn route(value: &Value) -> Reading<&'static str> {
    let path = value.as_str()?;
    let found = routes::ALL.iter().find(|endpoint| endpoint.path == path);
    let problem = match found {
        Some(endpoint) if endpoint.limited => return Some(Ok(endpoint.path)),
        Some(_) => "probes and metrics are exempt from faults",
        None => "unknown route",
    };
    let all: Vec<&str> = routes::ALL.iter().filter(|one| one.limited).map(|one| one.path).collect();
    Some(Err(format!("{problem}; valid routes are {}", all.join(", "))))
}

fn delays(value: &Value) -> Reading<Delays> {
    let text = value.as_str()?;
    let shares = Shares::parse(text, |part| {
        let delay = humantime::parse_duration(part)
            .map_err(|_| "expected a duration such as 250ms or 2s".to_owned())?;
        if delay > LONGEST_DELAY {
            return Err(format!("must be at most {}", humantime::format_duration(LONGEST_DELAY)));
        }
        Ok(delay)
    });
    Some(match shares {
        Ok(shares) => Ok(Delays { text: text.to_owned(), shares }),
        Err(error) => Err(error.to_string()),
    })
}

fn memory(value: &Value, bounds: &Bounds) -> Reading<u64> {
    let bytes = match value {
        Value::String(text) => bytes::parse(text).ok()?,
        other => other.as_u64().filter(|bytes| *bytes > 0)?,
    };
    Some(if bytes <= bounds.memory {
        Ok(bytes)
    } else {
        Err(format!("must be at most {} bytes (FAULT_MAX_MEMORY)", bounds.memory))
    })
}

fn ttl(value: &Value, bounds: &Bounds) -> Reading<Duration> {
    let ttl = humantime::parse_duration(value.as_str()?.trim()).ok().filter(|ttl| !ttl.is_zero())?;
    Some(if ttl <= bounds.ttl {
        Ok(ttl)
    } else {
        Err(format!("must be at most {} (FAULT_MAX_TTL)", humantime::format_duration(bounds.ttl)))
    })
}

/// 32 bits: easy to copy, and exact in the number type of every language.
fn random_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0 >> 32
}

fn wrong(path: &str, detail: impl Into<String>) -> FieldError {
    FieldError { detail: detail.into(), pointer: format!("#{path}") }
}

/// A name as a token of a JSON pointer (RFC 6901) in a URI fragment, percent-encoded where the fragment needs it.
fn escape(name: &str) -> String {
    let mut token = String::new();
    for byte in name.bytes() {
        match byte {
            b'~' => token.push_str("~0"),
            b'/' => token.push_str("~1"),
            b'-' | b'.' | b'_' => token.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => token.push(char::from(byte)),
            _ => token.push_str(&format!("%{byte:02X}")),
        }
    }
    token
}

#[cfg(test)]
impl Bounds {
    pub(super) fn example() -> Self {
        Self { ttl: Duration::from_secs(3600), memory: 1_000_000_000, ingest: true, models: true }
    }
}

#[cfg(test)]
mod tests;
