//! Where notifications go: the inbox, but for the channels that a person has set up.
//!
//! `alertmanager.yml` is shipped with every channel leading to the inbox and its secrets as files in /run/secrets.
//! [`Settings`] reads what is set up, `render` leads those channels outside, [`files`] writes the result with the
//! secrets beside it. Local processes and containers get theirs from here alike.

mod error;
pub mod files;
mod render;
mod settings;

pub use crate::channels::error::ChannelsError;
pub use crate::channels::render::Inbox;
pub use crate::channels::settings::{Mail, Settings, Sources};
