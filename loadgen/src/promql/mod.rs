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

pub use fixed::stays;
pub use reach::widest_range;
pub use rewrite::{Change, rewrite_durations};
pub use spots::{Spot, durations};
pub use threshold::{Threshold, threshold};
pub use tokens::Place;
