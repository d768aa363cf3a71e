//! Lines and one bar on stderr, in as many columns as the terminal has.
//!
//! On a terminal the bar is rewritten in place at the foot, and lines are said above it. Elsewhere (in a file, a pipe, or on a
//! terminal that cannot move its cursor) the same numbers come as a plain line now and then. What is over in a moment is not
//! shown at all.

mod foot;
mod line;

pub use foot::{Around, Phase, Progress, clear, say};
pub use line::{Line, Screen, clock, sparkline};
