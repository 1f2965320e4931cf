//! The end of a response body: by length, by chunks, or by the end of the connection (RFC 9112, 6 and 7). Bytes are
//! discarded, except those that values are captured from.

use crate::spec::capture::BODY_KEPT;
use crate::wire::error::Fault;

/// Maximum size of a body in bytes; a larger response counts as too large.
pub const MAX_BODY: u64 = 256 * 1024 * 1024;
/// Maximum number of bytes of chunk extensions and trailers together.
const MAX_EXTRA: u32 = 16 * 1024;

/// How the end of a body is determined, and the position in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// By length: this many bytes are left.
    Length(u64),
    /// Chunked transfer coding.
    Chunked(Chunks),
    /// By the end of the connection.
    UntilClose {
        /// Bytes so far.
        seen: u64,
    },
}

impl Body {
    /// Consumes the bytes at the front of `bytes` that belong to the body: returns their number, and whether the body
    /// is complete. Data is appended to `keep`, up to its limit.
    ///
    /// # Errors
    /// [`Fault::Malformed`] or [`Fault::TooLarge`].
    pub fn take(&mut self, bytes: &[u8], keep: Option<&mut Vec<u8>>) -> Result<(usize, bool), Fault> {
        match self {
            Self::Length(left) => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                keep_some(keep, &bytes[..taken]);
                Ok((taken, *left == 0))
            }
            Self::Chunked(chunks) => chunks.take(bytes, keep),
            Self::UntilClose { seen } => {
                *seen += bytes.len() as u64;
                keep_some(keep, bytes);
                if *seen > MAX_BODY { Err(Fault::TooLarge) } else { Ok((bytes.len(), false)) }
            }
        }
    }
}

fn keep_some(keep: Option<&mut Vec<u8>>, data: &[u8]) {
    if let Some(keep) = keep {
        let room = BODY_KEPT.saturating_sub(keep.len());
        keep.extend_from_slice(&data[..data.len().min(room)]);
    }
}

/// A decoder of chunks that can stop and continue after any byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks {
    state: State,
    /// Bytes of data so far.
    seen: u64,
    /// Bytes of extensions and trailers so far.
    extra: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size { value: u64, digits: u32 },
    Extension { value: u64 },
    SizeEnd { value: u64 },
    Data { left: u64 },
    DataEnd,
    DataEndLf,
    Trailer { empty: bool },
    TrailerEnd { empty: bool },
}

impl Default for Chunks {
    fn default() -> Self {
        Self { state: State::Size { value: 0, digits: 0 }, seen: 0, extra: 0 }
    }
}

impl Chunks {
    fn take(&mut self, bytes: &[u8], mut keep: Option<&mut Vec<u8>>) -> Result<(usize, bool), Fault> {
        let mut at = 0;
        while at < bytes.len() {
            if let State::Data { left } = &mut self.state {
                let taken = (bytes.len() - at).min(usize::try_from(*left).unwrap_or(usize::MAX));
                keep_some(keep.as_deref_mut(), &bytes[at..at + taken]);
                at += taken;
                *left -= taken as u64;
                if *left == 0 {
                    self.state = State::DataEnd;
                }
                continue;
            }
            at += 1;
            match self.step(bytes[at - 1])? {
                Some(state) => self.state = state,
                None => return Ok((at, true)),
            }
        }
        Ok((at, false))
    }

