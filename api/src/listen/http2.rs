//! HTTP/2: the requests of one connection.
//!
//! actix's own dispatcher accepts header lists of 16 MiB, and waits indefinitely for a client that does not read its
//! response. Neither is configurable, so this dispatcher replaces it.

use super::guarded::Guarded;
use actix_http::{
    Payload, Request, Response, ResponseHead,
    error::{DispatchError, PayloadError},
};
use actix_service::Service;
use actix_web::{
    Error,
    body::{BodySize, MessageBody},
    dev::ServiceResponse,
    http::{
        StatusCode,
        header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE},
    },
    web::Bytes,
};
use futures_util::{Stream, StreamExt, stream::FuturesUnordered};
use h2::{
    Reason, RecvStream, SendStream,
    server::{Builder, Connection, SendResponse},
};
use std::{
    cell::Cell,
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep, timeout},
};

/// Maximum size of a request's header list in bytes, decoded, as defined by RFC 9113, 6.5.2. A larger one is refused
/// with 431.
const LONGEST_HEADERS: u32 = 32 * 1024;
/// Maximum size of the header lists of all open streams of a connection together, in bytes.
const LONGEST_HEADERS_OF_ALL: usize = 1024 * 1024;
/// Maximum number of streams of a connection that are handled or whose responses have not been read. Well-behaved
/// clients use fewer: those that read the server's limit assume 100, the others a few more.
const MAX_STREAMS: usize = 1_000;
/// Maximum number of body bytes that a client may send before they are read.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 2 * STREAM_WINDOW;
/// Maximum number of unread response bytes of a connection; a response beyond it is reset.
const MAX_UNTAKEN: u64 = 32 * 1024 * 1024;
/// Maximum number of body bytes passed on at once.
const CHUNK: usize = 16 * 1024;

/// Time limits of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Until the connection is established.
    pub head: Duration,
    /// Without an open stream.
    pub idle: Duration,
    /// While the client reads nothing of a response.
    pub write: Duration,
    /// For closing the connection.
    pub disconnect: Duration,
}

/// The next event on a connection.
#[expect(clippy::large_enum_variant, reason = "a connection has one event at a time and stores none")]
enum Event {
    Request(http::Request<RecvStream>, SendResponse<Bytes>),
    /// No stream has been open for the idle time.
    Idle,
    /// Another connection has got this one's place.
    Displaced,
    /// The server is stopping.
    Drain,
    /// The client closed the connection.
    Closed,
}

/// Serves the requests of a connection until it ends. After `drained` is ready, no new requests are accepted.
///
/// Streams are polled here, in order, so that every accepted stream starts and is counted, and all are dropped with the
/// connection.
pub(super) async fn serve<T, S, B>(
    io: Guarded<T>,
    peer: Option<SocketAddr>,
    app: &S,
    limits: Limits,
    drained: impl Future<Output = ()>,
) -> Result<(), DispatchError>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let slot = io.slot().clone();
    let mut builder = Builder::new();
    builder
        .max_header_list_size(LONGEST_HEADERS)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    let handshake = timeout(limits.head, builder.handshake(io)).await;
    let mut connection: Connection<_, Bytes> = handshake.map_err(|_| DispatchError::SlowRequestTimeout)??;
    let untaken = Cell::new(0);
    let mut streams = FuturesUnordered::new();
    let mut headers_of_all = 0;
    let (mut drained, mut idle) = (pin!(drained), pin!(sleep(limits.idle)));
    let mut leaving = false;
    loop {
        let event = poll_fn(|cx| {
            while let Poll::Ready(Some(size)) = streams.poll_next_unpin(cx) {
                headers_of_all -= size;
                if streams.is_empty() {
                    slot.idle();
                    let limit = if leaving { limits.disconnect } else { limits.idle };
                    idle.as_mut().reset(Instant::now() + limit);
                }
            }
            if !leaving && drained.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Event::Drain));
            }
            if streams.is_empty() && slot.poll_must_leave(cx) {
                return Poll::Ready(Ok(Event::Displaced));
            }
            if let Poll::Ready(accepted) = connection.poll_accept(cx) {
                let event = accepted.transpose()?;
                return Poll::Ready(Ok(event.map_or(Event::Closed, |(req, to)| Event::Request(req, to))));
            }
            if streams.is_empty() && idle.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Event::Idle));
            }
            Poll::<Result<_, h2::Error>>::Pending
        });
        match event.await? {
            Event::Request(request, respond) => {
                slot.busy();
                let size = header_size(&request);
                headers_of_all += size;
                if streams.len() >= MAX_STREAMS || headers_of_all > LONGEST_HEADERS_OF_ALL {
                    // The client that waited for a response has disconnected.
                    streams.clear();
                    return end(connection, Reason::ENHANCE_YOUR_CALM, limits).await;
                }
                let head_only = request.method() == http::Method::HEAD;
                let response = app.call(received(request, peer));
                let sender = Sender { respond, head_only, write: limits.write, untaken: &untaken };
                streams.push(async move {
                    // A failed stream affects only its client, which has reset it or disconnected.
                    let _ = match response.await {
                        Ok(response) => sender.send(response.into()).await,
                        Err(error) => sender.send(error.error_response().into()).await,
                    };
                    size
                });
            }
            // Its GOAWAY says which requests have not been seen, so that they can be sent again.
            Event::Displaced => return end(connection, Reason::NO_ERROR, limits).await,
            Event::Idle if leaving => return Ok(()),
            Event::Idle | Event::Drain => {
                leaving = true;
                connection.graceful_shutdown();
                idle.as_mut().reset(Instant::now() + limits.disconnect);
            }
            Event::Closed => return Ok(()),
        }
    }
}

