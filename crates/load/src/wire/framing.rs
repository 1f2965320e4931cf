//! The headers of a response that determine the end of its body and of its connection (RFC 9112, 6 and 9).

use crate::wire::error::Fault;

/// The parsed headers.
#[derive(Debug, Default)]
pub(super) struct Framing {
    pub(super) length: Option<u64>,
    /// Whether `chunked` is the last transfer coding; `None` without transfer codings.
    pub(super) coding: Option<bool>,
    pub(super) close: bool,
    pub(super) keep_alive: bool,
}

impl Framing {
    pub(super) fn read(headers: &[httparse::Header<'_>]) -> Result<Self, Fault> {
        let mut framing = Self::default();
        for header in headers {
            let name = header.name;
            if name.eq_ignore_ascii_case("content-length") {
                let length = length(header.value)?;
                if framing.length.is_some_and(|before| before != length) {
                    return Err(Fault::Malformed);
                }
                framing.length = Some(length);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                let last = tokens(header.value).last().unwrap_or_default();
                framing.coding = Some(last.eq_ignore_ascii_case(b"chunked"));
            } else if name.eq_ignore_ascii_case("connection") {
                framing.close |= tokens(header.value).any(|token| token.eq_ignore_ascii_case(b"close"));
                framing.keep_alive |=
                    tokens(header.value).any(|token| token.eq_ignore_ascii_case(b"keep-alive"));
            }
        }
        Ok(framing)
    }
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

/// A length, or a list of equal lengths (RFC 9112, 6.3).
fn length(value: &[u8]) -> Result<u64, Fault> {
    let mut all = tokens(value).map(digits);
    let first = all.next().unwrap_or(Err(Fault::Malformed))?;
    if all.all(|other| other == Ok(first)) { Ok(first) } else { Err(Fault::Malformed) }
}

fn digits(value: &[u8]) -> Result<u64, Fault> {
    if value.is_empty() || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
        return Err(Fault::Malformed);
    }
    Ok(value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')))
}
