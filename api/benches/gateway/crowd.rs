//! A crowd: requests of very many addresses over a few connections, as from a trusted proxy.

use anyhow::{Context, ensure};
use std::{
    fmt::Write,
    net::Ipv4Addr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// Connections of the proxy.
const CONNECTIONS: u32 = 16;
/// Requests sent before their responses are read.
const BATCH: u32 = 32;
/// Timeout of one batch.
const PATIENCE: Duration = Duration::from_secs(20);

/// Decisions about the crowd.
#[derive(Debug, Default)]
pub struct Decisions {
    pub admitted: u64,
    pub refused: u64,
    pub seconds: f64,
}

/// Sends one request from each of this number of addresses, from 10.0.0.0 on.
pub async fn send(base: &str, addresses: u32) -> anyhow::Result<Decisions> {
    let (host, started) = (base.trim_start_matches("http://").to_owned(), Instant::now());
    let share = addresses / CONNECTIONS;
    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let first = u32::from(Ipv4Addr::new(10, 0, 0, 0)) + connection * share;
        connections.spawn(one_connection(host.clone(), first, share));
    }
    let mut decisions = Decisions::default();
    while let Some(part) = connections.join_next().await {
        let (admitted, refused) = part??;
        decisions.admitted += admitted;
        decisions.refused += refused;
    }
    decisions.seconds = started.elapsed().as_secs_f64();
    Ok(decisions)
}

async fn one_connection(host: String, first: u32, count: u32) -> anyhow::Result<(u64, u64)> {
    let mut stream = TcpStream::connect(&host).await?;
    let (mut admitted, mut refused) = (0, 0);
    let (mut text, mut responses) = (String::new(), Vec::new());
    for start in (first..first + count).step_by(BATCH as usize) {
        let end = (start + BATCH).min(first + count);
        text.clear();
        for address in start..end {
            let address = Ipv4Addr::from(address);
            // HEAD: a response ends with its head.
            write!(text, "HEAD / HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {address}\r\n\r\n")?;
        }
        let exchange = async {
            stream.write_all(text.as_bytes()).await?;
            responses.clear();
            while heads(&responses).count() < (end - start) as usize {
                ensure!(stream.read_buf(&mut responses).await? > 0, "the gateway closed the connection");
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, exchange).await.context("no response from the gateway")??;
        for head in heads(&responses) {
            match head.get(9..12) {
                Some(b"200") => admitted += 1,
                Some(b"429") => refused += 1,
                _ => anyhow::bail!("unexpected response: {}", String::from_utf8_lossy(head)),
            }
        }
    }
    Ok((admitted, refused))
}

/// The complete heads in these bytes.
fn heads(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = rest.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let (head, after) = rest.split_at(end);
        rest = after;
        Some(head)
    })
}
