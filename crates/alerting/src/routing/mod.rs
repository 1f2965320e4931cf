//! Where Alertmanager sends an alert: the routing [`tree`], its [`matcher`]s, and what mutes a route ([`time_interval`],
//! [`silence`]).

pub mod error;
pub mod matcher;
pub mod silence;
pub mod time_interval;
pub mod tree;
