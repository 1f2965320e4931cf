// A gateway in this process, and blocking requests to it. Shared by the targets that fuzz its sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::Parser;

/// Longest wait for the gateway; a hang is found by this.
const PATIENCE: Duration = Duration::from_secs(5);

/// The gateway's address, with HTTPS if `files` are a certificate and its key. It runs until the process ends.
pub fn address(files: Option<(PathBuf, PathBuf)>) -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let listen = || TcpListener::bind("127.0.0.1:0").expect("a free port");
        let (public, admin) = (listen(), listen());
        let address = public.local_addr().expect("it is bound");
        let limits = std::env::temp_dir().join(format!("fuzz-{}.toml", std::process::id()));
        let text = "[[policy]]\nname = \"default\"\nlimit = \"1000000/s\"\nburst = 1000000\n";
        std::fs::write(&limits, text).expect("a temporary file");
        let mut args = ["api", "--database-url", "sqlite::memory:", "--workers", "1", "--write-timeout", "1s"]
            .map(String::from)
            .to_vec();
        args.extend(["--rate-limits-file".to_owned(), limits.display().to_string()]);
        args.extend(["--request-head-timeout", "1s", "--request-body-timeout", "1s"].map(String::from));
        if let Some((cert, key)) = files {
            args.extend(["--tls-cert".to_owned(), cert.display().to_string()]);
            args.extend(["--tls-key".to_owned(), key.display().to_string()]);
        }
        let config = api::Config::try_parse_from(args).expect("valid settings");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let gateway = api::Gateway::prepare(&config).await.expect("a gateway");
                let _ = std::fs::remove_file(limits);
                let listeners = api::Listeners { public, admin };
                gateway.serve(listeners, std::future::pending()).await.expect("it serves");
            });
        });
        address
    })
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the gateway listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    stream.set_write_timeout(Some(PATIENCE)).expect("a time limit");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// Writes the bytes in pieces of these lengths, the last of which repeats; stops when the other side has closed.
pub fn write_in_pieces(to: &mut impl Write, mut bytes: &[u8], lengths: &[u16]) {
    let mut lengths = lengths.iter().chain(std::iter::repeat(lengths.last().unwrap_or(&u16::MAX)));
    while !bytes.is_empty() {
        let length = usize::from(*lengths.next().unwrap_or(&u16::MAX)).max(64).min(bytes.len());
        if to.write_all(&bytes[..length]).is_err() || to.flush().is_err() {
            return;
        }
        bytes = &bytes[length..];
    }
}

/// Everything until the end of the connection, which must come in time.
pub fn read_to_end(from: &mut impl Read) -> Vec<u8> {
    let (mut all, mut part) = (Vec::new(), [0; 16 * 1024]);
    loop {
        match from.read(&mut part) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&part[..count]),
            Err(error) => {
                let late = matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
                assert!(!late, "the gateway neither responds nor closes");
                return all;
            }
        }
    }
}
