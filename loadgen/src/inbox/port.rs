//! Binding a port, with an error that says who has it.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// Listens on an address.
///
/// # Errors
/// A sentence naming the address, the process that has it where that can be known, and the flag to change.
pub fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            let owner = listeners::get_process_by_port(address.port(), listeners::Protocol::TCP)
                .map(|owner| format!(" by {} (pid {})", owner.name, owner.pid))
                .unwrap_or_default();
            format!(
                "port {} is taken{owner}: stop it, or choose another with {flag} HOST:PORT",
                address.port()
            )
        }
        _ => format!("cannot listen on {address}: {error}; choose another address with {flag} HOST:PORT"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_taken_port_names_its_owner_and_the_flag() {
        let listener = bind("127.0.0.1:0".parse().unwrap(), "--listen").unwrap();
        let taken = listener.local_addr().unwrap();
        let error = bind(taken, "--listen").unwrap_err();
        let me = format!("(pid {})", std::process::id());
        assert!(error.contains(&taken.port().to_string()) && error.contains(&me), "{error}");
        assert!(error.contains("--listen"), "{error}");
        drop(listener);
    }
}
