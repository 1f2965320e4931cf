//! Listen addresses: parsing, and binding with an error that names the process that uses the port.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::error::Error;

/// Parses `127.0.0.1:9464`, `[::1]:9464`, `localhost:9464`, and `:9464` for every IPv4 address of this machine. Other
/// names are not resolved.
///
/// # Errors
/// [`Error::Address`].
pub fn address(text: &str) -> Result<SocketAddr, Error> {
    let named = |(host, port): (&str, &str)| {
        let ip = match host {
            "" => Ipv4Addr::UNSPECIFIED,
            "localhost" => Ipv4Addr::LOCALHOST,
            _ => return None,
        };
        Some(SocketAddr::from((ip, port.parse().ok()?)))
    };
    text.parse()
        .ok()
        .or_else(|| text.rsplit_once(':').and_then(named))
        .ok_or_else(|| Error::Address(text.to_owned()))
}

/// Listens on an address.
///
/// # Errors
/// Names the address, the process that uses the port if known, and the flag to change.
pub fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            let owner = listeners::get_process_by_port(address.port(), listeners::Protocol::TCP)
                .map(|owner| format!(" by {} (pid {})", owner.name, owner.pid))
                .unwrap_or_default();
            Error::PortTaken { port: address.port(), owner, flag: flag.to_owned() }
        }
        _ => Error::Listen { address, flag: flag.to_owned(), error },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_addresses_and_rejects_others_by_name() {
        for (text, read) in [
            ("127.0.0.1:9464", "127.0.0.1:9464"),
            ("[::1]:0", "[::1]:0"),
            ("localhost:9464", "127.0.0.1:9464"),
            (":9464", "0.0.0.0:9464"),
        ] {
            assert_eq!(address(text).unwrap(), read.parse().unwrap(), "{text}");
        }
        for text in ["", "9464", "localhost", "127.0.0.1", "a.example:9464", ":99999", "localhost:", "::1:x"]
        {
            let error = address(text).unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{text}` is not a listen address")) && error.contains(":9464"),
                "{error}"
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn port_in_use_names_its_owner_and_the_flag() {
        let listener = bind("127.0.0.1:0".parse().unwrap(), "--listen").unwrap();
        let taken = listener.local_addr().unwrap();
        let error = bind(taken, "--listen").unwrap_err().to_string();
        let me = format!("(pid {})", std::process::id());
        assert!(error.contains(&taken.port().to_string()) && error.contains(&me), "{error}");
        assert!(error.contains("--listen"), "{error}");
        drop(listener);
    }
}
