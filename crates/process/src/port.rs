//! Free ports for servers that must say beforehand where they will listen.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::Mutex;

use crate::Error;

/// A free port, handed out once in this process, below the range the system gives to outgoing connections, so that
/// none of those takes it between now and the server's own bind.
///
/// # Errors
/// [`Error::NoFreePort`] when none is found in a thousand tries.
pub fn free() -> Result<u16, Error> {
    static HANDED_OUT: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    // Different processes start at different places: the hasher's keys are random for each.
    let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
    for step in 0..1_000_u64 {
        let port = 20_000 + u16::try_from(seed.wrapping_add(step * 7) % 12_000).unwrap_or(0);
        let mut handed_out = HANDED_OUT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if handed_out.get_or_insert_default().insert(port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::NoFreePort)
}
