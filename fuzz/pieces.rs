// Feeds a response to its parser like a connection: in pieces, where bytes that were not consumed are passed again.
// Shared by the fuzz target and the conformity tests.

use load::wire::error::Fault;
use load::wire::response::{MAX_HEAD, Response};

/// The result of parsing: the status, whether the connection can be reused, the stored part of the body, and the number
/// of unconsumed bytes after its end.
pub type Read = Result<(u16, bool, Vec<u8>, usize), Fault>;

/// Parses `bytes` in pieces of these lengths, where the last length repeats; then the peer closes.
pub fn read(bytes: &[u8], lengths: &[usize], to_head: bool) -> Read {
    let mut response = Response::new(to_head).keeping();
    let (mut from, mut to) = (0, 0);
    let mut lengths = lengths.iter().chain(std::iter::repeat(lengths.last().unwrap_or(&usize::MAX)));
    while !response.is_complete() {
        if to == bytes.len() {
            response.closed()?;
            break;
        }
        // The buffer of a connection holds at most the longest head.
        let room = MAX_HEAD - (to - from);
        let length = (*lengths.next().unwrap_or(&usize::MAX)).clamp(1, room);
        to = to.saturating_add(length).min(bytes.len());
        let taken = response.take(&bytes[from..to])?;
        assert!(taken <= to - from, "it takes what there is");
        from += taken;
        if !response.is_complete() && to - from == MAX_HEAD {
            return Err(Fault::TooLarge);
        }
    }
    let kept = response.kept().map(|kept| kept.body.clone()).unwrap_or_default();
    // How many bytes after the response were read depends on the pieces; the end of the response does not.
    Ok((response.status(), response.keep_alive(), kept, bytes.len() - from))
}
