//! More clients than the limit: served clients go on, the others wait for their turn.

use crate::{
    helpers::{PATIENCE, eventually},
    process::running::Running,
};
use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinSet,
    time::timeout,
};

/// Maximum number of descriptors that a gateway has open besides its connections.
const OTHER_FILES: usize = 256;

/// The next step of the clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Send one request and stay idle.
    Idle,
    /// Send another request and stay.
    AskAgain,
    /// Leave, or send one request and leave.
    Leave,
}

/// Clients, each on a separate connection.
struct Crowd {
    act: watch::Sender<Act>,
    responses: Arc<AtomicUsize>,
    responses_again: Arc<AtomicUsize>,
    clients: JoinSet<()>,
}

async fn fetch(stream: &mut TcpStream) {
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let (mut received, mut part) = (Vec::new(), [0; 1024]);
    while !received.ends_with(b"{\"status\":\"alive\"}") {
        let count = stream.read(&mut part).await.unwrap();
        assert!(count > 0, "closed without a response");
        received.extend_from_slice(&part[..count]);
    }
}

impl Crowd {
    fn of(size: usize, address: SocketAddr) -> Self {
        api::file_limit::raise();
        let (act, _) = watch::channel(Act::Idle);
        let (responses, responses_again) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut clients = JoinSet::new();
        for _ in 0..size {
            let (mut act, responses, again) = (act.subscribe(), responses.clone(), responses_again.clone());
            clients.spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                fetch(&mut stream).await;
                responses.fetch_add(1, Ordering::SeqCst);
                let next = *act.wait_for(|act| *act != Act::Idle).await.unwrap();
                if next == Act::AskAgain {
                    fetch(&mut stream).await;
                    again.fetch_add(1, Ordering::SeqCst);
                    act.wait_for(|act| *act == Act::Leave).await.unwrap();
                }
            });
        }
        Self { act, responses, responses_again, clients }
    }

    fn responses(&self) -> usize {
        self.responses.load(Ordering::SeqCst)
    }

    async fn becomes_served(&self, served: usize) {
        eventually(&format!("{served} are served"), || async { self.responses() == served }).await;
    }

    /// The served clients send another request. No other client is served meanwhile.
    async fn served_ones_go_on(&self, served: usize) {
        self.act.send(Act::AskAgain).unwrap();
        eventually("they get another response", || async {
            self.responses_again.load(Ordering::SeqCst) == served
        })
        .await;
        assert_eq!(self.responses(), served, "no client beyond the limit is served");
    }

    /// Every client leaves once it has been served, so that all are served in the end.
    async fn all_are_served_in_turn(mut self, size: usize) {
        self.act.send(Act::Leave).unwrap();
        let all = async {
            while let Some(client) = self.clients.join_next().await {
                client.unwrap();
            }
        };
        timeout(PATIENCE * 3, all).await.expect("all get their turn");
        assert_eq!(self.responses(), size);
    }
}

fn open_files(api: &Running) -> usize {
    fs::read_dir(format!("/proc/{}/fd", api.pid())).unwrap().count()
}

/// In bytes.
fn resident(api: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", api.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_beyond_max_connections_wait_and_use_no_memory() {
    const SERVED: usize = 200;
    const CLIENTS: usize = 1_000;
    let api = Running::start(&["--max-connections", "200", "--keep-alive", "10m"]);
    assert_eq!(api.admin_status("/readyz").await, Some(200));
    let before = resident(&api);
    let crowd = Crowd::of(CLIENTS, api.public_address());
    crowd.becomes_served(SERVED).await;
    crowd.served_ones_go_on(SERVED).await;
    assert!(open_files(&api) <= SERVED + OTHER_FILES, "{}", open_files(&api));
    // Twenty times the memory of a connection, and a tenth of what a leak would leave.
    let grown = resident(&api).saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for {SERVED} connections");
    assert_eq!(api.admin_status("/metrics").await, Some(200), "the admin listener has its own limit");
    crowd.all_are_served_in_turn(CLIENTS).await;
    assert_eq!(api.status("/api/users").await, Some(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_low_limit_of_open_files_leaves_room_for_everything_else() {
    const FILES: usize = 600;
    const CLIENTS: usize = 700;
    let api = Running::start_with_files(FILES, &["--keep-alive", "10m"]);
    let crowd = Crowd::of(CLIENTS, api.public_address());
    // MAX_CONNECTIONS is 20,000, and every one of them needs a file.
    let served = FILES - OTHER_FILES;
    crowd.becomes_served(served).await;
    crowd.served_ones_go_on(served).await;
    assert!(open_files(&api) < FILES);
    for path in ["/metrics", "/readyz"] {
        assert_eq!(api.admin_status(path).await, Some(200), "{path}");
    }
    crowd.all_are_served_in_turn(CLIENTS).await;
    assert_eq!(api.status("/api/users").await, Some(200), "the database always had descriptors");
}
