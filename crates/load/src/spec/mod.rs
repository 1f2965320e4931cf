//! The user's input: scenarios, patterns, requests, templates, expectations.

pub mod capture;
pub mod dependencies;
pub mod expect;
pub mod load;
pub mod method;
pub mod patterns;
pub mod request;
pub mod scenario;
pub mod template;
