//! An HTTP/1 client that tells every way in which a request can fail, and never repeats one.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longest wait for a response.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No connection: the gateway has not seen the request.
    Refused,
    /// The connection ended, or there was no response in time.
    Unanswered,
    /// A response with this status.
    Status(u16),
}

/// One connection, opened again when needed.
pub struct Client {
    to: SocketAddr,
    stream: Option<TcpStream>,
}

impl Client {
    pub fn new(to: SocketAddr) -> Self {
        Self { to, stream: None }
    }

    /// Sends a request, and returns the body of the response.
    pub async fn send(&mut self, method: &str, path: &str, body: &str) -> (Outcome, String) {
        let sent = timeout(PATIENCE, self.exchange(method, path, body)).await;
        let (outcome, text, keep) = sent.unwrap_or((Outcome::Unanswered, String::new(), false));
        if !keep {
            self.stream = None;
        }
        (outcome, text)
    }

    async fn exchange(&mut self, method: &str, path: &str, body: &str) -> (Outcome, String, bool) {
        let failed = |outcome| (outcome, String::new(), false);
        // One that the gateway has closed meanwhile is not used.
        if self.stream.as_ref().is_some_and(|stream| !is_open(stream)) {
            self.stream = None;
        }
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => match TcpStream::connect(self.to).await {
                Ok(stream) => none.insert(stream),
                Err(_) => return failed(Outcome::Refused),
            },
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: faults\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(request.as_bytes()).await.is_err() {
            return failed(Outcome::Unanswered);
        }
        let (mut received, mut part) = (Vec::new(), [0; 16 * 1024]);
        loop {
            if let Some((status, text, keep)) = complete(&received) {
                return (Outcome::Status(status), text, keep);
            }
            match stream.read(&mut part).await {
                Ok(count @ 1..) => received.extend_from_slice(&part[..count]),
                _ => return failed(Outcome::Unanswered),
            }
        }
    }
}

fn is_open(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// A response, once all of it has come: status, body, and whether the connection stays open.
fn complete(received: &[u8]) -> Option<(u16, String, bool)> {
    let end = received.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let length: usize = field("content-length:")?.parse().ok()?;
    let body = received.get(end + 4..end + 4 + length)?;
    let status = head.get(9..12)?.parse().ok()?;
    Some((status, String::from_utf8_lossy(body).into_owned(), field("connection:") != Some("close")))
}
