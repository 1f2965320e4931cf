//! HTTP/2: the requests of one connection.
//!
//! actix's own dispatcher accepts header lists of 16 MiB, and waits without end for a client that takes nothing of a
//! response. Neither can be set there, so that this dispatcher replaces it.

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

/// Longest header list of a request in bytes, decoded, as RFC 9113, 6.5.2 counts it. A longer one is refused with 431.
const LONGEST_HEADERS: u32 = 32 * 1024;
/// Longest header lists of all open streams of a connection together, in bytes.
const LONGEST_HEADERS_OF_ALL: usize = 1024 * 1024;
/// Most streams of a connection that are handled or whose responses have not been taken. No well-behaved client has as
/// many: those that ask how many there may be assume 100, and those that do not some more.
const MOST_STREAMS: usize = 1_000;
/// How far a client may send ahead of what is read of its bodies, in bytes.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 2 * STREAM_WINDOW;
/// Most bytes of all responses of a connection that its client has not taken; another one is reset.
const MOST_UNTAKEN: u64 = 32 * 1024 * 1024;
/// Most bytes of a body that are handed over at once.
const CHUNK: usize = 16 * 1024;

/// Time limits of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// For the start of the connection.
    pub head: Duration,
    /// Without an open stream.
    pub idle: Duration,
    /// Without a byte that the client takes of a response.
    pub write: Duration,
    /// For the end of the connection.
    pub disconnect: Duration,
}

/// What happens next on a connection.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is never stored")]
enum Event {
    Request(http::Request<RecvStream>, SendResponse<Bytes>),
    /// No stream has been open for too long.
    Idle,
    /// Another connection has got this one's place.
    Displaced,
    /// The server stops.
    Drain,
    /// The client closed the connection.
    Closed,
}

/// Serves the requests of a connection until it ends. No new ones are accepted from the moment `drained` is ready.
///
/// Streams are polled here and in order, so that each that is accepted is begun, and thereby counted, and all are dropped
/// with the connection.
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
    let seat = io.seat().clone();
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
                    seat.idle();
                    let limit = if leaving { limits.disconnect } else { limits.idle };
                    idle.as_mut().reset(Instant::now() + limit);
                }
            }
            if !leaving && drained.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Event::Drain));
            }
            if streams.is_empty() && seat.poll_must_leave(cx) {
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
                seat.busy();
                let size = header_size(&request);
                headers_of_all += size;
                if streams.len() >= MOST_STREAMS || headers_of_all > LONGEST_HEADERS_OF_ALL {
                    // Whoever waited for a response has hung up.
                    streams.clear();
                    return end(connection, Reason::ENHANCE_YOUR_CALM, limits).await;
                }
                let head_only = request.method() == http::Method::HEAD;
                let response = app.call(received(request, peer));
                let sender = Sender { respond, head_only, write: limits.write, untaken: &untaken };
                streams.push(async move {
                    // A stream that fails concerns its client only, who has reset it or left.
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

/// The size of a request's header list, as RFC 9113, 6.5.2 counts it but for the pseudo-headers, which are short.
fn header_size(request: &http::Request<RecvStream>) -> usize {
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32);
    fields.sum::<usize>() + request.uri().path_and_query().map_or(0, |path| path.as_str().len())
}

/// A request as the application gets it.
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

/// Where the response of a stream goes.
struct Sender<'c> {
    respond: SendResponse<Bytes>,
    head_only: bool,
    write: Duration,
    /// Bytes of all responses of the connection that are being sent.
    untaken: &'c Cell<u64>,
}

impl Sender<'_> {
    /// Sends a response, as fast as the client takes it.
    async fn send<B: MessageBody>(mut self, response: Response<B>) -> Result<(), h2::Error> {
        let (response, body) = response.into_parts();
        let size = if response.status() == StatusCode::NO_CONTENT { BodySize::None } else { body.size() };
        let ends = self.head_only || size.is_eof();
        let length = if let BodySize::Sized(length) = size { length } else { 0 };
        if !ends && self.untaken.get() + length > MOST_UNTAKEN {
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

/// How many bytes of `wanted` the client takes now; `None` when the stream has ended, or does so because the client has
/// taken nothing for too long.
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

/// The head of a response. Headers about a connection of HTTP/1 have no place in it (RFC 9113, 8.2.2).
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
