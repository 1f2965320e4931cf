//! A connection that limits how long it waits for its client, and turns every refusal into a problem response.
//!
//! actix-http limits only the first head of a connection and the idle time. A client that sends a later head slowly, or
//! that does not read its response, could hold its connection forever. actix-http also refuses input that is not HTTP
//! with a bare status that no middleware sees; this module replaces that response.

use super::{marks::Marks, slots::Slot};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// Maps the status of a bare refusal to its complete response: header lines, each with its line end, and the body.
pub(super) type Explain = Rc<dyn Fn(u16) -> (String, Vec<u8>)>;

/// Monitors the heads and refusals of an HTTP/1 connection. HTTP/2 does both itself.
pub(super) struct Http1 {
    pub marks: Rc<Marks>,
    pub explain: Explain,
}

/// A monitored connection.
pub(super) struct Guarded<T> {
    io: T,
    slot: Rc<Slot>,
    http1: Option<Http1>,
    write_timeout: Duration,
    /// Wakes the connection when its next head is due, or earlier: it is rearmed only when necessary.
    head_clock: Option<Pin<Box<Sleep>>>,
    /// Runs while the client reads nothing.
    write_clock: Option<Pin<Box<Sleep>>>,
    /// A refusal being written in place of the bare one, and the number of bytes of the bare one that it replaces.
    refusal: Option<(Vec<u8>, usize)>,
}

impl<T> Guarded<T> {
    pub(super) fn new(io: T, slot: Rc<Slot>, http1: Option<Http1>, write_timeout: Duration) -> Self {
        Self { io, slot, http1, write_timeout, head_clock: None, write_clock: None, refusal: None }
    }

    /// The connection's place.
    pub(super) fn slot(&self) -> &Rc<Slot> {
        &self.slot
    }

    /// For the requests on this connection.
    pub(super) fn marks(&self) -> Option<&Rc<Marks>> {
        self.http1.as_ref().map(|http1| &http1.marks)
    }

