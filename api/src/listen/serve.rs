//! The server, put together from actix's parts as `HttpServer` would, with each connection in its guard.

use super::{
    encrypted::Encrypted,
    guarded::{Explain, Guarded, Http1},
    limits,
    marks::Marks,
    streams::{Entrance, Slot},
};
use crate::config::{ConnectionSettings, ServerSettings};
use actix_http::{HttpService, Protocol, Request, Response, error::DispatchError};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_service, map_config,
};
use actix_tls::accept::{
    TlsError,
    rustls_0_23::{Acceptor, TlsStream},
};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{AppConfig, ServiceResponse},
    rt::net::TcpStream,
};
use futures_util::future::Either;
use rustls::ServerConfig;
use std::{
    fmt,
    future::ready,
    io,
    net::{SocketAddr, TcpListener},
    num::NonZero,
    rc::Rc,
    task::Poll,
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite};

/// Longest a closing connection is waited for.
const DISCONNECT: Duration = Duration::from_secs(1);

/// A server of `app` on `listener`: HTTP/1, or with `tls` HTTPS in both versions. It runs when it is polled. `explain` gives
/// header lines and body to the status of a bare refusal.
pub(crate) fn serve<F, I, S, B>(
    app: F,
    listener: TcpListener,
    tls: Option<ServerConfig>,
    server: &ServerSettings,
    settings: &ConnectionSettings,
    explain: impl Fn(u16) -> (String, Vec<u8>) + Clone + Send + 'static,
) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::InitError: fmt::Debug,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let workers = server.workers.unwrap_or_else(cores);
    let settings = settings.clone();
    let connections = limits::prepare(&listener, &settings)?;
    let builder = Server::build()
        .disable_signals()
        .workers(workers)
        .backlog(settings.backlog)
        .max_concurrent_connections(connections.div_ceil(workers))
        .shutdown_timeout(server.shutdown_timeout.as_secs_f64().ceil() as u64);
    let draining = builder.graceful_shutdown_signal();
    let server = match tls {
        None => builder.listen("http", listener, move || {
            let watch = Watch::new(&settings, &explain);
            let accept = move |io: TcpStream| {
                let peer = welcome(&io);
                let guarded = watch.over(io, Protocol::Http1);
                ready(Ok::<_, DispatchError>((guarded, Protocol::Http1, peer)))
            };
            fn_service(accept).and_then(http(&app, &settings, &draining, false))
        })?,
        Some(mut tls) => {
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            builder.listen("https", listener, move || {
                let watch = Watch::new(&settings, &explain);
                let mut acceptor = Acceptor::new(tls.clone());
                acceptor.set_handshake_timeout(settings.request_head_timeout);
                let accept = move |io: TlsStream<TcpStream>| {
                    let (socket, session) = io.get_ref();
                    let peer = welcome(socket);
                    let spoken = match session.alpn_protocol() {
                        Some(b"h2") => Protocol::Http2,
                        _ => Protocol::Http1,
                    };
                    let guarded = watch.over(io, spoken);
                    ready(Ok::<_, TlsError<io::Error, DispatchError>>((guarded, spoken, peer)))
                };
                acceptor
                    .map_err(TlsError::into_service_error)
                    .and_then(fn_service(accept))
                    .and_then(http(&app, &settings, &draining, true).map_err(TlsError::Service))
            })?
        }
    };
    Ok(server.run())
}

