//! Who is calling: the client's address behind proxies, API keys, tokens of monitors, origins of web pages.

pub(crate) mod address;
pub(crate) mod country;
mod host;
pub(crate) mod identify;
mod key_entry;
mod key_file;
mod key_ring;
pub(crate) mod origins;
mod token;

pub use address::{TrustedProxies, client_address};
pub use identify::{RequireKey, Settings};
pub use key_ring::{KeyRing, hash};
pub use origins::Origins;

pub(crate) use host::is_well_named;
pub(crate) use identify::Access;
pub(crate) use token::Token;
