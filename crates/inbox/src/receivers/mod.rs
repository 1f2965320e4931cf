//! The channels of notifications: each validates a body as the real service does, and responds as it would.

mod blocks;
pub mod channel;
pub mod discord;
pub mod heading;
pub mod mail;
pub mod message;
pub mod pagerduty;
pub mod slack;
pub mod smtp;
pub mod webhook;
