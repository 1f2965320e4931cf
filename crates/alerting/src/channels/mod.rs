//! Channels of notifications: the inbox, except for channels that the user has set up.
//!
//! In the shipped `alertmanager.yml` every channel sends to the inbox, and its secrets are files in /run/secrets. [`Settings`]
//! reads which channels are set up, `render` routes those to the real services, and [`files`] writes the result with its
//! secrets. Local processes and containers both use this.

mod error;
pub mod files;
mod render;
mod settings;

pub use crate::channels::error::ChannelsError;
pub use crate::channels::render::Inbox;
pub use crate::channels::settings::{Mail, Settings, Sources};