    /// Ready when the next head is overdue; otherwise the connection is woken at that time.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.http1.as_ref().and_then(|http1| http1.marks.deadline());
        let Some(deadline) = deadline.map(Instant::from_std) else { return Poll::Pending };
        let clock = self.head_clock.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        // Busy connections get new deadlines all the time; resetting the timer for each would cost more than a wake-up.
        if clock.deadline() > deadline {
            clock.as_mut().reset(deadline);
        }
        while clock.as_mut().poll(cx).is_ready() {
            if clock.deadline() >= deadline {
                return Poll::Ready(());
            }
            clock.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// The result of a write, or an error when the client has read nothing for too long.
    fn watched<R>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if outcome.is_ready() {
            self.write_clock = None;
            return outcome;
        }
        let limit = self.write_timeout;
        let clock = self.write_clock.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        clock.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> Guarded<T> {
    /// The response that replaces a bare refusal; `None` for all other bytes.
    fn complete(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<Vec<u8>> {
        let http1 = self.http1.as_ref().filter(|http1| !http1.marks.is_busy())?;
        let (status, head) = bare_refusal(bytes)?;
        // Whether any bytes arrived shows whether there was a request. Left unread, they would turn the close into
        // a reset, which can overtake the refusal.
        let mut rest = [0; 4096];
        for _ in 0..16 {
            let mut rest = ReadBuf::new(&mut rest);
            let outcome = Pin::new(&mut self.io).poll_read(cx, &mut rest);
            if !matches!(outcome, Poll::Ready(Ok(()))) || rest.filled().is_empty() {
                break;
            }
            http1.marks.received();
        }
        if !http1.marks.has_received() {
            // There was no request: the connection is closed without a response.
            return Some(Vec::new());
        }
        let (headers, body) = (http1.explain)(status);
        let length = format!("content-length: {}\r\n{headers}", body.len());
        let mut response = head.replacen("content-length: 0\r\n", &length, 1).into_bytes();
        response.extend_from_slice(&body);
        Some(response)
    }
}

impl<T: AsyncWrite + Unpin> Guarded<T> {
    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some((rest, stands_for)) = &mut self.refusal {
            if rest.is_empty() {
                let stands_for = *stands_for;
                self.refusal = None;
                return Poll::Ready(Ok(stands_for));
            }
            let written = Pin::new(&mut self.io).poll_write(cx, rest);
            if let Poll::Ready(Ok(count @ 1..)) = written {
                rest.drain(..count);
                continue;
            }
            return self.watched(cx, written);
        }
        Poll::Ready(Ok(0))
    }
}

/// Maximum length of a bare refusal, which has only a few headers. Longer responses are not searched.
const LONGEST_BARE: usize = 256;

/// The status and text of a refusal that actix-http sends for input it cannot parse. The gateway's own refusals always
/// have a body and a request id.
fn bare_refusal(bytes: &[u8]) -> Option<(u16, &str)> {
    if bytes.len() > LONGEST_BARE || !bytes.starts_with(b"HTTP/1.") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok().filter(|head| head.ends_with("\r\n\r\n"))?;
    let status = head.get(9..12)?.parse().ok().filter(|status| matches!(status, 400 | 408 | 431))?;
    let bare = head.contains("\r\ncontent-length: 0\r\n") && !head.contains("\r\nx-request-id:");
    bare.then_some((status, head))
}

/// Length of the bytes before a bare refusal at the end; all of them if there is none, or if nothing precedes it.
fn before_refusal(bytes: &[u8]) -> usize {
    if !bytes.ends_with(b"\r\n\r\n") {
        return bytes.len();
    }
    let tail = bytes.len().saturating_sub(LONGEST_BARE);
    let at = bytes[tail..].windows(7).rposition(|part| part == b"HTTP/1.").map(|at| tail + at);
    at.filter(|at| *at > 0 && bare_refusal(&bytes[*at..]).is_some()).unwrap_or(bytes.len())
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let outcome = match Pin::new(&mut this.io).poll_read(cx, buffer) {
            // TLS takes the end for that of an attacker. Responses are still sent.
            Poll::Ready(Err(error))
                if error.kind() == io::ErrorKind::UnexpectedEof && this.slot.is_closing() =>
            {
                Poll::Ready(Ok(()))
            }
            outcome => outcome,
        };
        match &this.http1 {
            Some(http1) if buffer.filled().len() > before => http1.marks.received(),
            Some(http1) if buffer.remaining() > 0 && matches!(outcome, Poll::Ready(Ok(()))) => {
                http1.marks.hang_up()
            }
            _ => {}
        }
        // Checked even when bytes arrived: a slow client sends a few at a time.
        match this.poll_overdue(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => outcome,
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.http1.as_ref().is_some_and(|http1| http1.marks.is_abandoned()) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        // A refusal after a response is written separately, so that it can be replaced.
        let bytes = if this.http1.is_some() { &bytes[..before_refusal(bytes)] } else { bytes };
        if this.refusal.is_none() {
            this.refusal = this.complete(cx, bytes).map(|refusal| (refusal, bytes.len()));
        }
        if this.refusal.is_some() {
            return this.poll_refusal(cx);
        }
        let outcome = Pin::new(&mut this.io).poll_write(cx, bytes);
        if let (Some(http1), true) = (&this.http1, outcome.is_ready()) {
            http1.marks.sent();
            // The response is the last sign of a request: from here on the connection waits for the next one.
            let _ = this.poll_overdue(cx);
        }
        this.watched(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.watched(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        // HTTP/1 uses `poll_write`, which searches for refusals.
        self.http1.is_none() && self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_flush(cx);
        this.watched(cx, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_shutdown(cx);
        this.watched(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_refusal_is_taken_for_one() {
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: x\r\n\r\n";
        assert_eq!(bare_refusal(bare.as_bytes()), Some((400, bare)));
        for other in [
            bare.replace("400 Bad Request", "200 OK"),
            bare.replace("400", "412"),
            bare.replace("length: 0", "length: 7"),
            bare.replace("date: x", "x-request-id: 1"),
            bare.replace("HTTP/1.1", "HTTP/2"),
            format!("{bare}HTTP/1.1 200 OK\r\n"),
            bare[..20].to_owned(),
            String::new(),
        ] {
            assert_eq!(bare_refusal(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_refusal_behind_a_response_is_split_off() {
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: x\r\n\r\n";
        let created = format!("HTTP/1.1 201 Created\r\ncontent-length: 300\r\n\r\n{}", "x".repeat(300));
        for (text, before) in [
            (bare.to_owned(), bare.len()),
            (format!("{created}{bare}"), created.len()),
            (format!("x{bare}"), 1),
            (created.clone(), created.len()),
            ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), 27),
            (String::new(), 0),
        ] {
            assert_eq!(before_refusal(text.as_bytes()), before, "{text}");
        }
    }
}
