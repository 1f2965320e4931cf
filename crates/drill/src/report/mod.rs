//! Reports of finished drills as text, JSON, JUnit XML, Markdown and HTML.

pub mod chart;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod table;
pub mod timeline;
