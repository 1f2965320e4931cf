//! The load engine, in the order data flows: plan → schedule → send → record → report.
//!
//! [`spec`], [`scenario`], [`patterns`] and [`cli`] say what is wanted, with values that differ from request to request
//! ([`template`], [`capture`]); [`plan`] holds it checked and prepared. [`schedule`] with its [`segment`]s, [`arrivals`] and
//! [`mix`] are pure: when each request is due, and which one it is. [`engine`] runs one [`worker`] a thread, which sends
//! through [`connection`]s over a [`transport`] and reads [`answer`]s. [`tally`] and [`record`] keep what happened in
//! bounded memory; [`report`], [`threshold`], [`verdict`], [`merge`], [`summary`], [`html`] and [`csv`] work on the finished
//! record alone.

pub mod capture;
pub mod scenario;
pub mod spec;
pub mod template;

pub mod expect;
pub mod pace;
pub mod patterns;
pub mod plan;
pub mod request;
mod suppliers;
pub mod target;
pub mod tls;

pub mod arrivals;
pub mod dice;
pub mod mix;
pub mod picture;
pub mod schedule;
pub mod segment;

pub mod answer;
pub mod body;
pub mod connection;
pub mod engine;
pub mod fault;
mod line;
pub mod timer;
pub mod transport;
pub mod watchdog;
mod worker;

pub mod collect;
pub mod record;
pub mod series;
pub mod tally;
pub mod window;

pub mod alerts;
pub mod axis;
pub mod csv;
pub mod distribution;
pub mod exposition;
pub mod html;
pub mod human;
pub mod live;
pub mod merge;
pub mod overload;
pub mod plot;
pub mod point;
pub mod reader;
pub mod remarks;
pub mod report;
pub mod summary;
pub mod threshold;
pub mod together;
pub mod verdict;

mod arguments;
pub mod cli;
mod command;
mod descriptors;
pub mod listing;
mod outfile;
pub mod review;
mod watcher;
