//! The transport of a connection: TCP or a Unix socket, with or without TLS.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use crate::wire::error::Fault;
use crate::wire::target::{Route, Target};

/// An open transport to the target, plain or encrypted.
pub type Transport = Either<Socket, Box<TlsStream<Socket>>>;

/// A connected TCP or Unix socket.
pub type Socket = Either<TcpStream, UnixStream>;

/// Connects to the first address that accepts, and performs the TLS handshake. The caller sets the time limit.
///
/// # Errors
/// The error of the last address, or of the handshake.
pub async fn open(target: &Target) -> Result<Transport, Fault> {
    let socket = socket(&target.route).await?;
    let Some(tls) = &target.tls else { return Ok(Either::Left(socket)) };
    let connector = TlsConnector::from(tls.config.clone());
    let stream = connector.connect(tls.name.clone(), socket).await.map_err(|error| {
        tls.note(&error);
        Fault::of(&error)
    })?;
    Ok(Either::Right(Box::new(stream)))
}

/// Whether written bytes may still be in a buffer of this process.
#[must_use]
pub fn buffers(transport: &Transport) -> bool {
    matches!(transport, Either::Right(_))
}

async fn socket(route: &Route) -> Result<Socket, Fault> {
    let addresses = match route {
        Route::Addresses(addresses) => addresses,
        Route::Unix(path) => {
            return UnixStream::connect(path).await.map(Either::Right).map_err(|error| match error.kind() {
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
                return Ok(Either::Left(stream));
            }
            Err(error) => fault = fault_at(&error, *address),
        }
        if fault.is_local() {
            break;
        }
    }
    Err(fault)
}

/// "Address not available" has two meanings: all local ports are in use, which is an error of the generator, or this
/// machine has no address from which it can reach the other, as with `::1` when IPv6 is off. In the second case the
/// host's next address may work.
fn fault_at(error: &io::Error, address: SocketAddr) -> Fault {
    match Fault::of(error) {
        Fault::Ports if !can_be_spoken_to(address) => Fault::Unreachable,
        fault => fault,
    }
}

fn can_be_spoken_to(address: SocketAddr) -> bool {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // UDP has separate ports, and connecting sends nothing.
    UdpSocket::bind((any, 0)).is_ok_and(|socket| socket.connect(address).is_ok())
}
