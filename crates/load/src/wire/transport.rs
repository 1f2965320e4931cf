//! What bytes go over: TCP or a Unix socket, with TLS or without.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use crate::wire::error::Fault;
use crate::wire::target::{Route, Target};

/// An open way to the target: as it is, or encrypted.
pub type Transport = Either<Socket, Box<TlsStream<Socket>>>;

/// A connected socket: to an address, or to a file on this machine.
pub type Socket = Either<TcpStream, UnixStream>;

/// Connects, to the first address that accepts, and shakes hands. The caller limits the time.
///
/// # Errors
/// The last address's failure, or the handshake's.
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

/// Whether what was written may still wait in a buffer of ours.
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
