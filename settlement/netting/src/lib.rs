//! What a set of debts comes to, and who pays whom to settle it: obligations -> positions -> transfers.
//!
//! Shape: a [`Network`] holds the obligations in one fixed order; [`Netting::compute`] turns it, by the [`Terms`], into
//! positions, transfers, and what is carried forward. One module per strategy under `strategies`; [`WhatIf`] tries all of them. Beside it:
//! [`explain`] says what is behind a result, [`clearing`] what happens if some do not pay, [`gridlock`] what of a queue settles at once.
//!
//! Never: input or output, a clock, randomness, a thread, a float, or the order of a hash map. The same obligations in any order
//! give the same bytes. Amounts are micro-units (millionths of the currency).

mod circulation;
pub mod clearing;
mod debts;
pub mod explain;
pub mod gridlock;
mod hash;
mod holding;
mod netting;
mod network;
mod outcome;
mod rounding;
mod strategies;
mod strategy;
mod terms;
#[cfg(test)]
mod tests;
mod what_if;
#[cfg(test)]
mod whiteboard;
mod zero_sums;

pub use hash::Digest;
pub use holding::{Holding, all_of};
pub use netting::Netting;
pub use network::{GROSS_MAX, Network, NetworkBuilder, NetworkError, Party};
pub use outcome::{Carry, NettingError, Position, SetOff, Transfer};
pub use strategy::{Strategy, UnknownStrategy};
pub use terms::Terms;
pub use what_if::{Alternative, Figures, LargestPayer, WhatIf};

/// Stored with every run and part of its output hash: changes whenever the same obligations may give other transfers.
pub const ALGORITHM_VERSION: i32 = 1;
