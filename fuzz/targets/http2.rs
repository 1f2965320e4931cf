//! Any bytes on a connection of HTTP/2 end it in time, and others are served. Half of the inputs come after the preface and
//! empty settings, so that frames are reached.
#![no_main]

#[path = "../gateway.rs"]
mod gateway;

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fuzz_target!(|input: (bool, Vec<u16>, &[u8])| {
    let (prefaced, lengths, bytes) = input;
    let (address, config) = server();
    let mut stream = open(*address, config);
    if prefaced {
        gateway::write_in_pieces(&mut stream, PREFACE, &[]);
    }
    gateway::write_in_pieces(&mut stream, bytes, &lengths);
    stream.conn.send_close_notify();
    let _ = stream.conn.complete_io(&mut stream.sock);
    let _ = stream.sock.shutdown(std::net::Shutdown::Write);
    gateway::read_to_end(&mut stream);
    let mut other = open(*address, config);
    // HEADERS of GET /livez on stream 1: static entries 2 and 7, then the path and the authority as literals.
    let request = b"\0\0\x0e\x01\x05\0\0\0\x01\x82\x87\x04\x06/livez\x01\x01a";
    gateway::write_in_pieces(&mut other, &[PREFACE, &request[..]].concat(), &[]);
    other.conn.send_close_notify();
    let _ = other.conn.complete_io(&mut other.sock);
    let received = gateway::read_to_end(&mut other);
    let goaway_with_error = received.windows(4).any(|part| part == b"HTTP");
    assert!(!received.is_empty() && !goaway_with_error, "{}", received.escape_ascii());
});

fn server() -> &'static (SocketAddr, Arc<ClientConfig>) {
    static SERVER: OnceLock<(SocketAddr, Arc<ClientConfig>)> = OnceLock::new();
    SERVER.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let file = |name: &str, text: String| {
            let path = std::env::temp_dir().join(format!("fuzz-{}-{name}", std::process::id()));
            std::fs::write(&path, text).expect("a temporary file");
            path
        };
        let files = (file("cert.pem", made.cert.pem()), file("key.pem", made.signing_key.serialize_pem()));
        let address = gateway::address(Some(files));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(made.cert)).expect("a certificate");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let mut config = builder
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        (address, Arc::new(config))
    })
}

fn open(address: SocketAddr, config: &Arc<ClientConfig>) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(config.clone(), name).expect("a connection");
    StreamOwned::new(connection, gateway::connect(address))
}
