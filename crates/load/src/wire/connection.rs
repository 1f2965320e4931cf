//! One connection to the target: opened, used for one request at a time, kept alive as long as both sides agree.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::error::Fault;
use crate::wire::response::{MAX_HEAD, Response};
use crate::wire::target::Target;
use crate::wire::transport::{self, Transport};

/// What most responses fit into; the buffer grows up to [`MAX_HEAD`] for a longer head.
const USUAL_BUFFER: usize = 8 * 1024;

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    stream: Transport,
    buffer: Vec<u8>,
    /// Bytes at the front of the buffer that wait for the rest of a head.
    filled: usize,
    /// Whether what was written may not be out yet.
    unflushed: bool,
    /// Whether the response under way has brought any byte.
    heard: bool,
}

enum Progress {
    Wrote { count: usize, from: Instant },
    Read(usize),
}

impl Connection {
    /// Connects. The caller limits the time.
    ///
    /// # Errors
    /// See [`transport::open`].
    pub async fn open(target: &Target) -> Result<Self, Fault> {
        let stream = transport::open(target).await?;
        Ok(Self { stream, buffer: vec![0; USUAL_BUFFER], filled: 0, unflushed: false, heard: false })
    }

    /// Whether nothing came since the last response, not even the end. Costs no system call unless something did.
    pub async fn is_quiet(&mut self) -> bool {
        std::future::poll_fn(|context| Poll::Ready(self.poll_read(context).is_pending())).await
    }

    /// Whether the peer sent anything since the last request began.
    #[must_use]
    pub fn heard(&self) -> bool {
        self.heard
    }

    /// Sends a request and reads its response to the end; whether the connection may be used again. `written` is called
    /// once the first byte is out, with the instant just before: a local server can respond before the system call that
    /// sent the request returns, and the time it took must not come out shorter than it was.
    ///
    /// # Errors
    /// The fault; the connection is of no use afterwards.
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
        // Bytes behind the response belong to no request; a response before the request was out leaves it half-sent.
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

    /// Writes what is left of the request and reads what comes, whichever is possible: a server may respond before it
    /// has read a large body.
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
