/// Marks a connection that came in over TLS, for the requests on it.
pub(crate) struct Encrypted;
