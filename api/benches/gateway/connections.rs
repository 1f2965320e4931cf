//! Idle connections: the memory of one, whether others are served, and whether the limit holds.

use crate::{
    Args,
    machine::Machine,
    server::{Server, Settings},
    spread::{Spread, count},
    table::Table,
};
use anyhow::{Context, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

/// Files that are not available for idle connections: those of the gateway and the load, and the guests below.
const OTHER_FILES: u64 = 1_000;
/// Connections per client address; the system has about 28,000 ports for each.
const PER_ADDRESS: usize = 10_000;
/// Connections being opened at once.
const OPENING: usize = 128;
/// Connections beyond the idle ones, for the clients served meanwhile.
const GUESTS: usize = 64;
/// Requests of these clients.
const REQUESTS: usize = 500;
/// Connections beyond the limit; they fit into the backlog.
const WAITING: usize = 500;
/// How long they are observed while waiting.
const WATCHED: Duration = Duration::from_secs(2);
/// Timeout of every step.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn measure(args: &Args, machine: &Machine, dir: &Path, table: &mut Table) -> anyhow::Result<()> {
    let files = api::file_limit::raise().context("the open file limit")?;
    let idle = args.connections.min(files.saturating_sub(OTHER_FILES)) as usize;
    ensure!(idle > WAITING, "the open file limit of {files} is too low for a measurement");
    let database = dir.join("connections.db");
    let settings = Settings::roomy("", &database);
    let extra = [("MAX_CONNECTIONS", (idle + GUESTS).to_string()), ("KEEP_ALIVE", "1h".to_owned())];
    let server = Server::gateway_with("connections", &settings, &extra, machine, dir).await?;
    server.user().await?;
    let address: SocketAddr = server.base().trim_start_matches("http://").parse()?;

    let alone = requests(address).await?;
    let before = server.resident_bytes()?;
    let mut held = open(address, idle).await?;
    let after = server.resident_bytes()?;
    let each = after.saturating_sub(before) as f64 / idle as f64;
    let wanted = if (idle as u64) < args.connections {
        format!(" (of {}: the open file limit is {})", count(args.connections as f64), count(files as f64))
    } else {
        String::new()
    };
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    table.reference(
        &format!("Memory with {} idle connections{wanted}", count(idle as f64)),
        format!("{:.0} MB, {:.1} kB a connection", megabytes(after), each / 1e3),
    );
    let meanwhile = requests(address).await?;
    table.reference(
        "GET `/api/users/{id}` on a new connection, without and with the idle ones",
        format!("{} ms, {} ms", alone.text(2), meanwhile.text(2)),
    );

    let guests = open(address, GUESTS).await?;
    let mut waiting = stream::iter((0..WAITING).map(|number| async move {
        let mut stream = connect(address, number).await?;
        stream.write_all(PROBE).await?;
        anyhow::Ok(stream)
    }))
    .buffer_unordered(OPENING)
    .try_collect::<Vec<_>>()
    .await?;
    sleep(WATCHED).await;
    let served_early = waiting.iter().filter(|stream| has_response(stream)).count();
    ensure!(served_early == 0, "{served_early} of {WAITING} connections beyond MAX_CONNECTIONS were served");
    let mut took = Vec::new();
    for stream in held.iter_mut().step_by(idle / REQUESTS) {
        let sent = Instant::now();
        fetch(stream).await.context("a connection that was served before")?;
        took.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    let served = Spread::of(took);
    let left = Instant::now();
    held.truncate(idle - WAITING);
    for stream in &mut waiting {
        response(stream).await.context("a connection that waited")?;
    }
    let then = left.elapsed().as_secs_f64() * 1e3;
    table.reference(
        &format!("{WAITING} connections beyond MAX_CONNECTIONS"),
        format!(
            "none served in {WATCHED:?}, others served in {} ms; all served {then:.0} ms after the same number left",
            served.text(2)
        ),
    );
    drop((held, guests, waiting));
    server.stop().await;
    Ok(())
}

const PROBE: &[u8] = b"GET /livez HTTP/1.1\r\nhost: bench\r\n\r\n";
/// The end of its response.
const ALIVE: &[u8] = b"{\"status\":\"alive\"}";

/// Connections that are idle after one request each.
async fn open(address: SocketAddr, connections: usize) -> anyhow::Result<Vec<TcpStream>> {
    let opened = stream::iter((0..connections).map(|number| async move {
        let mut stream = connect(address, number).await?;
        fetch(&mut stream).await?;
        anyhow::Ok(stream)
    }));
    opened.buffer_unordered(OPENING).try_collect().await.context("opening connections")
}

async fn connect(address: SocketAddr, number: usize) -> anyhow::Result<TcpStream> {
    let block = u8::try_from(number / PER_ADDRESS + 1).context("too many connections")?;
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 1, block), 0).into())?;
    Ok(timeout(PATIENCE, socket.connect(address)).await.context("connecting takes too long")??)
}

async fn fetch(stream: &mut TcpStream) -> anyhow::Result<()> {
    stream.write_all(PROBE).await?;
    response(stream).await
}

async fn response(stream: &mut TcpStream) -> anyhow::Result<()> {
    let (mut received, mut part) = (Vec::new(), [0; 1024]);
    while !received.ends_with(ALIVE) {
        let count = timeout(PATIENCE, stream.read(&mut part)).await.context("no response")??;
        ensure!(count > 0, "closed without a response");
        received.extend_from_slice(&part[..count]);
    }
    Ok(())
}

/// Whether data or the end has arrived.
fn has_response(stream: &TcpStream) -> bool {
    !matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Duration of requests for a user in milliseconds, each on a new connection, including connecting.
async fn requests(address: SocketAddr) -> anyhow::Result<Spread> {
    let mut took = Vec::new();
    for _ in 0..REQUESTS {
        let sent = Instant::now();
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /api/users/1 HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n").await?;
        let mut text = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut text)).await.context("no response")??;
        ensure!(text.starts_with("HTTP/1.1 200"), "{text}");
        took.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    Ok(Spread::of(took))
}
