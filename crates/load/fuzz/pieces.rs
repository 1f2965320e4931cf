// Feeds an answer to its parser as a connection does: piece by piece, what was not taken again with more behind it.
// Shared by the fuzz target and the conformity tests.

use load::wire::error::Fault;
use load::wire::response::{Answer, MAX_HEAD};

/// What became of an answer: its status, whether the connection may go on, what was kept of its body, and how many bytes
/// behind its end were not taken.
pub type Read = Result<(u16, bool, Vec<u8>, usize), Fault>;

/// Reads `bytes` in pieces of these lengths, the last one again and again; then the peer closes.
pub fn read(bytes: &[u8], lengths: &[usize], to_head: bool) -> Read {
    let mut answer = Answer::new(to_head).keeping();
    let (mut from, mut to) = (0, 0);
    let mut lengths = lengths.iter().chain(std::iter::repeat(lengths.last().unwrap_or(&usize::MAX)));
    while !answer.is_complete() {
        if to == bytes.len() {
            answer.closed()?;
            break;
        }
        // A connection's buffer holds no more than the longest head.
        let room = MAX_HEAD - (to - from);
        let length = (*lengths.next().unwrap_or(&usize::MAX)).clamp(1, room);
        to = to.saturating_add(length).min(bytes.len());
        let taken = answer.take(&bytes[from..to])?;
        assert!(taken <= to - from, "it takes what there is");
        from += taken;
        if !answer.is_complete() && to - from == MAX_HEAD {
            return Err(Fault::TooLarge);
        }
    }
    let kept = answer.kept().map(|kept| kept.body.clone()).unwrap_or_default();
    // How much of what comes behind was read already depends on the pieces; where the answer ends does not.
    Ok((answer.status(), answer.keep_alive(), kept, bytes.len() - from))
}
