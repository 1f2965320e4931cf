//! `GET /notifications`: `{"started": …, "last": …, "first": …, "notifications": […]}`, sent piece by piece as the client takes it, so
//! that a history is not in memory twice.

use std::convert::Infallible;

use actix_web::body::SizedStream;
use actix_web::web::Bytes;
use futures_util::stream;
use jiff::Timestamp;

use crate::store::history::Entry;

/// Bytes of a piece, about.
const PIECE: usize = 64 * 1024;

/// The answer. It shares the notifications with the history, and keeps those that go there meanwhile until it is sent.
#[derive(Debug)]
pub struct Listing {
    head: String,
    entries: Vec<Bytes>,
}

const TAIL: &[u8] = b"]}";

impl Listing {
    /// `started` is when the inbox was started: ids of one that keeps nothing begin at 1 each time. `last` is the newest id
    /// ever given, `first` the oldest id that is kept, 0 when none is.
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

    /// The text, in pieces.
    fn pieces(self) -> impl Iterator<Item = Vec<u8>> {
        let mut entries = self.entries.into_iter().peekable();
        let mut begun = Some(self.head.into_bytes());
        let mut ended = false;
        std::iter::from_fn(move || {
            if ended {
                return None;
            }
            let mut piece = begun.take().unwrap_or_default();
            while piece.len() < PIECE {
                let Some(entry) = entries.next() else {
                    piece.extend_from_slice(TAIL);
                    ended = true;
                    break;
                };
                piece.extend_from_slice(&entry);
                if entries.peek().is_some() {
                    piece.push(b',');
                }
            }
            Some(piece)
        })
    }

    /// As the body of an answer.
    pub fn body(self) -> SizedStream<impl stream::Stream<Item = Result<Bytes, Infallible>>> {
        SizedStream::new(self.len() as u64, stream::iter(self.pieces().map(|piece| Ok(piece.into()))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_pieces_are_the_whole_and_as_long_as_said() {
        for (count, length) in [(0, 1), (1, 10), (3, 10), (7, PIECE), (2_000, 100)] {
            let text = "x".repeat(length);
            let entry = |id| Entry { id, json: json!({"id": id, "text": text}).to_string().into() };
            let entries: Vec<Entry> = (1..=count).map(entry).collect();
            let listing = Listing::new(Timestamp::UNIX_EPOCH, (1, count), entries.iter());
            let said = listing.len();
            let pieces: Vec<Vec<u8>> = listing.pieces().collect();
            assert!(pieces.iter().all(|piece| piece.len() <= 2 * PIECE + 100), "{count} of {length}");
            let whole = pieces.concat();
            assert_eq!(whole.len(), said, "{count} of {length}");
            let read: Value = serde_json::from_slice(&whole).unwrap();
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
