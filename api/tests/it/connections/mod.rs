//! Limits on connections, in every protocol.

pub mod any_bytes;
#[cfg(target_os = "linux")]
pub mod crowd;
#[cfg(target_os = "linux")]
pub mod hostile;
pub mod http2;
pub mod http2_limits;
pub mod limits;
pub mod saturation;
pub mod tls;
