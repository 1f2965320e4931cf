//! Any SMTP session at the inbox gets replies, each with a code, and ends in time.
#![no_main]

#[path = "../gateway.rs"]
#[allow(dead_code, reason = "only its blocking client")]
mod gateway;

use std::net::{Shutdown, SocketAddr, TcpListener};
use std::sync::OnceLock;
use std::time::Duration;

use inbox::{Config, Inbox};
use libfuzzer_sys::fuzz_target;

/// What leads to the body of a message.
const START: &[u8] = b"EHLO a\r\nAUTH PLAIN AHVzZXIAcGFzcw==\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n";

fuzz_target!(|input: (bool, Vec<u16>, &[u8])| {
    let (started, lengths, bytes) = input;
    let mut stream = gateway::connect(address());
    if started {
        gateway::write_in_pieces(&mut stream, START, &[]);
    }
    gateway::write_in_pieces(&mut stream, bytes, &lengths);
    let _ = stream.shutdown(Shutdown::Write);
    let received = gateway::read_to_end(&mut stream);
    for line in received.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let code = line.get(..3).and_then(|code| std::str::from_utf8(code).ok()?.parse::<u16>().ok());
        assert!(code.is_some_and(|code| (200..600).contains(&code)), "{}", received.escape_ascii());
    }
});

fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let listen = || TcpListener::bind("127.0.0.1:0").expect("a free port");
        let (http, smtp) = (listen(), listen());
        let address = smtp.local_addr().expect("it is bound");
        let config = Config {
            limits: inbox::store::history::Limits { count: 100, bytes: 1 << 20 },
            data_dir: None,
            heartbeat_limit: Duration::from_secs(60),
            proofs: None,
            allowed_hosts: Default::default(),
            runbooks: None,
        };
        std::thread::spawn(move || {
            let inbox = Inbox::open(&config).expect("an inbox");
            actix_web::rt::System::new().block_on(async {
                inbox.serve(http, Some(smtp), std::future::pending()).await.expect("it serves");
            });
        });
        address
    })
}