/// One HTTP service: a worker's copy of the application behind a connection of either kind.
fn http<T, F, I, S, B>(
    app: &F,
    settings: &ConnectionSettings,
    draining: &GracefulShutdownSignal,
    encrypted: bool,
) -> impl ServiceFactory<
    (Guarded<T>, Protocol, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
> + use<T, F, I, S, B>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    F: Fn() -> I,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::InitError: fmt::Debug,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let draining = draining.clone();
    let app = apply_fn_factory(app(), move |request: Request, app: &S::Service| {
        // HTTP/2 is spoken over TLS only.
        match encrypted.then(|| request.conn_data::<Entrance>().cloned()).flatten() {
            None => {
                let marks = request.conn_data::<Rc<Marks>>().cloned();
                Either::Left(until_hung_up(marks, app.call(request)))
            }
            Some(entrance) => {
                let stream = entrance.enter().map(|slot| (slot, app.call(request)));
                Either::Right(on_stream(entrance, stream))
            }
        }
    })
    .map_err(|error: Error| Response::from(error.error_response()));
    HttpService::build()
        .graceful_shutdown_signal(move || {
            let draining = draining.clone();
            async move { draining.notified().await }
        })
        .keep_alive(settings.keep_alive)
        .client_request_timeout(settings.request_head_timeout)
        .client_disconnect_timeout(DISCONNECT)
        // A client that closes its half has still hung up (see `until_hung_up`). With `false`, bytes that are not HTTP
        // would cost the request before them its response.
        .h1_allow_half_closed(true)
        .on_connect_ext(move |connection: &Guarded<T>, data| {
            if encrypted {
                data.insert(Encrypted);
            }
            if let Some(marks) = connection.marks() {
                data.insert(marks.clone());
            }
            if let Some(entrance) = connection.entrance() {
                data.insert(entrance);
            }
        })
        .finish(map_config(app, |()| AppConfig::default()))
}

/// The response on an HTTP/1 connection. A client that closes its half has hung up: its handler is dropped and counted as
/// 499.
async fn until_hung_up<R>(
    marks: Option<Rc<Marks>>,
    response: impl Future<Output = Result<R, Error>>,
) -> Result<R, Error> {
    let mut response = std::pin::pin!(response);
    // One task reads the connection and then polls this, so nothing has to wake it.
    std::future::poll_fn(|cx| match response.as_mut().poll(cx) {
        Poll::Pending if marks.as_ref().is_some_and(|marks| marks.abandon()) => {
            Poll::Ready(Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()))
        }
        other => other,
    })
    .await
}

/// The response on a stream of HTTP/2, which keeps its slot until the client has read it. Without a slot, or once the
/// connection is gone, the request is dropped and counted as one whose client hung up.
async fn on_stream<B>(
    entrance: Entrance,
    stream: Option<(Slot, impl Future<Output = Result<ServiceResponse<B>, Error>>)>,
) -> Result<ServiceResponse<B>, Error> {
    let gone = || Err(io::Error::from(io::ErrorKind::ConnectionAborted).into());
    let Some((slot, response)) = stream else { return gone() };
    tokio::select! {
        // In this order, so that every request is begun, and so counted.
        biased;
        response = response => response.map(|mut response| {
            // The extensions go when the last byte of the body has.
            response.response_mut().extensions_mut().insert(slot);
            response
        }),
        () = entrance.closed() => gone(),
    }
}

/// Makes the guards of one worker's connections.
#[derive(Clone)]
struct Watch {
    head_timeout: Duration,
    keep_alive: Duration,
    write_timeout: Duration,
    explain: Explain,
}

impl Watch {
    fn new(
        settings: &ConnectionSettings,
        explain: &(impl Fn(u16) -> (String, Vec<u8>) + Clone + 'static),
    ) -> Self {
        Self {
            head_timeout: settings.request_head_timeout,
            keep_alive: settings.keep_alive,
            write_timeout: settings.write_timeout,
            explain: Rc::new(explain.clone()),
        }
    }

    fn over<T>(&self, io: T, spoken: Protocol) -> Guarded<T> {
        let http1 = (spoken == Protocol::Http1).then(|| Http1 {
            marks: Rc::new(Marks::new(self.head_timeout, self.keep_alive)),
            explain: self.explain.clone(),
        });
        Guarded::new(io, http1, self.write_timeout)
    }
}

/// Prepares a connection and tells whose it is.
fn welcome(socket: &TcpStream) -> Option<SocketAddr> {
    // A response goes out in one piece; waiting for more only delays it. A socket that refuses this is only slower.
    let _ = socket.set_nodelay(true);
    socket.peer_addr().ok()
}

fn cores() -> usize {
    // More workers than this the server refuses.
    std::thread::available_parallelism().map_or(1, NonZero::get).min(512)
}
