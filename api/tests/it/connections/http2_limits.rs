//! Misbehaving clients of HTTP/2.

use crate::{
    connections::{
        http2::{Client, request, text},
        tls,
    },
    helpers::PATIENCE,
};
use actix_web::web::Bytes;
use h2::{Reason, client::Builder};
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

async fn connect(https: &tls::Https, builder: &Builder) -> Client {
    let stream = https.connect(&["h2"], "localhost").await.unwrap();
    let (client, connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A frame of stream 1.
fn headers(block: &[u8]) -> Vec<u8> {
    const END_STREAM_AND_HEADERS: u8 = 5;
    let length = u32::try_from(block.len()).unwrap().to_be_bytes();
    [&length[1..], &[1, END_STREAM_AND_HEADERS, 0, 0, 0, 1], block].concat()
}

/// The first header frame of a response.
async fn response_head(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == 1 {
            return payload;
        }
    }
}

#[tokio::test]
async fn header_lists_are_bounded_as_decoded() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    /// `:status` 200 of the static table, and a literal `:status` (RFC 7541, appendix A).
    const OK: u8 = 0x88;
    const OTHER_STATUS: u8 = 0x48;
    let https = tls::spawn().await;
    // GET https://localhost/, a field of 3000 bytes that enters the table of fields, and that field again and again: a byte
    // each.
    let mut block = b"\x82\x87\x84\x01\x09localhost\x40\x08x-filler\x7f\xb9\x16".to_vec();
    block.extend([b'z'; 3000]);
    for (again, first) in [(5, OK), (100, OTHER_STATUS)] {
        let mut stream = https.connect(&["h2"], "localhost").await.unwrap();
        let block = [&block[..], &vec![0xbe; again]].concat();
        stream.write_all(&[PREFACE, &headers(&block)].concat()).await.unwrap();
        let head = timeout(PATIENCE, response_head(&mut stream)).await.unwrap();
        assert_eq!(head[0], first, "{} KB: {head:x?}", 3 + 3 * again);
    }
    // Without compression the connection ends before it has taken that much.
    let client = connect(&https, &Builder::new()).await;
    let mut long = request("/livez");
    long.headers_mut().insert("x-filler", "y".repeat(400_000).parse().unwrap());
    let (response, _) = client.clone().send_request(long, true).unwrap();
    let ended = timeout(PATIENCE, response).await.unwrap().unwrap_err();
    assert_eq!(ended.reason(), Some(Reason::ENHANCE_YOUR_CALM), "{ended}");
}

#[tokio::test]
async fn a_response_that_the_client_does_not_take_ends() {
    let https = tls::spawn_https(&["--write-timeout", "1s"]).await;
    let mut builder = Builder::new();
    builder.initial_window_size(0);
    let client = connect(&https, &builder).await;
    let (response, _) = client.clone().send_request(request("/metrics"), true).unwrap();
    let mut body = timeout(PATIENCE, response).await.unwrap().unwrap().into_body();
    let ended = timeout(PATIENCE, body.data()).await.expect("the stream ends").unwrap().unwrap_err();
    assert_eq!(ended.reason(), Some(Reason::CANCEL));

    // A client that takes some now and then gets everything, however long that takes.
    let mut builder = Builder::new();
    builder.initial_window_size(16_384);
    let client = connect(&https, &builder).await;
    let (response, _) = client.clone().send_request(request("/metrics"), true).unwrap();
    let response = timeout(PATIENCE, response).await.unwrap().unwrap();
    let length: usize = response.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert!(length > 3 * 16_384, "{length}");
    let mut body = response.into_body();
    let mut taken = 0;
    while let Some(chunk) = timeout(PATIENCE, body.data()).await.unwrap() {
        let chunk = chunk.unwrap();
        taken += chunk.len();
        if taken % 16_384 == 0 {
            sleep(Duration::from_millis(500)).await;
        }
        let _ = body.flow_control().release_capacity(chunk.len());
    }
    assert_eq!(taken, length);
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let https = tls::spawn_https(&["--keep-alive", "1s"]).await;
    let stream = https.connect(&["h2"], "localhost").await.unwrap();
    let (client, connection) = Builder::new().handshake::<_, Bytes>(stream).await.unwrap();
    let driver = tokio::spawn(connection);
    // Longer than it may be idle.
    assert!(text(&client, "/slow?delay=2s").await.contains("delay"));
    let _ = timeout(PATIENCE, driver).await.expect("closed in time");
}
