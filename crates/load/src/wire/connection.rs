//! A connection to the target: opened, used for one request at a time, and kept alive as long as both sides agree.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::error::Fault;
use crate::wire::response::{MAX_HEAD, Response};
use crate::wire::target::Target;
use crate::wire::transport::{self, Transport};

/// Initial size of the buffer, enough for most responses; it grows up to [`MAX_HEAD`] for a longer head.
const USUAL_BUFFER: usize = 8 * 1024;

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    stream: Transport,
    buffer: Vec<u8>,
    /// Bytes at the front of the buffer that belong to an incomplete head.
    filled: usize,
    /// Whether written bytes may still be buffered.
    unflushed: bool,
    /// Whether any byte of the current response has arrived.
    heard: bool,
}

enum Progress {
    Wrote { count: usize, from: Instant },
    Read(usize),
}

impl Connection {
    /// Connects. The caller sets the time limit.
    ///
    /// # Errors
    /// See [`transport::open`].
    pub async fn open(target: &Target) -> Result<Self, Fault> {
        let stream = transport::open(target).await?;
        Ok(Self { stream, buffer: vec![0; USUAL_BUFFER], filled: 0, unflushed: false, heard: false })
    }

    /// Whether nothing has arrived since the last response, not even the end of the connection. Needs a system call
    /// only if something has.
    pub async fn is_quiet(&mut self) -> bool {
        std::future::poll_fn(|context| Poll::Ready(self.poll_read(context).is_pending())).await
    }

    /// Whether the peer has sent anything since the last request began.
    #[must_use]
    pub fn heard(&self) -> bool {
        self.heard
    }

    /// Sends a request and reads its complete response; returns whether the connection can be used again. `written` is
    /// called after the first byte is written, with the time just before the write: a local server can respond before
    /// the system call returns, and the measured time must not be shorter than the actual one.
    ///
    /// # Errors
    /// The fault; the connection cannot be used afterwards.
    pub async fn exchange(
        &mut self,
        request: &[u8],
        response: &mut Response,
        mut written: impl FnMut(Instant),
    ) -> Result<bool, Fault> {
        let mut sent = 0;
        self.filled = 0;
        self.heard = false;
        while !response.is_complete() {
            let unsent = &request[sent..];
            match std::future::poll_fn(|context| self.poll(context, unsent)).await? {
                Progress::Wrote { count, from } => {
                    if sent == 0 {
                        written(from);
                    }
                    sent += count;
                }
                Progress::Read(0) => response.closed()?,
                Progress::Read(count) => {
                    self.heard = true;
                    self.filled += count;
                    self.digest(response)?;
                }
            }
        }
        // Bytes after the response belong to no request, and an early response leaves the request incomplete.
        Ok(response.keep_alive() && self.filled == 0 && sent == request.len())
    }

    fn digest(&mut self, response: &mut Response) -> Result<(), Fault> {
        let taken = response.take(&self.buffer[..self.filled])?;
        if taken > 0 {
            self.buffer.copy_within(taken..self.filled, 0);
            self.filled -= taken;
        }
        if self.filled == self.buffer.len() {
            let larger = (self.buffer.len() * 2).min(MAX_HEAD);
            if larger == self.buffer.len() {
                return Err(Fault::TooLarge);
            }
            self.buffer.resize(larger, 0);
        }
        Ok(())
    }

    /// Writes the rest of the request and reads the response concurrently: a server may respond before it has read a
    /// large body.
    fn poll(&mut self, context: &mut Context<'_>, unsent: &[u8]) -> Poll<Result<Progress, Fault>> {
        if !unsent.is_empty() {
            let from = Instant::now();
            match Pin::new(&mut self.stream).poll_write(context, unsent) {
                Poll::Ready(Ok(count)) => {
                    self.unflushed = transport::buffers(&self.stream);
                    return Poll::Ready(Ok(Progress::Wrote { count, from }));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Fault::of(&error))),
                Poll::Pending => {}
            }
        }
        if self.unflushed {
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Fault::of(&error))),
                Poll::Pending => {}
            }
        }
        self.poll_read(context).map(|read| read.map(Progress::Read).map_err(|error| Fault::of(&error)))
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(&mut self.buffer[self.filled..]);
        Pin::new(&mut self.stream).poll_read(context, &mut space).map_ok(|()| space.filled().len())
    }
}
