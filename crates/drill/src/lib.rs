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

pub mod causes;
pub mod context;
pub mod error;
pub mod evidence;
pub mod file;
pub mod judge;
pub mod observe;
pub mod pipeline;
pub mod progress;
pub mod record;
pub mod report;
pub mod rule;
pub mod run;
pub mod session;
pub mod timing;
