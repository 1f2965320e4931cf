//! The server, assembled from actix's parts as `HttpServer` does, with a guard around each connection.

use super::{
    encrypted::Encrypted,
    guarded::{Explain, Guarded, Http1},
    http2, limits,
    marks::Marks,
    slot_socket::SlotSocket,
    slots::{Admission, Slot, Slots},
};
use crate::config::{ConnectionSettings, ServerSettings};
use actix_http::{HttpService, Protocol, Request, Response, error::DispatchError};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_factory, fn_service,
    map_config,
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
use futures_util::future::{Either, LocalBoxFuture};
use rustls::ServerConfig;
use std::{
    fmt,
    future::ready,
    io,
    net::{SocketAddr, TcpListener},
    num::NonZero,
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite};

/// Maximum wait for a closing connection.
const DISCONNECT: Duration = Duration::from_secs(1);

/// A server of `app` on `listener`: HTTP/1, or with `tls` HTTPS in both versions. It runs while it is polled. `explain`
/// returns the header lines and the body for the status of a bare refusal.
pub(crate) fn serve<F, I, S, B>(
    app: F,
    listener: TcpListener,
    tls: Option<ServerConfig>,
    server: &ServerSettings,
    settings: &ConnectionSettings,
    admission: Admission,
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
    let slots = Slots::new(connections, settings.of_address(connections), admission);
    let builder = Server::build()
        .disable_signals()
        .workers(workers)
        .backlog(settings.backlog)
        .max_concurrent_connections((connections + limits::IN_TRANSIT).div_ceil(workers))
        .shutdown_timeout(server.shutdown_timeout.as_secs_f64().ceil() as u64);
    let draining = builder.graceful_shutdown_signal();
    let server = match tls {
        None => builder.listen("http", listener, move || {
            let watch = Watch::new(&settings, &explain);
            let guard = move |(io, peer): (SlotSocket, _)| {
                let slot = io.slot.clone();
                let guarded = watch.over(io, slot, Protocol::Http1);
                ready(Ok::<_, DispatchError>((guarded, Protocol::Http1, peer)))
            };
            fn_service(welcome(&slots))
                .map_err(DispatchError::Io)
                .and_then(fn_service(guard))
                .and_then(http(&app, &settings, &draining, false))
        })?,
        Some(mut tls) => {
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            builder.listen("https", listener, move || {
                let watch = Watch::new(&settings, &explain);
                let mut acceptor = Acceptor::new(tls.clone());
                acceptor.set_handshake_timeout(settings.request_head_timeout);
                let guard = move |io: TlsStream<SlotSocket>| {
                    let (socket, session) = io.get_ref();
                    let (slot, peer) = (socket.slot.clone(), socket.io.peer_addr().ok());
                    let spoken = match session.alpn_protocol() {
                        Some(b"h2") => Protocol::Http2,
                        _ => Protocol::Http1,
                    };
                    let guarded = watch.over(io, slot, spoken);
                    ready(Ok::<_, TlsError<io::Error, DispatchError>>((guarded, spoken, peer)))
                };
                fn_service(welcome(&slots))
                    .map(|(io, _)| io)
                    .map_err(TlsError::Tls)
                    .and_then(acceptor)
                    .map_err(TlsError::into_service_error)
                    .and_then(fn_service(guard))
                    .and_then(https(&app, &settings, &draining).map_err(TlsError::Service))
            })?
        }
    };
    Ok(server.run())
}

/// The HTTPS service of a worker: one instance of the application for each HTTP version.
fn https<T, F, I, S, B>(
    app: &F,
    settings: &ConnectionSettings,
    draining: &GracefulShutdownSignal,
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
    let http1 = http(app, settings, draining, true);
    let http2 = map_config(app(), |()| AppConfig::default());
    let draining = draining.clone();
    let limits = http2::Limits {
        head: settings.request_head_timeout,
        idle: settings.keep_alive,
        write: settings.write_timeout,
        disconnect: DISCONNECT,
    };
    fn_factory(move || {
        let (http1, http2) = (http1.new_service(()), http2.new_service(()));
        let draining = draining.clone();
        async move {
            let http1 = Rc::new(http1.await?);
            let http2 =
                http2.await.map_err(|error| tracing::error!(?error, "cannot create the HTTP/2 service"))?;
            let http2 = Rc::new(http2);
            Ok::<_, ()>(fn_service(move |(io, spoken, peer)| {
                if spoken != Protocol::Http2 {
                    return Either::Left(http1.call((io, spoken, peer)));
                }
                let (app, draining) = (http2.clone(), draining.clone());
                Either::Right(async move { http2::serve(io, peer, &*app, limits, draining.notified()).await })
            }))
        }
    })
}

/// The HTTP/1 service of a worker: an instance of the application behind its connections.
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
        let marks = request.conn_data::<Rc<Marks>>().cloned();
        until_hung_up(marks, app.call(request))
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
        })
        .finish(map_config(app, |()| AppConfig::default()))
}

/// The response on an HTTP/1 connection. A client that closes its half has disconnected: its handler is dropped and the
/// request is counted as 499.
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

/// Creates the guards of one worker's connections.
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

    fn over<T>(&self, io: T, slot: Rc<Slot>, spoken: Protocol) -> Guarded<T> {
        let http1 = (spoken == Protocol::Http1).then(|| Http1 {
            marks: Rc::new(Marks::new(self.head_timeout, self.keep_alive, slot.clone())),
            explain: self.explain.clone(),
        });
        Guarded::new(io, slot, http1, self.write_timeout)
    }
}

/// Prepares a connection, tells whose it is, and waits for a slot for it.
fn welcome(
    slots: &Arc<Slots>,
) -> impl Fn(TcpStream) -> LocalBoxFuture<'static, io::Result<(SlotSocket, Option<SocketAddr>)>> + Clone + use<>
{
    let slots = slots.clone();
    move |io: TcpStream| {
        let slots = slots.clone();
        // A response goes out in one piece; waiting for more only delays it. A socket that refuses this is only slower.
        let _ = io.set_nodelay(true);
        Box::pin(async move {
            let peer = io.peer_addr().ok();
            match slots.admit(peer.map(|peer| peer.ip())).await {
                Some(slot) => Ok((SlotSocket { io, slot: Rc::new(slot) }, peer)),
                None => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }
}

fn cores() -> usize {
    // The server rejects a higher number of workers.
    std::thread::available_parallelism().map_or(1, NonZero::get).min(512)
}
