//! What bytes go over: TCP or a Unix socket, with TLS or without.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::wire::error::Fault;
use crate::wire::target::{Route, Target};

/// An open way to the target.
#[derive(Debug)]
pub enum Transport {
    /// As it is.
    Plain(Socket),
    /// Encrypted.
    Tls(Box<TlsStream<Socket>>),
}

/// A connected socket.
#[derive(Debug)]
pub enum Socket {
    /// To an address.
    Tcp(TcpStream),
    /// To a file on this machine.
    Unix(UnixStream),
}

impl Transport {
    /// Connects, to the first address that accepts, and shakes hands. The caller limits the time.
    ///
    /// # Errors
    /// The last address's failure, or the handshake's.
    pub async fn open(target: &Target) -> Result<Self, Fault> {
        let socket = Socket::open(&target.route).await?;
        let Some(tls) = &target.tls else { return Ok(Self::Plain(socket)) };
        let connector = TlsConnector::from(tls.config.clone());
        let stream = connector.connect(tls.name.clone(), socket).await.map_err(|error| {
            tls.note(&error);
            Fault::of(&error)
        })?;
        Ok(Self::Tls(Box::new(stream)))
    }

    /// Whether what was written may still wait in a buffer of ours.
    #[must_use]
    pub fn buffers(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

impl Socket {
    async fn open(route: &Route) -> Result<Self, Fault> {
        let addresses = match route {
            Route::Addresses(addresses) => addresses,
            Route::Unix(path) => {
                return UnixStream::connect(path).await.map(Self::Unix).map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => Fault::Refused, // nothing listens there
                    _ => Fault::of(&error),
                });
            }
        };
        let mut fault = Fault::Unreachable;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(|error| Fault::of(&error))?;
                    return Ok(Self::Tcp(stream));
                }
                Err(error) => fault = fault_at(&error, *address),
            }
            if fault.is_local() {
                break;
            }
        }
        Err(fault)
    }
}

/// "Address not available" is said of two things: that every local port is in use, which is our fault, and that this
/// machine has no address to speak to that one from, as with `::1` where IPv6 is off; then the host's next one may do.
fn fault_at(error: &io::Error, address: SocketAddr) -> Fault {
    match Fault::of(error) {
        Fault::Ports if !can_be_spoken_to(address) => Fault::Unreachable,
        fault => fault,
    }
}

fn can_be_spoken_to(address: SocketAddr) -> bool {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // UDP has ports of its own, and nothing is sent by connecting.
    UdpSocket::bind((any, 0)).is_ok_and(|socket| socket.connect(address).is_ok())
}

/// Calls the same method of whichever stream it is.
macro_rules! each {
    ($kind:ident, [$($variant:ident),+], $this:expr, $method:ident $arguments:tt) => {
        match $this.get_mut() {
            $($kind::$variant(stream) => Pin::new(stream).$method $arguments,)+
        }
    };
}

macro_rules! stream {
    ($kind:ident, $variants:tt) => {
        impl AsyncRead for $kind {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                into: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                each!($kind, $variants, self, poll_read(context, into))
            }
        }

        impl AsyncWrite for $kind {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                each!($kind, $variants, self, poll_write(context, bytes))
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                each!($kind, $variants, self, poll_flush(context))
            }

            fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                each!($kind, $variants, self, poll_shutdown(context))
            }
        }
    };
}

stream!(Socket, [Tcp, Unix]);
stream!(Transport, [Plain, Tls]);
