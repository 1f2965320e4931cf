//! Drills: cause the real condition, watch the whole chain, give a verdict.
//!
//! A drill goes through phases, each of which takes values and gives one; [`pipeline::run`] shows them in order:
//!
//! 1. [`run::preflight`]: whether it can begin, and what is then expected: a [`record::expectation::Expectation`].
//! 2. [`run::baseline`]: healthy traffic until it is steady.
//! 3. [`run::cause`]: the cause is applied, and promised to be undone.
//! 4. [`run::observe`]: what the witnesses show of the alert: [`record::observations::Observations`].
//! 5. [`run::lift`]: the cause is undone, and the recovery observed.
//! 6. [`judge::verdict::judge`]: from the [`record::case::Case`] to a verdict; no I/O.
//! 7. [`report`]: the cases as text, JSON, JUnit and HTML.
//!
//! Whatever happens is appended to the [`record::log::Log`]; a case is that log, folded. An interrupted drill is the
//! log so far. [`session`] goes through the drills of a suite, stack by stack.
//!
//! All instants are compared as they are written down by Prometheus, Alertmanager, the inbox and this process:
//! the clocks must agree, which they do on one host. A phase that ends before it begins has no duration: the drill is
//! INCONCLUSIVE and names both witnesses.

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
