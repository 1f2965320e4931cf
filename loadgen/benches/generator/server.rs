//! The target: a minimal HTTP server on its own thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

use crate::cores::Cores;

const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\nContent-Length: 13\r\n\r\nHello, world!";
/// Duration, delay from the first request, and interval of freezes.
pub const FREEZE: Duration = Duration::from_secs(1);
const FIRST: Duration = Duration::from_secs(4);
pub const EVERY: Duration = Duration::from_secs(10);

/// A running server. It ends when dropped.
pub struct Server {
    pub address: SocketAddr,
    served: Arc<AtomicU64>,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Starts the server; with `freezes` it stops for a second in every ten.
    pub fn start(cores: &Arc<Cores>, freezes: bool) -> anyhow::Result<Self> {
        let served = Arc::new(AtomicU64::new(0));
        let (stop, stopped) = oneshot::channel::<()>();
        let (sender, receiver) = std::sync::mpsc::channel();
        let (count, cores) = (Arc::clone(&served), Arc::clone(cores));
        std::thread::Builder::new().name("server".to_owned()).spawn(move || {
            cores.serve_here();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return }; // the receiver of the address gets an error
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, async move {
                let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else { return };
                let _ = sender.send(listener.local_addr());
                let first = Arc::new(Notify::new());
                if freezes {
                    tokio::task::spawn_local(freeze(Arc::clone(&first)));
                }
                tokio::select! {
                    _ = stopped => {}
                    () = serve(listener, &count, &first) => {}
                }
            });
        })?;
        let address =
            receiver.recv_timeout(Duration::from_secs(10)).context("the server did not start")??;
        Ok(Self { address, served, _stop: stop })
    }

    /// Requests served so far.
    pub fn served(&self) -> u64 {
        self.served.load(Relaxed)
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

async fn serve(listener: TcpListener, served: &Arc<AtomicU64>, first: &Arc<Notify>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn_local(connection(stream, Arc::clone(served), Arc::clone(first)));
    }
}

async fn connection(mut stream: TcpStream, served: Arc<AtomicU64>, first: Arc<Notify>) {
    let _ = stream.set_nodelay(true); // only affects speed
    let mut buffer = [0; 4096];
    let mut filled = 0;
    loop {
        match stream.read(&mut buffer[filled..]).await {
            Ok(count) if count > 0 => filled += count,
            _ => return,
        }
        // The tools send one request at a time, without a body.
        if buffer[..filled].ends_with(b"\r\n\r\n") {
            filled = 0;
            if served.fetch_add(1, Relaxed) == 0 {
                first.notify_one();
            }
            if stream.write_all(RESPONSE).await.is_err() {
                return;
            }
        } else if filled == buffer.len() {
            return;
        }
    }
}

/// Blocks the server's only thread, so that it neither responds nor accepts.
async fn freeze(first: Arc<Notify>) {
    first.notified().await;
    let begun = tokio::time::Instant::now();
    let mut at = FIRST;
    loop {
        tokio::time::sleep_until(begun + at).await;
        std::thread::sleep((begun + at + FREEZE).saturating_duration_since(tokio::time::Instant::now()));
        at += EVERY;
    }
}
