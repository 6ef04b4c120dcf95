//! Measures the house: how many swaps it clears, how fast it answers, and how that compares with a plain database on the same machine.
//!
//! Shape: a [`Plan`] says what to measure and for how long, a [`Place`] where the database and the program are; [`run`] fills the house
//! ([`seed`]), starts servers as processes of their own ([`server`]), offers them load ([`load`]) in turns with the yardsticks
//! ([`pgbench`]), and sums up in a [`Report`]: figures, ratios against the bar, the machine, and whether the books still prove.
//!
//! It is a client of the house: tokens move over HTTP only, apart from those that are issued before anything is measured.
#![expect(clippy::float_arithmetic, reason = "measurements are no money: seconds, rates and ratios are floats")]
#![expect(clippy::arithmetic_side_effects, reason = "counts of what a machine does within minutes do not overflow")]

mod client;
mod error;
mod figures;
mod load;
mod machine;
mod market;
mod number;
mod parts;
mod pgbench;
mod place;
mod plan;
mod report;
mod seed;
mod server;
mod store;
mod usage;

pub use error::BenchError;
pub use figures::{Figure, Unit};
pub use machine::Machine;
pub use place::{Logins, Place, check_folder};
pub use plan::{Part, Plan, UnknownPart};
pub use report::{Bar, Report, Side};
pub use store::STATEMENTS;

use parts::Bench;

/// What is being done, for whoever waits: a sentence.
pub type Tell<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Measures what the plan asks for.
///
/// # Errors
/// When the database would not be safe, or cannot be reached. A part that could not be measured, or whose answers were not what they had to
/// be, is among the report's failures: no figure is made up.
pub async fn run(plan: &Plan, place: &Place, tell: Tell<'_>) -> Result<Report, BenchError> {
    Ok(Bench::open(plan, place, tell).await?.measure().await)
}
