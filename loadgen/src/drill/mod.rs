//! Drills: cause the real condition, watch the whole chain, give a verdict.
//!
//! In the order data flows: [`file`] and [`suite`] say what to prove, [`subject`] and [`routes`] what the running
//! systems say about it, [`bounds`] how long each phase may take. [`course`] goes through [`preflight`],
//! [`baseline`] and [`causes`] and lets [`watch`] collect the evidence into a [`record`]; [`diagnose`] and
//! [`verdict`] judge it; [`table`], [`json`] and [`html`] tell.
//!
//! All instants are compared as they are written down by Prometheus, Alertmanager, the inbox and this process:
//! the clocks must agree, which they do on one host. A phase that comes out negative is not hidden; it makes the
//! drill UNDECIDED.

pub mod clock;
pub mod file;
pub mod objective;
pub mod suite;

pub mod matcher;
pub mod muting;
pub mod reads;
pub mod routes;
pub mod silences;
pub mod subject;
pub mod twins;

pub mod bounds;

pub mod absence;
pub mod activation;
pub mod applied;
pub mod baseline;
pub mod bystanders;
pub mod causes;
pub mod counted;
pub mod course;
pub mod deliverable;
pub mod delivery;
pub mod evidence;
pub mod gaps;
pub mod inhibition;
pub mod mingled;
pub mod naming;
pub mod near;
pub mod phases;
pub mod preflight;
pub mod quiet;
pub mod record;
pub mod surprises;
pub mod traffic;
pub mod watch;

pub mod diagnose;
pub mod verdict;

pub mod board;
pub mod chart;
pub mod html;
pub mod json;
pub mod junit;
pub mod progress;
pub mod table;
pub mod timeline;

pub mod cli;
pub mod outcome;
pub mod session;
pub mod signals;
pub mod stacks;
