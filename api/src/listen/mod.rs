//! The listener: binds a port, with an error that names its owner; TLS; limits of a connection.

pub(crate) mod encrypted;
mod guarded;
mod http2;
mod limits;
mod marks;
mod places;
mod serve;
mod slot_socket;
mod slots;
mod tls;

pub(crate) use marks::Busy;
pub(crate) use serve::serve;
pub(crate) use slots::Admission;
pub(crate) use tls::{Certificate, Tls, tls};

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {reason}; {remedy}")]
pub struct ListenError {
    /// The requested address.
    pub address: SocketAddr,
    /// Why it cannot be used, with the port's owner if known.
    pub reason: String,
    /// How to fix it, naming the flag.
    pub remedy: String,
}

/// Binds `address`. `flag` is the setting for error messages, such as `--listen (LISTEN)`.
///
/// # Errors
/// [`ListenError`] when the port is already in use or privileged, or the address is not one of this machine.
pub fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).map_err(|error| explain(address, flag, &error))
}

fn explain(address: SocketAddr, flag: &str, error: &io::Error) -> ListenError {
    let port = address.port();
    let (reason, remedy) = match error.kind() {
        io::ErrorKind::AddrInUse => {
            let holder = match listeners::get_process_by_port(port, listeners::Protocol::TCP) {
                Ok(owner) => format!("port {port} is already in use by {} (pid {})", owner.name, owner.pid),
                Err(_) => format!("port {port} is already in use"),
            };
            (holder, format!("stop that process, or choose another port with {flag}"))
        }
        io::ErrorKind::PermissionDenied => (
            format!("this user may not listen on port {port}"),
            format!("choose a port of 1024 or above with {flag}"),
        ),
        io::ErrorKind::AddrNotAvailable => (
            format!("{} is not an address of this machine", address.ip()),
            format!("choose one of its addresses with {flag}"),
        ),
        _ => (error.to_string(), format!("choose another address with {flag}")),
    };
    ListenError { address, reason, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_port_owner_and_flag() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        let message = bind(address, "--listen (LISTEN)").unwrap_err().to_string();
        assert!(message.contains(&format!("port {} is already in use", address.port())), "{message}");
        assert!(message.contains("--listen (LISTEN)"), "{message}");
        if cfg!(target_os = "linux") {
            assert!(message.contains(&format!("pid {}", std::process::id())), "{message}");
        }
    }

    #[test]
    fn a_foreign_address_says_so() {
        // 192.0.2.0/24 is reserved for documentation, so no machine has it.
        let message = bind("192.0.2.1:0".parse().unwrap(), "--listen").unwrap_err().to_string();
        assert!(message.contains("not an address of this machine"), "{message}");
    }
}
