//! Reads one response from bytes as they arrive: the head with `httparse`, then the body. No I/O.

use std::mem::MaybeUninit;

use crate::spec::capture::Kept;
use crate::wire::body::{Body, Chunks, MAX_BODY};
use crate::wire::error::Fault;
use crate::wire::framing::Framing;

/// Maximum size of a head in bytes, and thus of a connection's buffer.
pub const MAX_HEAD: usize = 32 * 1024;
/// Maximum number of header lines.
const MAX_HEADERS: usize = 128;

/// A response being read.
#[derive(Debug)]
pub struct Response {
    to_head: bool,
    state: State,
    status: u16,
    keep_alive: bool,
    kept: Option<Box<Kept>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Body(Body),
    Complete,
}

impl Response {
    /// Starts to read the response to a request. Responses to `HEAD` have no body, whatever their head says.
    #[must_use]
    pub fn new(to_head: bool) -> Self {
        Self { to_head, state: State::Head, status: 0, keep_alive: false, kept: None }
    }

    /// The same, but keeps the headers and the body, so that values can be captured.
    #[must_use]
    pub fn keeping(mut self) -> Self {
        self.kept = Some(Box::default());
        self
    }

    /// The kept headers and body.
    #[must_use]
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_deref()
    }

    /// Consumes bytes at the front of `bytes` and returns their number. It consumes nothing until the head is complete:
    /// call it again with the same bytes and more after them.
    ///
    /// # Errors
    /// [`Fault::Malformed`] or [`Fault::TooLarge`].
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let mut taken = 0;
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            match &mut self.state {
                State::Complete => break,
                State::Body(body) => {
                    let keep = self.kept.as_mut().map(|kept| &mut kept.body);
                    let (count, ended) = body.take(rest, keep)?;
                    taken += count;
                    if ended {
                        self.state = State::Complete;
                    }
                }
                State::Head => match self.head(rest)? {
                    0 => break,
                    count => taken += count,
                },
            }
        }
        Ok(taken)
    }

    /// Records that the peer closed the connection.
    ///
    /// # Errors
    /// [`Fault::Closed`] unless this ends the response properly.
    pub fn closed(&mut self) -> Result<(), Fault> {
        match self.state {
            State::Complete => Ok(()),
            State::Body(Body::UntilClose { .. }) => {
                self.state = State::Complete;
                Ok(())
            }
            _ => Err(Fault::Closed),
        }
    }

    /// Whether head and body are complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// The status, once complete.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the connection may carry another request.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Length of the head at the front of `bytes`, 0 when it is incomplete. Interim responses (1xx) are skipped.
    fn head(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        self.parse(bytes, &httparse::ParserConfig::default()).or_else(|fault| match fault {
            // Strict parsing rarely fails, so lenient parsing is only tried after it did.
            Fault::Malformed => self.parse(&unfolded(bytes), &lenient()),
            other => Err(other),
        })
    }

    fn parse(&mut self, bytes: &[u8], config: &httparse::ParserConfig) -> Result<usize, Fault> {
        // Left uninitialized: filling so many lines would cost more than reading the few that exist.
        let mut lines = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut []);
        let length = match config.parse_response_with_uninit_headers(&mut response, bytes, &mut lines) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() >= MAX_HEAD => return Err(Fault::TooLarge),
            Ok(httparse::Status::Partial) => return Ok(0),
            Err(httparse::Error::TooManyHeaders) => return Err(Fault::TooLarge),
            Err(_) => return Err(Fault::Malformed),
        };
        match response.code {
            // 101 changes the protocol, which no request here asks for.
            Some(code @ 100..=199) if code != 101 => return Ok(length),
            Some(code @ 200..=999) => self.status = code,
            _ => return Err(Fault::Malformed),
        }
        let framing = Framing::read(response.headers)?;
        if let Some(kept) = &mut self.kept {
            let lines = response.headers.iter();
            kept.headers = lines.map(|line| (line.name.to_owned(), line.value.to_vec())).collect();
        }
        self.keep_alive = match response.version {
            Some(1) => !framing.close,
            _ => framing.keep_alive && !framing.close,
        };
        self.state = if self.to_head || matches!(self.status, 204 | 304) {
            State::Complete
        } else {
            self.body(&framing)?
        };
        Ok(length)
    }

    fn body(&mut self, framing: &Framing) -> Result<State, Fault> {
        Ok(match (framing.coding, framing.length) {
            // Both at once may be an attempt to smuggle (RFC 9112, 6.3): read it, then close.
            (Some(true), length) => {
                self.keep_alive &= length.is_none();
                State::Body(Body::Chunked(Chunks::default()))
            }
            (None, Some(0)) => State::Complete,
            (None, Some(length)) if length > MAX_BODY => return Err(Fault::TooLarge),
            (None, Some(length)) => State::Body(Body::Length(length)),
            (Some(false), _) | (None, None) => {
                self.keep_alive = false;
                State::Body(Body::UntilClose { seen: 0 })
            }
        })
    }
}

/// Whitespace before a colon is removed, as a proxy in between would (RFC 9112, 5.1).
fn lenient() -> httparse::ParserConfig {
    let mut config = httparse::ParserConfig::default();
    config.allow_spaces_after_header_name_in_responses(true);
    config
}

