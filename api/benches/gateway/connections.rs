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
    time::timeout,
};

/// Files that are not available for idle connections: those of the gateway and the load, and the guests below.
const OTHER_FILES: u64 = 1_000;
/// Connections per client address; the system has about 28,000 ports for each.
const PER_ADDRESS: usize = 10_000;
/// Connections being opened at once.
const OPENING: usize = 128;
/// Requests of these clients.
const REQUESTS: usize = 500;
/// Connections beyond the limit.
const FURTHER: usize = 500;
/// Timeout of every step.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn measure(args: &Args, machine: &Machine, dir: &Path, table: &mut Table) -> anyhow::Result<()> {
    let files = api::file_limit::raise().context("the open file limit")?;
    let idle = args.connections.min(files.saturating_sub(OTHER_FILES)) as usize;
    ensure!(idle > FURTHER, "the open file limit of {files} is too low for a measurement");
    let database = dir.join("connections.db");
    let settings = Settings::roomy("", &database);
    let most = idle.to_string();
    let extra = ["MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_ADDRESS"].map(|setting| (setting, most.clone()));
    let extra = [&extra[..], &[("KEEP_ALIVE", "1h".to_owned())]].concat();
    let server = Server::gateway_with("connections", &settings, &extra, machine, dir).await?;
    server.user().await?;
    let address: SocketAddr = server.base().trim_start_matches("http://").parse()?;

    let alone = requests(address).await?;
    let before = server.resident_bytes()?;
    let held = open(address, idle).await?;
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

    let mut took = Vec::new();
    let mut further = Vec::new();
    for number in 0..FURTHER {
        let sent = Instant::now();
        let mut stream = connect(address, number).await?;
        fetch(&mut stream).await.context("a connection beyond MAX_CONNECTIONS")?;
        took.push(sent.elapsed().as_secs_f64() * 1e3);
        further.push(stream);
    }
    table.reference(
        &format!("{FURTHER} connections beyond MAX_CONNECTIONS"),
        format!("each served in {} ms; the longest idle ones are closed for them", Spread::of(took).text(2)),
    );
    drop((held, further));
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
