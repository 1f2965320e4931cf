//! Requests as bytes, made once before the run: sending one costs no formatting and no allocation.

use super::spec::RequestSpec;

/// The methods a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
}

impl Method {
    /// Every method, in the order load files list them.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Head, Self::Options];

    /// As on the wire: `GET`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }

    /// As in load files: `get`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Head => "head",
            Self::Options => "options",
        }
    }

    /// Whether a request may be sent again when a kept-alive connection turned out to be closed (RFC 9110, 9.2.2).
    #[must_use]
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }

    fn usually_has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

impl std::str::FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|method| method.name().eq_ignore_ascii_case(text)).ok_or_else(|| {
            format!("`{text}` is not a method: expected GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS")
        })
    }
}

/// The statuses that count as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Inclusive ranges, in the order given.
    ranges: Vec<(u16, u16)>,
}

impl Default for Expect {
    /// 200 to 399.
    fn default() -> Self {
        Self { ranges: vec![(200, 399)] }
    }
}

impl Expect {
    /// Exactly these statuses.
    #[must_use]
    pub fn statuses(codes: &[u16]) -> Self {
        Self { ranges: codes.iter().map(|&code| (code, code)).collect() }
    }

    /// Whether `status` is one of them.
    #[must_use]
    pub fn matches(&self, status: u16) -> bool {
        self.ranges.iter().any(|&(from, to)| (from..=to).contains(&status))
    }
}

impl std::fmt::Display for Expect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, &(from, to)) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match (from, to) {
                _ if from == to => write!(f, "{comma}{from}")?,
                _ if from % 100 == 0 && to == from + 99 => write!(f, "{comma}{}xx", from / 100)?,
                _ => write!(f, "{comma}{from}-{to}")?,
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Expect {
    type Err = String;

    /// Reads `200,429` and classes such as `2xx`.
    fn from_str(text: &str) -> Result<Self, String> {
        let range = |part: &str| {
            if let Some(class) = part.strip_suffix("xx") {
                let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
                return Some((class * 100, class * 100 + 99));
            }
            let code: u16 = part.parse().ok().filter(|code| (100..=599).contains(code))?;
            Some((code, code))
        };
        let ranges: Option<Vec<_>> = text.split(',').map(|part| range(part.trim())).collect();
        ranges.map(|ranges| Self { ranges }).ok_or_else(|| {
            format!(
                "`{text}` is not a list of statuses: expected 100 to 599 or a class, such as 200,429 or 2xx"
            )
        })
    }
}

/// A request ready to be written.
#[derive(Debug, Clone)]
pub struct Request {
    /// Head and body as they go on the wire.
    pub bytes: Vec<u8>,
    /// What the request was made from.
    pub spec: RequestSpec,
}

impl Request {
    /// Prepares the bytes. `host` is the `Host` header; with `close` the server is asked to close after its answer.
    ///
    /// # Errors
    /// As [`RequestSpec::check`].
    pub fn prepare(spec: &RequestSpec, host: &str, close: bool) -> Result<Self, String> {
        spec.check()?;
        let given = |name: &str| spec.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let mut head = format!("{} {} HTTP/1.1\r\n", spec.method.name(), spec.path);
        let mut line = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
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
            line(name, value);
        }
        if !spec.body.is_empty() || spec.method.usually_has_body() {
            line("Content-Length", &spec.body.len().to_string());
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&spec.body);
        Ok(Self { bytes, spec: spec.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn expectations_read_and_match() {
        for (text, yes, no) in
            [("200", 200, 201), ("200,429", 429, 500), ("2xx", 204, 300), ("5xx, 404", 404, 403)]
        {
            let expect: Expect = text.parse().unwrap();
            assert!(expect.matches(yes) && !expect.matches(no), "{text}");
        }
        for text in ["", "99", "600", "6xx", "ok", "200;300"] {
            assert!(text.parse::<Expect>().unwrap_err().contains(&format!("`{text}`")), "{text}");
        }
        assert_eq!(Expect::default().to_string(), "200-399");
        assert_eq!("200,5xx".parse::<Expect>().unwrap().to_string(), "200,5xx");
    }
}
