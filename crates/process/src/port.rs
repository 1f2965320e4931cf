//! Free ports for servers that must know their port in advance.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::Mutex;

use crate::Error;

/// A free port, handed out only once in this process. It is below the range of outgoing connections, so that none of
/// them can take it before the server binds it.
///
/// # Errors
/// [`Error::NoFreePort`] after a thousand attempts.
pub fn free() -> Result<u16, Error> {
    static HANDED_OUT: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    // Processes start at different ports, because the keys of the hasher are random.
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
