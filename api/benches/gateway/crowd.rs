//! A crowd: requests from very many addresses over a few connections, as a trusted proxy sends them.

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
/// Requests sent before their answers are read.
const BATCH: u32 = 32;
/// Longest one batch may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the crowd was told.
#[derive(Debug, Default)]
pub struct Told {
    pub admitted: u64,
    pub refused: u64,
    pub seconds: f64,
}

/// Sends one request from each of so many addresses, from 10.0.0.0 on.
pub async fn send(base: &str, addresses: u32) -> anyhow::Result<Told> {
    let (host, started) = (base.trim_start_matches("http://").to_owned(), Instant::now());
    let share = addresses / CONNECTIONS;
    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let first = u32::from(Ipv4Addr::new(10, 0, 0, 0)) + connection * share;
        connections.spawn(one_connection(host.clone(), first, share));
    }
    let mut told = Told::default();
    while let Some(part) = connections.join_next().await {
        let (admitted, refused) = part??;
        told.admitted += admitted;
        told.refused += refused;
    }
    told.seconds = started.elapsed().as_secs_f64();
    Ok(told)
}

async fn one_connection(host: String, first: u32, count: u32) -> anyhow::Result<(u64, u64)> {
    let mut stream = TcpStream::connect(&host).await?;
    let (mut admitted, mut refused) = (0, 0);
    let (mut text, mut answers) = (String::new(), Vec::new());
    for start in (first..first + count).step_by(BATCH as usize) {
        let end = (start + BATCH).min(first + count);
        text.clear();
        for address in start..end {
            let address = Ipv4Addr::from(address);
            // HEAD: an answer ends with its head.
            write!(text, "HEAD / HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {address}\r\n\r\n")?;
        }
        let exchange = async {
            stream.write_all(text.as_bytes()).await?;
            answers.clear();
            while heads(&answers).count() < (end - start) as usize {
                ensure!(stream.read_buf(&mut answers).await? > 0, "the gateway hung up");
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, exchange).await.context("the gateway does not answer")??;
        for head in heads(&answers) {
            match head.get(9..12) {
                Some(b"200") => admitted += 1,
                Some(b"429") => refused += 1,
                _ => anyhow::bail!("an answer of {}", String::from_utf8_lossy(head)),
            }
        }
    }
    Ok((admitted, refused))
}

/// The whole heads in these bytes.
fn heads(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = rest.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let (head, after) = rest.split_at(end);
        rest = after;
        Some(head)
    })
}
