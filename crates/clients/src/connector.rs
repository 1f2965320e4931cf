//! Connections, through a proxy where the environment names one: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in
//! capitals or not. As in Go's programs, addresses of this machine are reached directly.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// The proxies of the environment.
#[derive(Debug, Clone)]
pub struct Proxies(Arc<Matcher>);

impl Proxies {
    /// Reads the environment.
    pub fn of_environment() -> Self {
        Self(Arc::new(Matcher::from_env()))
    }

    fn of(&self, uri: &Uri) -> Option<Intercept> {
        self.0.intercept(uri).filter(|_| !is_here(uri))
    }

    /// The authorization that a proxy needs with each request; where there is a tunnel, it has been sent before.
    pub fn authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        self.of(uri).filter(|_| uri.scheme_str() == Some("http"))?.basic_auth().cloned()
    }
}

fn is_here(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Connects to a host, or to its proxy.
#[derive(Debug, Clone)]
pub struct Connector {
    pub tcp: HttpConnector,
    pub proxies: Proxies,
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let Self { mut tcp, proxies } = self.clone();
        Box::pin(async move {
            let Some(proxy) = proxies.of(&to) else {
                return Ok(Stream { io: tcp.call(to).await?, proxied: false });
            };
            let by = format!("proxy {}", proxy.uri().authority().map_or("", |it| it.as_str()));
            if proxy.uri().scheme_str() != Some("http") {
                return Err(format!("{by}: expected an http:// address of the proxy").into());
            }
            let failed = |error: &(dyn Error + 'static)| format!("{by}: {}", root(error));
            if to.scheme_str() == Some("https") {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), tcp);
                if let Some(authorization) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(authorization.clone());
                }
                let io = tunnel.call(to).await.map_err(|error| failed(&error))?;
                return Ok(Stream { io, proxied: false });
            }
            let io = tcp.call(proxy.uri().clone()).await.map_err(|error| failed(&error))?;
            Ok(Stream { io, proxied: true })
        })
    }
}

fn root(error: &(dyn Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), root)
}

/// A connection; a proxy is sent whole URLs.
pub struct Stream {
    io: TokioIo<TcpStream>,
    proxied: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.proxied)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, to)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_need_no_proxy() {
        let matcher =
            Matcher::builder().all("http://me:secret@proxy.example:3128").no("inside.example").build();
        let proxies = Proxies(Arc::new(matcher));
        for (uri, proxied) in [
            ("http://127.0.0.1:9090/", false),
            ("http://localhost:9090/", false),
            ("http://[::1]:9090/", false),
            ("http://prometheus.example/", true),
            ("https://prometheus.example/", true),
            ("https://a.inside.example/", false),
        ] {
            assert_eq!(proxies.of(&uri.parse().unwrap()).is_some(), proxied, "{uri}");
        }
        let header = |uri: &str| proxies.authorization(&uri.parse().unwrap());
        assert_eq!(header("http://a.example/").unwrap(), "Basic bWU6c2VjcmV0");
        assert_eq!(header("https://a.example/"), None, "sent to open the tunnel only");
    }
}
