//! The load: scenarios, schedules, overload.

mod honesty;
mod overload;
mod scenarios;
mod spec;
