//! `loadgen`: sends load on an honest schedule, proves alerts with it, and stands in for their receivers.
//!
//! The modules stand in the order data flows. Load: [`run`] holds plan → schedule → send → record → report.
//! Alerts: [`promql`] reads rules, [`scale`] renders them faster, [`channels`] leads notifications outside, [`systems`] asks Prometheus, Alertmanager and
//! the [`inbox`], [`drill`] goes from a drill file over causes and watching to a verdict, [`proof`] keeps the last
//! ones, [`coverage`] says which alerts lack something.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "they panic when nobody reads: `say` does not")]

pub mod duration;
pub mod exit;
pub mod file_error;
pub mod hangup;
pub mod markup;
pub mod port;
pub mod rate;
pub mod say;
pub mod trust;

pub mod run;

pub mod channels;
pub mod promql;
pub mod scale;

pub mod proof;

pub mod inbox;
pub mod systems;

pub mod drill;

pub mod coverage;