    /// The state after one byte outside of chunk data; `None` at the end of the body. A bare LF ends a line too.
    fn step(&mut self, byte: u8) -> Result<Option<State>, Fault> {
        let next = match (self.state, byte) {
            (State::Size { value, digits }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = (byte as char).to_digit(16).unwrap_or(0);
                if digits == 15 {
                    return Err(Fault::TooLarge);
                }
                State::Size { value: value * 16 + u64::from(digit), digits: digits + 1 }
            }
            (State::Size { digits: 0, .. }, _) => return Err(Fault::Malformed),
            (State::Size { value, .. }, b';' | b' ' | b'\t') => State::Extension { value },
            (State::Size { value, .. } | State::Extension { value }, b'\r') => State::SizeEnd { value },
            (State::Size { value, .. } | State::Extension { value } | State::SizeEnd { value }, b'\n') => {
                self.begin(value)?
            }
            (State::Extension { value }, _) => {
                self.count_extra()?;
                State::Extension { value }
            }
            (State::DataEnd, b'\r') => State::DataEndLf,
            (State::DataEnd | State::DataEndLf, b'\n') => State::Size { value: 0, digits: 0 },
            (State::Trailer { empty }, b'\r') => State::TrailerEnd { empty },
            (State::Trailer { empty: true } | State::TrailerEnd { empty: true }, b'\n') => return Ok(None),
            (State::Trailer { empty: false } | State::TrailerEnd { empty: false }, b'\n') => {
                State::Trailer { empty: true }
            }
            (State::Trailer { .. }, _) => {
                self.count_extra()?;
                State::Trailer { empty: false }
            }
            _ => return Err(Fault::Malformed),
        };
        Ok(Some(next))
    }

    fn begin(&mut self, size: u64) -> Result<State, Fault> {
        self.seen = self.seen.saturating_add(size);
        if self.seen > MAX_BODY {
            return Err(Fault::TooLarge);
        }
        Ok(if size == 0 { State::Trailer { empty: true } } else { State::Data { left: size } })
    }

    fn count_extra(&mut self) -> Result<(), Fault> {
        self.extra += 1;
        if self.extra > MAX_EXTRA { Err(Fault::TooLarge) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `text` in two parts, split at `split`.
    fn feed(text: &[u8], split: usize) -> Result<(usize, bool), Fault> {
        keep(text, split).map(|(taken, ended, _)| (taken, ended))
    }

    fn keep(text: &[u8], split: usize) -> Result<(usize, bool, Vec<u8>), Fault> {
        let mut kept = Vec::new();
        let mut body = Body::Chunked(Chunks::default());
        let (first, ended) = body.take(&text[..split], Some(&mut kept))?;
        if ended {
            return Ok((first, true, kept));
        }
        assert_eq!(first, split, "without an end everything is taken");
        let (second, ended) = body.take(&text[split..], Some(&mut kept))?;
        Ok((first + second, ended, kept))
    }

    #[test]
    fn chunks_end_where_they_end_however_they_are_split() {
        let text = b"5\r\nhello\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n";
        let mut with_more = text.to_vec();
        with_more.extend_from_slice(b"HTTP/1.1 200 OK");
        for split in 0..=text.len() {
            let kept = b"hello0123456789".to_vec();
            assert_eq!(keep(&with_more, split), Ok((text.len(), true, kept)), "split at {split}");
        }
        for cut in 0..text.len() {
            assert_eq!(feed(&text[..cut], cut / 2), Ok((cut, false)), "cut at {cut}");
        }
        assert_eq!(feed(b"0\n\n", 1), Ok((3, true)), "bare line feeds");
    }

    #[test]
    fn what_are_no_chunks_is_refused() {
        for (text, fault) in [
            (&b"hello\r\n"[..], Fault::Malformed),
            (b"\r\n", Fault::Malformed),
            (b"-1\r\n", Fault::Malformed),
            (b"5\r\nhelloworld", Fault::Malformed),
            (b"5\rx", Fault::Malformed),
            (b"fffffffffffffffff\r\n", Fault::TooLarge),
            (b"7fffffffff\r\n", Fault::TooLarge),
        ] {
            assert_eq!(feed(text, 0), Err(fault), "{}", text.escape_ascii());
        }
        let long = [b"1;".as_slice(), &vec![b'x'; 20_000]].concat();
        assert_eq!(feed(&long, 0), Err(Fault::TooLarge));
    }
}
