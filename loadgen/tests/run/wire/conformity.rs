//! HTTP/1.1 conformity (RFC 9112): valid responses are parsed, invalid ones have a fault, however the bytes are split.

#[path = "../../../../fuzz/pieces.rs"]
mod pieces;

use load::wire::error::Fault;
use load::wire::response::MAX_HEAD;
use pieces::{Read, read};
use proptest::prelude::*;

/// Responses and the expected result, to a GET or, with `true`, to a HEAD.
fn responses() -> Vec<(Vec<u8>, bool, Read)> {
    let whole = |text: &str, status, keep_alive, body: &str| {
        (text.as_bytes().to_vec(), false, Ok((status, keep_alive, body.as_bytes().to_vec(), 0)))
    };
    let bad = |text: &str, fault| (text.as_bytes().to_vec(), false, Err(fault));
    let line = |count: usize| "A: b\r\n".repeat(count);
    vec![
        whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, true, "hello"),
        whole("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, true, ""),
        whole("HTTP/1.1 200 OK\r\nContent-Length:5\r\nContent-Length: 5\r\n\r\nhello", 200, true, "hello"),
        whole("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, true, "hi"),
        // RFC 9112: a folded line is joined with spaces (5.2), equal lengths count as one (6.3), and whitespace before
        // a colon is removed, as by a proxy (5.1).
        whole("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok", 200, true, "ok"),
        whole("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", 200, true, "ok"),
        whole("HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", 200, true, "ok"),
        // Chunks, with extensions, trailers, upper and lower case, leading zeros.
        whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, true, ""),
        whole(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=\"b\";c\r\nhello\r\n00A\r\n0123456789\r\n0\r\nX: y\r\nZ: \r\n\r\n",
            200,
            true,
            "hello0123456789",
        ),
        whole(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            200,
            true,
            "x",
        ),
        // Both framings may be request smuggling: the response is read and the connection closed.
        whole(
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            200,
            false,
            "x",
        ),
        // Interim responses before the final one.
        whole(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx",
            404,
            true,
            "x",
        ),
        // No body, whatever the header says.
        whole("HTTP/1.1 204 No Content\r\n\r\n", 204, true, ""),
        whole("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, true, ""),
        whole("HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n", 304, true, ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n".to_vec(), true, Ok((200, true, vec![], 0))),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), true, Ok((200, true, vec![], 0))),
        // The body ends with the connection.
        whole("HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, false, "until the end"),
        whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nuntil the end", 200, false, "until the end"),
        whole("HTTP/1.0 200 OK\r\n\r\nold", 200, false, "old"),
        whole("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", 200, false, "old"),
        whole("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 3\r\n\r\nold", 200, true, "old"),
        whole("HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 3\r\n\r\nbye", 200, false, "bye"),
        // The maximum number of headers.
        whole(&format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", line(127)), 200, true, ""),
        whole(
            &format!("HTTP/1.1 200 OK\r\nA: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(MAX_HEAD - 60)),
            200,
            true,
            "",
        ),
        bad(&format!("HTTP/1.1 200 OK\r\n{}\r\n", line(129)), Fault::TooLarge),
        bad(&format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "x".repeat(MAX_HEAD)), Fault::TooLarge),
        bad(&format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(3 * MAX_HEAD)), Fault::TooLarge),
        bad("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", Fault::TooLarge),
        bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", Fault::TooLarge),
        bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000001\r\nx", Fault::TooLarge),
        // Truncated.
        bad("", Fault::Closed),
        bad("HTT", Fault::Closed),
        bad("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", Fault::Closed),
        bad("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", Fault::Closed),
        bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", Fault::Closed),
        bad("HTTP/1.1 100 Continue\r\n\r\n", Fault::Closed),
        // No HTTP response.
        bad("SSH-2.0-OpenSSH_9.2p1\r\n", Fault::Malformed),
        bad("220 mail.example ESMTP\r\n", Fault::Malformed),
        bad("<html>", Fault::Malformed),
        bad("\u{0}\u{0}\u{0}", Fault::Malformed),
        bad("HTTP/2 200 OK\r\n\r\n", Fault::Malformed),
        bad("HTTP/1.1 20 OK\r\n\r\n", Fault::Malformed),
        bad("HTTP/1.1 099 Low\r\n\r\n", Fault::Malformed),
        bad("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", Fault::Malformed),
        bad("HTTP/1.1 200 OK\r\nNo colon\r\n\r\n", Fault::Malformed),
        bad("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", Fault::Malformed),
        bad("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello", Fault::Malformed),
        bad("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", Fault::Malformed),
        bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello", Fault::Malformed),
        bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n", Fault::Malformed),
        bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n", Fault::Malformed),
    ]
}

#[test]
fn parses_responses_split_at_every_byte() {
    for (bytes, to_head, expected) in responses() {
        let shown = bytes[..bytes.len().min(80)].escape_ascii().to_string();
        assert_eq!(read(&bytes, &[usize::MAX], to_head), expected, "{shown} whole");
        // Long ones are split in larger pieces, as an incomplete head is parsed again with each piece.
        let step = if bytes.len() > 2_000 { 61 } else { 1 };
        assert_eq!(read(&bytes, &[step], to_head), expected, "{shown} byte by byte");
        // Long ones are split at every byte near their ends only.
        let cuts = (0..bytes.len().min(400)).chain(bytes.len().saturating_sub(100)..bytes.len());
        for cut in cuts {
            assert_eq!(read(&bytes, &[cut.max(1), usize::MAX], to_head), expected, "{shown} cut at {cut}");
        }
    }
}

#[test]
fn leaves_bytes_after_a_response() {
    for (mut bytes, to_head, expected) in responses() {
        let Ok((status, keep_alive, body, _)) = expected else { continue };
        if !keep_alive
            && (body == b"until the end"
                || body == b"old" && !bytes.windows(7).any(|part| part == b"Content"))
        {
            continue; // ends only with the connection
        }
        let behind = b"HTTP/1.1 500 Next\r\n\r\n";
        bytes.extend_from_slice(behind);
        for cut in [1, 7, usize::MAX] {
            assert_eq!(read(&bytes, &[cut], to_head), Ok((status, keep_alive, body.clone(), behind.len())));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Damaged responses give the same result however they are split, and never a panic.
    #[test]
    fn damaged_responses_do_not_panic(
        which in 0..responses().len(),
        lengths in prop::collection::vec(1_usize..40, 1..12),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let (mut bytes, to_head, _) = responses().swap_remove(which);
        bytes.truncate(2_000);
        if !bytes.is_empty() {
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        prop_assert_eq!(read(&bytes, &lengths, to_head), read(&bytes, &[usize::MAX], to_head));
    }
}
