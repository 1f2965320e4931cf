//! What a rule's expression says, read through a PromQL parser.
//!
//! Nothing here does I/O: expressions go in, ranges, thresholds and rewritten expressions come out.

mod clock;
mod fixed;
mod literal;
mod parse;
mod reach;
mod rewrite;
mod spots;
mod threshold;
mod tokens;
mod walk;

pub use crate::fixed::stays;
pub use crate::reach::widest_range;
pub use crate::rewrite::{Change, rewrite_durations};
pub use crate::spots::{Spot, durations};
pub use crate::threshold::{Threshold, threshold};
pub use crate::tokens::Place;
