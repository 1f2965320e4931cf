//! `GET /notifications`: `{"started": …, "last": …, "first": …, "notifications": […]}`, streamed so that the history is not
//! in memory twice.

use std::convert::Infallible;

use actix_web::body::SizedStream;
use actix_web::web::Bytes;
use futures_util::stream;
use jiff::Timestamp;

use crate::store::history::Entry;

/// Approximate size of a chunk, in bytes.
const CHUNK: usize = 64 * 1024;

/// The response. It shares the notifications with the history and keeps them until it is sent, even if the history
/// drops them.
#[derive(Debug)]
pub struct Listing {
    head: String,
    entries: Vec<Bytes>,
}

const TAIL: &[u8] = b"]}";

impl Listing {
    /// `started` is when the inbox was started: without a journal its IDs begin at 1 each time. `last` is the newest ID ever
    /// assigned, `first` the oldest ID in the history, 0 if it is empty.
    pub fn new<'a>(
        started: Timestamp,
        (first, last): (u64, u64),
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Self {
        let head =
            format!("{{\"started\":\"{started}\",\"last\":{last},\"first\":{first},\"notifications\":[");
        Self { head, entries: entries.map(|entry| entry.json.clone()).collect() }
    }

    fn len(&self) -> usize {
        let commas = self.entries.len().saturating_sub(1);
        self.head.len() + self.entries.iter().map(Bytes::len).sum::<usize>() + commas + TAIL.len()
    }

    /// The text in chunks.
    fn chunks(self) -> impl Iterator<Item = Vec<u8>> {
        let mut entries = self.entries.into_iter().peekable();
        let mut begun = Some(self.head.into_bytes());
        let mut ended = false;
        std::iter::from_fn(move || {
            if ended {
                return None;
            }
            let mut chunk = begun.take().unwrap_or_default();
            while chunk.len() < CHUNK {
                let Some(entry) = entries.next() else {
                    chunk.extend_from_slice(TAIL);
                    ended = true;
                    break;
                };
                chunk.extend_from_slice(&entry);
                if entries.peek().is_some() {
                    chunk.push(b',');
                }
            }
            Some(chunk)
        })
    }

    /// The response body.
    pub fn body(self) -> SizedStream<impl stream::Stream<Item = Result<Bytes, Infallible>>> {
        SizedStream::new(self.len() as u64, stream::iter(self.chunks().map(|chunk| Ok(chunk.into()))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn chunks_add_up_to_the_announced_length() {
        for (count, length) in [(0, 1), (1, 10), (3, 10), (7, CHUNK), (2_000, 100)] {
            let text = "x".repeat(length);
            let entry = |id| Entry { id, json: json!({"id": id, "text": text}).to_string().into() };
            let entries: Vec<Entry> = (1..=count).map(entry).collect();
            let listing = Listing::new(Timestamp::UNIX_EPOCH, (1, count), entries.iter());
            let announced = listing.len();
            let chunks: Vec<Vec<u8>> = listing.chunks().collect();
            assert!(chunks.iter().all(|chunk| chunk.len() <= 2 * CHUNK + 100), "{count} of {length}");
            let text = chunks.concat();
            assert_eq!(text.len(), announced, "{count} of {length}");
            let read: Value = serde_json::from_slice(&text).unwrap();
            assert_eq!((&read["last"], &read["first"]), (&json!(count), &json!(1)));
            let ids: Vec<u64> = read["notifications"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["id"].as_u64().unwrap())
                .collect();
            assert_eq!(ids, (1..=count).collect::<Vec<_>>());
        }
    }
}
