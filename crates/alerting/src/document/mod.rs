//! YAML files edited in place: the [`tree`] of a document, its [`editor`], how it comes to its [`finish`], and the [`report`] of what was
//! edited. [`rule_groups`] finds the groups of rules in a tree.

pub mod editor;
pub mod finish;
pub mod report;
pub mod rule_groups;
pub mod tree;
