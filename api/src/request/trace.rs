//! W3C Trace Context: a valid `traceparent` is continued, anything else starts a new trace.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use uuid::Uuid;

/// `traceparent`, from the caller.
const PARENT: HeaderName = HeaderName::from_static("traceparent");
/// `traceresponse`, to the caller (W3C Trace Context, HTTP response header format).
pub(super) const RESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// Id of a trace: 16 bytes, never zero. Displayed as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceId(pub u128);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Formatted by hand: it is in every log line.
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0.to_be_bytes()) {
            let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        f.write_str(std::str::from_utf8(&text).expect("hexadecimal digits are ASCII"))
    }
}

/// A request's position in its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trace {
    /// The trace, the caller's or a new one.
    pub id: TraceId,
    /// The request's own span; never zero.
    pub span: u64,
    /// The caller's span and whether the caller records the trace.
    pub parent: Option<Parent>,
}

/// What a caller sent about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parent {
    /// The caller's span; never zero.
    pub span: u64,
    /// Whether the caller records the trace.
    pub sampled: bool,
}

impl Trace {
    /// Continues the caller's trace, or starts one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(PARENT);
        let parent = match (given.next(), given.next()) {
            (Some(only), None) => parse(only.as_bytes()),
            _ => None,
        };
        match parent {
            Some((id, parent)) => Self { id, span: random() as u64, parent: Some(parent) },
            None => Self { id: TraceId(random()), span: random() as u64, parent: None },
        }
    }

    /// The value of `traceresponse`.
    pub(super) fn response(&self, sampled: bool) -> HeaderValue {
        let text = format!("00-{}-{:016x}-{:02x}", self.id, self.span, u8::from(sampled));
        HeaderValue::try_from(text).expect("hexadecimal digits and dashes are valid in a header")
    }
}

/// A version 4 UUID: its lower 62 bits and most of the upper ones are random, and it is never zero.
fn random() -> u128 {
    Uuid::new_v4().as_u128()
}

/// Parses `VERSION-TRACE-SPAN-FLAGS`. A later version may append fields after a dash; version 00 has none, and ff is
/// forbidden.
fn parse(text: &[u8]) -> Option<(TraceId, Parent)> {
    let (head, tail) = text.split_at_checked(55)?;
    if head[2] != b'-' || head[35] != b'-' || head[52] != b'-' {
        return None;
    }
    let version = hex(&head[..2])?;
    if version == 0xff || (version == 0 && !tail.is_empty()) || !matches!(tail.first(), None | Some(b'-')) {
        return None;
    }
    let (trace, span, flags) = (hex(&head[3..35])?, hex(&head[36..52])? as u64, hex(&head[53..])?);
    (trace != 0 && span != 0).then_some((TraceId(trace), Parent { span, sampled: flags & 1 == 1 }))
}

/// Up to 32 lower-case hexadecimal digits; upper-case ones are not valid.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0u128, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn continues_valid_parents() {
        for (text, sampled) in [
            (format!("00-{TRACE}-{SPAN}-01"), true),
            (format!("00-{TRACE}-{SPAN}-00"), false),
            (format!("00-{TRACE}-{SPAN}-03"), true),
            (format!("cc-{TRACE}-{SPAN}-01"), true),
            (format!("cc-{TRACE}-{SPAN}-01-what-the-future-brings"), true),
        ] {
            let (id, parent) = parse(text.as_bytes()).unwrap();
            assert_eq!(id.to_string(), TRACE);
            assert_eq!((format!("{:016x}", parent.span).as_str(), parent.sampled), (SPAN, sampled), "{text}");
        }
    }

    #[test]
    fn ignores_invalid_parents() {
        let (upper, zeros) = (TRACE.to_uppercase(), "0".repeat(32));
        for text in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-0"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01 "),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("cc-{TRACE}-{SPAN}-01.more"),
            format!("00-{upper}-{SPAN}-01"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-{SPAN}-0g"),
            format!("00_{TRACE}-{SPAN}-01"),
            format!("0x-{TRACE}-{SPAN}-01"),
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn ignores_two_parents() {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::try_from(format!("00-{TRACE}-{SPAN}-01")).unwrap();
        headers.append(PARENT, value.clone());
        assert_eq!(Trace::of(&headers).id.to_string(), TRACE);
        headers.append(PARENT, value);
        assert_ne!(Trace::of(&headers).id.to_string(), TRACE);
    }

    #[test]
    fn the_response_names_the_trace_and_span() {
        let trace = Trace { id: TraceId(0xabc), span: 0x12, parent: None };
        assert_eq!(trace.response(true), "00-00000000000000000000000000000abc-0000000000000012-01");
        assert_eq!(trace.response(false), "00-00000000000000000000000000000abc-0000000000000012-00");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn parses_what_it_wrote(trace in 1u128.., span in 1u64.., sampled: bool) {
            let written = Trace { id: TraceId(trace), span, parent: None }.response(sampled);
            prop_assert_eq!(parse(written.as_bytes()), Some((TraceId(trace), Parent { span, sampled })));
        }
    }
}
