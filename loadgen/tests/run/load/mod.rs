//! The load itself: scenarios, honest schedules, overload.

mod honesty;
mod overload;
mod scenarios;
mod spec;
