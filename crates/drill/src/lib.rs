//! Drills: cause the real condition, observe the alert from rule to receiver, give a verdict.
//!
//! A drill has phases, each of which takes values and returns one; [`pipeline::run`] shows them in order:
//!
//! 1. [`run::preflight`]: checks that the drill can start and returns what is expected of it: a
//!    [`record::expectation::Expectation`].
//! 2. [`run::baseline`]: sends healthy traffic until rates are steady.
//! 3. [`run::cause`]: records how to undo the cause, then applies it.
//! 4. [`run::observe`]: collects what Prometheus, Alertmanager and the inbox show of the alert:
//!    [`record::observations::Observations`].
//! 5. [`run::lift`]: undoes the cause; the recovery is observed.
//! 6. [`judge::verdict::judge`]: derives a verdict from the [`record::case::Case`], without I/O.
//! 7. [`report`]: writes the cases as text, JSON, JUnit and HTML.
//!
//! Every event is appended to the [`record::log::Log`]; a case is that log, folded. An interrupted drill has the
//! events up to the interrupt. [`session`] runs the drills of a suite, one after the other on each stack.
//!
//! Timestamps of Prometheus, Alertmanager, the inbox and this process are compared as they are: the clocks must
//! agree, which they do on one host. A phase that ends before it begins has no duration: the drill is INCONCLUSIVE
//! and names the two systems.

#![warn(clippy::disallowed_macros)]

pub mod causes;
pub mod context;
pub mod error;
pub mod evidence;
pub mod file;
pub mod judge;
pub mod lease;
pub mod observe;
pub mod pipeline;
pub mod progress;
pub mod record;
pub mod report;
pub mod rule;
pub mod run;
pub mod session;
pub mod timing;
