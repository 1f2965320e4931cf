//! The scheme and client address in spans.

use crate::{
    connections::tls,
    process::running::Running,
    traces::spans::{attribute, collector, spans, text},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn origins(
    api: Running,
    batches: &crate::traces::spans::Batches,
) -> Vec<(Option<crate::traces::spans::Any>, Option<crate::traces::spans::Any>)> {
    let spans = spans(api, batches).await;
    spans.iter().map(|span| (attribute(span, "url.scheme"), attribute(span, "client.address"))).collect()
}

#[tokio::test]
async fn only_a_trusted_proxy_names_the_client() {
    for (trusted, expected) in [
        ("127.0.0.0/8", [("http", "127.0.0.1"), ("https", "198.51.100.7"), ("https", "198.51.100.8")]),
        ("10.0.0.0/8", [("http", "127.0.0.1"); 3]),
    ] {
        let (address, batches) = collector();
        let flags = ["--drain-delay", "0s", "--otlp-endpoint", &address, "--otel-service-name", "shop"];
        let api = Running::start(&[&flags[..], &["--trusted-proxies", trusted]].concat());
        for (client, scheme) in
            [("", ""), ("198.51.100.7", "https"), ("6.6.6.6, 198.51.100.8", "http, https")]
        {
            let mut request = api.client.get(format!("{}/livez", api.base));
            if !client.is_empty() {
                request = request.header("x-forwarded-for", client).header("x-forwarded-proto", scheme);
            }
            assert_eq!(request.send().await.unwrap().status(), 200);
        }
        let expected = expected.map(|(scheme, client)| (text(scheme), text(client)));
        assert_eq!(origins(api, &batches).await, expected, "{trusted}");
    }
}

#[tokio::test]
async fn over_tls_the_scheme_is_https() {
    let dir = tempfile::tempdir().unwrap();
    tls::certify(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (address, batches) = collector();
    let flags = ["--drain-delay", "0s", "--otlp-endpoint", &address, "--otel-service-name", "shop"];
    let keys = ["--tls-cert", &file("cert.pem"), "--tls-key", &file("key.pem")];
    let api = Running::start(&[&flags[..], &keys].concat());
    let public = api.public_address().to_string();
    let mut stream = tls::connect(&public, dir.path(), &[], "localhost").await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert_eq!(origins(api, &batches).await, [(text("https"), text("127.0.0.1"))]);
}
