//! Requests as bytes, made once before the run: sending one costs no formatting and no allocation.

use crate::error::LoadError;
use crate::spec::request::RequestSpec;
use crate::spec::template::{Moment, Part, Place, Template};

/// A request ready to be written.
#[derive(Debug, Clone)]
pub struct Request {
    /// Head and body as they go on the wire; empty when they differ from one to the next.
    pub bytes: Vec<u8>,
    /// What the request was made from.
    pub spec: RequestSpec,
    /// How they are made then.
    made: Option<Made>,
}

/// What is put together for each arrival.
#[derive(Debug, Clone)]
struct Made {
    /// Up to where `Content-Length` goes.
    head: Vec<(Part, Place)>,
    /// `None` where no length is said; empty where the body is the same for all.
    body: Option<Vec<(Part, Place)>>,
}

impl Request {
    /// Prepares the bytes. `host` is the `Host` header; with `close` the server is asked to close after its answer.
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

    /// Whether each arrival has bytes of its own.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.made.is_some()
    }

    /// Adds the bytes for one arrival.
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
        Part::Value(_) => "", // there are none where nothing differs
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
    fn bytes_are_what_goes_on_the_wire() {
        let spec = RequestSpec::new(Method::Get, "/api/users?limit=5");
        let request = Request::prepare(&spec, "127.0.0.1:8000", false).unwrap();
        let expected = format!(
            "GET /api/users?limit=5 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: loadgen/{}\r\nAccept: */*\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(String::from_utf8(request.bytes).unwrap(), expected);
    }

    #[test]
    fn own_headers_replace_the_usual_ones_and_bodies_have_a_length() {
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
    fn what_differs_is_made_with_its_length() {
        use crate::spec::capture::Pools;
        use common::rng::Dice;
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
                dice: Dice::new(1),
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
