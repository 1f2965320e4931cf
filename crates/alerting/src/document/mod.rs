//! YAML files edited in place: the [`tree`] of a document, its [`editor`] and the [`report`] of what was edited.

pub mod editor;
pub mod report;
pub mod tree;