/// The bytes with spaces in place of each line end in the head that is followed by whitespace (RFC 9112, 5.2). All
/// other bytes keep their positions. While the head is incomplete, a line end at the end of the bytes is ignored,
/// because only the next byte shows whether its line continues.
fn unfolded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(end) = bytes[at..].iter().position(|byte| *byte == b'\n').map(|found| at + found) {
        let line = if end > at && bytes[end - 1] == b'\r' { at..end - 1 } else { at..end };
        if line.is_empty() && at > 0 {
            return bytes; // the head ends here
        }
        if matches!(bytes.get(end + 1), Some(b' ' | b'\t')) {
            bytes[line.end..=end].fill(b' ');
        }
        at = end + 1;
    }
    for open in [b'\n', b'\r'] {
        bytes.pop_if(|last| *last == open);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `text` split at `split`, then closes if it is not complete: status, bytes left over, keep-alive.
    fn read(text: &[u8], split: usize, to_head: bool) -> Result<(u16, usize, bool), Fault> {
        let mut response = Response::new(to_head);
        let mut taken = response.take(&text[..split])?;
        taken += response.take(&text[taken..])?;
        if !response.is_complete() {
            response.closed()?;
        }
        Ok((response.status(), text.len() - taken, response.keep_alive()))
    }

    #[test]
    fn response_ends_at_the_same_byte_however_it_is_split() {
        for (text, to_head, expected) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"[..], false, (200, 0, true)),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloworld", false, (200, 5, true)),
            (b"HTTP/1.1 500 No\r\ntransfer-encoding: gzip, Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", false, (500, 0, true)),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, (200, 0, false)),
            (b"HTTP/1.1 204 No\r\n\r\n", false, (204, 0, true)),
            (b"HTTP/1.1 304 No\r\nContent-Length: 99\r\n\r\n", false, (304, 0, true)),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", true, (200, 0, true)),
            (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", false, (200, 0, false)),
            (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false, (200, 0, false)),
            (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", false, (200, 0, true)),
            (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", false, (200, 0, false)),
            // RFC 9112, 5.2: a folded line is one with spaces.
            (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok", false, (200, 0, true)),
            (b"HTTP/1.1 200 OK\r\nConnection: keep-alive,\r\n\tclose\r\nContent-Length:\r\n 2\r\n\r\nok", false, (200, 0, false)),
            (b"HTTP/1.1 200 OK\nX: a\n b\nContent-Length: 5\n\na\n b\n", false, (200, 0, true)),
            (b"HTTP/1.1 200 OK\r\nConnection\r\n : close\r\nContent-Length: 2\r\n\r\nok", false, (200, 0, false)),
            // RFC 9112, 6.3: a list of lengths that are the same is that length.
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", false, (200, 0, true)),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2,2\r\nContent-Length: 2\r\n\r\nok", false, (200, 0, true)),
            // RFC 9112, 5.1: whitespace before a colon is taken away, as a proxy must.
            (b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", false, (200, 0, true)),
            // RFC 9112, 2.2: whitespace before the first header line is passed over with its line.
            (b"HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 2\r\n\r\nok", false, (200, 0, true)),
            (b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 Hint\r\nA: b\r\n\r\nHTTP/1.1 201 Yes\r\nContent-Length: 0\r\n\r\n", false, (201, 0, true)),
        ] {
            for split in 0..=text.len() {
                assert_eq!(read(text, split, to_head), Ok(expected), "{} at {split}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn each_malformed_response_has_its_fault() {
        let long = [b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &vec![b'x'; MAX_HEAD]].concat();
        let many =
            [b"HTTP/1.1 200 OK\r\n".as_slice(), &b"A: b\r\n".repeat(MAX_HEADERS + 1), b"\r\n"].concat();
        for (text, fault) in [
            (&b"SSH-2.0-OpenSSH\r\n"[..], Fault::Malformed),
            (b"HTTP/1.1 abc\r\n\r\n", Fault::Malformed),
            (b"HTTP/1.1 099 Low\r\n\r\n", Fault::Malformed),
            (b"HTTP/1.1 101 Switch\r\n\r\n", Fault::Malformed),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Fault::Malformed),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", Fault::Malformed),
            // RFC 9112, 6.3: lengths that differ or are invalid.
            (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab", Fault::Malformed),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2,\r\n\r\nab", Fault::Malformed),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2, x\r\n\r\nab", Fault::Malformed),
            // RFC 9112, 5: a field line has a name.
            (b"HTTP/1.1 200 OK\r\n: a\r\n\r\n", Fault::Malformed),
            (b"HTTP/1.1 200 OK\r\nno name\r\n\r\n", Fault::Malformed),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", Fault::TooLarge),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", Fault::Closed),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Fault::Closed),
            (b"HTTP/1.1 200 OK\r\nContent-", Fault::Closed),
            (b"", Fault::Closed),
            (&long, Fault::TooLarge),
            (&many, Fault::TooLarge),
        ] {
            assert_eq!(read(text, text.len() / 2, false), Err(fault), "{}", text.escape_ascii());
        }
    }
}
