//! Where Alertmanager sends an alert: the routing [`tree`], its [`matcher`]s, and what mutes a route ([`time_interval`],
//! [`silence`]).

pub mod decision;
pub mod error;
mod inhibition;
pub mod labels;
pub mod matcher;
pub mod silence;
pub mod time_interval;
pub mod tree;
