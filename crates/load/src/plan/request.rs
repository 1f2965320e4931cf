//! Requests as bytes, prepared before the run so that sending needs no formatting or allocation.

use crate::error::LoadError;
use crate::spec::request::RequestSpec;
use crate::spec::template::{Moment, Part, Place, Template};

/// A request ready to be sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// Head and body as sent; empty when they contain placeholders.
    pub bytes: Vec<u8>,
    /// The specification of the request.
    pub spec: RequestSpec,
    /// The parts to render for each arrival, if there are placeholders.
    made: Option<Made>,
}

/// The parts of a request with placeholders.
#[derive(Debug, Clone)]
struct Made {
    /// The head up to `Content-Length`.
    head: Vec<(Part, Place)>,
    /// `None` without `Content-Length`; empty when the body has no placeholders.
    body: Option<Vec<(Part, Place)>>,
}

impl Request {
    /// Prepares the bytes. `host` is the `Host` header; `close` adds `Connection: close`.
    ///
    /// # Errors
    /// As [`RequestSpec::check`].
    pub fn prepare(spec: &RequestSpec, host: &str, close: bool) -> Result<Self, LoadError> {
        spec.check()?;
        let given = |name: &str| spec.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let mut head = vec![text(format!("{} ", spec.method.name()))];
        let path = spec.template(&spec.path)?;
        let places = std::iter::once(Place::Path).chain(std::iter::repeat(Place::Segment));
        head.extend(path.parts().iter().cloned().zip(places));
        head.push(text(" HTTP/1.1\r\n".to_owned()));
        let mut line = |name: &str, value: &str| head.push(text(format!("{name}: {value}\r\n")));
        let agent = concat!("loadgen/", env!("CARGO_PKG_VERSION"));
        for (name, value) in [("Host", host), ("User-Agent", agent), ("Accept", "*/*")] {
            if !given(name) {
                line(name, value);
            }
        }
        if close && !given("Connection") {
            line("Connection", "close");
        }
        for (name, value) in &spec.headers {
            head.push(text(format!("{name}: ")));
            head.extend(Template::parse(value)?.parts().iter().cloned().map(|part| (part, Place::Header)));
            head.push(text("\r\n".to_owned()));
        }
        let body = (!spec.body.is_empty() || spec.method.usually_has_body())
            .then(|| spec.body_parts())
            .transpose()?;
        let made = Made { head, body };
        if made.differs() {
            return Ok(Self { bytes: Vec::new(), spec: spec.clone(), made: Some(made) });
        }
        let head: String = made.head.iter().map(|(part, _)| fixed(part)).collect();
        let mut bytes = head.into_bytes();
        if made.body.is_some() {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", spec.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&spec.body);
        Ok(Self { bytes, spec: spec.clone(), made: None })
    }

    /// Whether the bytes are rendered for each arrival.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.made.is_some()
    }

    /// Appends the bytes of one arrival.
    ///
    /// # Errors
    /// The name of a value that was not captured yet.
    pub fn make<'a>(&'a self, moment: &mut Moment<'_>, into: &mut Vec<u8>) -> Result<(), &'a str> {
        let Some(made) = &self.made else { return Ok(()) };
        add_all(&made.head, moment, into)?;
        let Some(body) = &made.body else {
            into.extend_from_slice(b"\r\n");
            return Ok(());
        };
        let mut bytes = if body.is_empty() { self.spec.body.clone() } else { Vec::new() };
        add_all(body, moment, &mut bytes)?;
        into.extend_from_slice(format!("Content-Length: {}\r\n\r\n", bytes.len()).as_bytes());
        into.extend_from_slice(&bytes);
        Ok(())
    }
}

impl Made {
    fn differs(&self) -> bool {
        let mut parts = self.head.iter().chain(self.body.iter().flatten());
        parts.any(|(part, _)| matches!(part, Part::Value(_)))
    }
}

fn text(text: String) -> (Part, Place) {
    (Part::Text(text), Place::Plain)
}

fn fixed(part: &Part) -> &str {
    match part {
        Part::Text(text) => text,
        Part::Value(_) => "", // not reached: requests with placeholders are rendered for each arrival
    }
}

fn add_all<'a>(
    parts: &'a [(Part, Place)],
    moment: &mut Moment<'_>,
    into: &mut Vec<u8>,
) -> Result<(), &'a str> {
    parts.iter().try_for_each(|(part, place)| match part {
        Part::Text(text) => {
            into.extend_from_slice(text.as_bytes());
            Ok(())
        }
        Part::Value(value) => value.add(*place, moment, into),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::method::Method;

    #[test]
    fn prepares_the_bytes_of_a_request() {
        let spec = RequestSpec::new(Method::Get, "/api/users?limit=5");
        let request = Request::prepare(&spec, "127.0.0.1:8000", false).unwrap();
        let expected = format!(
            "GET /api/users?limit=5 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: loadgen/{}\r\nAccept: */*\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(String::from_utf8(request.bytes).unwrap(), expected);
    }

    #[test]
    fn given_headers_replace_defaults_and_bodies_have_a_length() {
        let mut spec = RequestSpec::new(Method::Post, "/");
        spec.headers = vec![("host".into(), "a.example".into()), ("X-Key".into(), "1".into())];
        spec.body = b"hello".to_vec();
        let text = String::from_utf8(Request::prepare(&spec, "h", true).unwrap().bytes).unwrap();
        assert!(!text.contains("Host: h"), "{text}");
        assert!(text.contains("\r\nhost: a.example\r\nX-Key: 1\r\nContent-Length: 5\r\n\r\nhello"), "{text}");
        assert!(text.contains("Connection: close"), "{text}");
        spec.body.clear();
        let text = String::from_utf8(Request::prepare(&spec, "h", false).unwrap().bytes).unwrap();
        assert!(text.ends_with("Content-Length: 0\r\n\r\n"), "{text}");
    }

    #[test]
    fn renders_placeholders_and_sets_the_length() {
        use crate::spec::capture::Pools;
        use common::rng::Rng;
        let spec: RequestSpec = serde_saphyr::from_str(
            "{put: '/api/users/{{user}}?n={{n}}', headers: {X-Id: 'a{{n 5}}'}, body: {age: '{{n}}', name: 'Ada {{user}}'}}",
        )
        .unwrap();
        let request = Request::prepare(&spec, "h", false).unwrap();
        assert!(request.is_made());
        let pools = Pools::default();
        let make = |number| {
            let moment = &mut Moment {
                number,
                elapsed: std::time::Duration::ZERO,
                timestamp: 0,
                rng: Rng::new(1),
                pools: &pools,
            };
            let mut bytes = Vec::new();
            request.make(moment, &mut bytes).map(|()| String::from_utf8(bytes).unwrap())
        };
        assert_eq!(make(3), Err("user"));
        pools.put("user", b"a/\"b".to_vec());
        let text = make(13).unwrap();
        assert!(text.starts_with("PUT /api/users/a%2F%22b?n=13 HTTP/1.1\r\n"), "{text}");
        assert!(
            text.contains("\r\nX-Id: a3\r\n") && text.contains("Content-Type: application/json"),
            "{text}"
        );
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, r#"{"age":13,"name":"Ada a/\"b"}"#);
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head}");
    }
}
