//! Editing of YAML files in place: the [`tree`] of a document, its [`editor`], how edits are applied ([`finish`]), and the
//! [`report`] of changes. [`rule_groups`] finds the groups of rules in a tree.

pub mod editor;
pub mod finish;
pub mod report;
pub mod rule_groups;
pub mod tree;
