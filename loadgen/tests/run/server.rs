//! A small HTTP server on a free port that sends exactly the bytes a test chooses.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

/// A received request.
pub struct Received {
    /// Its number from 0, over all connections.
    pub number: usize,
    pub head: String,
    pub body: Vec<u8>,
}

/// What to do with the connection after a request.
pub enum Then {
    KeepOpen,
    Close,
}

pub type Respond = dyn Fn(&mut TcpStream, &Received) -> Then + Send + Sync;

pub struct Server {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    requests: AtomicUsize,
    connections: AtomicUsize,
    open: AtomicUsize,
    over: AtomicBool,
}

impl Server {
    pub fn start(respond: impl Fn(&mut TcpStream, &Received) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let respond: Arc<Respond> = Arc::new(respond);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.over.load(SeqCst) {
                    return;
                }
                let (Ok(stream), state, respond) = (stream, Arc::clone(&shared), Arc::clone(&respond)) else {
                    continue;
                };
                state.connections.fetch_add(1, SeqCst);
                state.open.fetch_add(1, SeqCst);
                thread::spawn(move || {
                    serve(stream, &state, &*respond);
                    state.open.fetch_sub(1, SeqCst);
                });
            }
        });
        Self { address, state }
    }

    /// Responds 500 to `/api/error` and 200 to other paths.
    pub fn gateway() -> Self {
        Self::start(|stream, request| {
            let status = if request.head.starts_with("GET /api/error ") { "500 Requested" } else { "200 OK" };
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok");
            Then::KeepOpen
        })
    }

    /// Reads requests and never responds, until the peer disconnects.
    pub fn silent() -> Self {
        Self::start(|stream, _| {
            let _ = stream.read(&mut [0; 1]);
            Then::Close
        })
    }

    pub fn url(&self, path: &str) -> url::Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    /// Requests read so far.
    pub fn requests(&self) -> usize {
        self.state.requests.load(SeqCst)
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(SeqCst)
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.state.open.load(SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.over.store(true, SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the listener so that it ends
    }
}

fn serve(mut stream: TcpStream, state: &State, respond: &Respond) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::new();
    while let Some((head, body)) = read_request(&mut stream, &mut buffer) {
        let number = state.requests.fetch_add(1, SeqCst);
        match respond(&mut stream, &Received { number, head, body }) {
            Then::KeepOpen => {}
            Then::Close => return,
        }
    }
}

fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, buffer)?;
    };
    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
    let length =
        head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap());
    while buffer.len() < end + length {
        more(stream, buffer)?;
    }
    let body = buffer[end..end + length].to_vec();
    buffer.drain(..end + length);
    Some((head, body))
}

fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 64 * 1024];
    let count = stream.read(&mut chunk).ok().filter(|&count| count > 0)?;
    buffer.extend_from_slice(&chunk[..count]);
    Some(())
}
