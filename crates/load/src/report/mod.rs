//! Reports of a run as text, JSON, CSV and HTML. Also reads, merges and compares reports.

pub mod alerts;
pub mod axis;
pub mod comparable;
pub mod csv;
pub mod html;
pub mod make;
pub mod merge;
pub mod model;
pub mod notes;
pub mod output;
pub mod plot;
pub mod point;
pub mod read;
pub mod summary;