/// Ends a connection at once.
async fn end<T>(
    mut connection: Connection<Guarded<T>, Bytes>,
    reason: Reason,
    limits: Limits,
) -> Result<(), DispatchError>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    connection.abrupt_shutdown(reason);
    let closed = poll_fn(|cx| connection.poll_closed(cx));
    Ok(timeout(limits.disconnect, closed).await.unwrap_or(Ok(()))?)
}

/// The size of a request's header list as defined by RFC 9113, 6.5.2, without the pseudo-headers, which are short.
fn header_size(request: &http::Request<RecvStream>) -> usize {
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32);
    fields.sum::<usize>() + request.uri().path_and_query().map_or(0, |path| path.as_str().len())
}

/// Converts a request for the application.
fn received(request: http::Request<RecvStream>, peer: Option<SocketAddr>) -> Request {
    let (parts, body) = request.into_parts();
    let payload = if body.is_end_stream() {
        Payload::None
    } else {
        Payload::Stream { payload: Box::pin(Received(body)) as BoxedBody }
    };
    let mut request = Request::with_payload(payload);
    let head = request.head_mut();
    head.uri = parts.uri;
    head.method = parts.method;
    head.version = parts.version;
    head.headers = parts.headers.into();
    head.peer_addr = peer;
    request
}

type BoxedBody = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// The body of a request.
struct Received(RecvStream);

impl Stream for Received {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(chunk) = ready!(self.0.poll_data(cx)).transpose()? else { return Poll::Ready(None) };
        self.0.flow_control().release_capacity(chunk.len())?;
        Poll::Ready(Some(Ok(chunk)))
    }
}

/// Sends the response of a stream.
struct Sender<'c> {
    respond: SendResponse<Bytes>,
    head_only: bool,
    write: Duration,
    /// Unread response bytes of the connection.
    untaken: &'c Cell<u64>,
}

impl Sender<'_> {
    /// Sends a response as fast as the client reads it.
    async fn send<B: MessageBody>(mut self, response: Response<B>) -> Result<(), h2::Error> {
        let (response, body) = response.into_parts();
        let size = if response.status() == StatusCode::NO_CONTENT { BodySize::None } else { body.size() };
        let ends = self.head_only || size.is_eof();
        let length = if let BodySize::Sized(length) = size { length } else { 0 };
        if !ends && self.untaken.get() + length > MAX_UNTAKEN {
            self.respond.send_reset(Reason::ENHANCE_YOUR_CALM);
            return Ok(());
        }
        let mut stream = self.respond.send_response(head(response.head(), size), ends)?;
        if ends {
            return Ok(());
        }
        let _taken = Untaken::add(self.untaken, length);
        let mut body = pin!(body);
        while let Some(chunk) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            let Ok(mut chunk) = chunk else {
                stream.send_reset(Reason::INTERNAL_ERROR);
                return Ok(());
            };
            while !chunk.is_empty() {
                let Some(room) = room(&mut stream, chunk.len(), self.write).await? else { return Ok(()) };
                stream.send_data(chunk.split_to(room), false)?;
            }
        }
        stream.send_data(Bytes::new(), true)
    }
}

/// Counts the bytes of a response until it has been sent or dropped.
struct Untaken<'c>(&'c Cell<u64>, u64);

impl<'c> Untaken<'c> {
    fn add(all: &'c Cell<u64>, length: u64) -> Self {
        all.set(all.get() + length);
        Self(all, length)
    }
}

impl Drop for Untaken<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - self.1);
    }
}

/// How many of the `wanted` bytes the client accepts now; `None` when the stream has ended, or was reset because the
/// client read nothing for too long.
async fn room(
    stream: &mut SendStream<Bytes>,
    wanted: usize,
    write: Duration,
) -> Result<Option<usize>, h2::Error> {
    stream.reserve_capacity(wanted.min(CHUNK));
    match timeout(write, poll_fn(|cx| stream.poll_capacity(cx))).await {
        Ok(room) => Ok(room.transpose()?.map(|room| room.min(wanted))),
        Err(_) => {
            stream.send_reset(Reason::CANCEL);
            Ok(None)
        }
    }
}

/// The head of a response, without the HTTP/1 headers about the connection (RFC 9113, 8.2.2).
fn head(response: &ResponseHead, size: BodySize) -> http::Response<()> {
    const OF_HTTP1: [HeaderName; 5] = [
        CONNECTION,
        TRANSFER_ENCODING,
        UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ];
    let mut head = http::Response::new(());
    *head.status_mut() = response.status;
    let headers = head.headers_mut();
    for (name, value) in response.headers.iter().filter(|(name, _)| !OF_HTTP1.contains(name)) {
        headers.append(name, value.clone());
    }
    if let BodySize::Sized(length) = size {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    if !headers.contains_key(DATE) {
        let date = HeaderValue::try_from(httpdate::fmt_http_date(SystemTime::now()));
        headers.insert(DATE, date.expect("a date is ASCII"));
    }
    head
}
