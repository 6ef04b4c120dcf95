//! What a set of debts comes to, and who pays whom to settle it: obligations -> positions -> transfers.
//!
//! Shape: a [`Network`] holds the obligations in one fixed order; [`Netting::compute`] turns it, by one [`Strategy`], into
//! positions, transfers, and what rounding carries forward. One module per strategy under `strategies`. Beside it: [`explain`] says what is
//! behind a result, [`clearing`] what happens if some do not pay, [`gridlock`] what of a queue settles at once.
//!
//! Never: input or output, a clock, randomness, a thread, a float, or the order of a hash map. The same obligations in any order
//! give the same bytes. Amounts are micro-units (millionths of the currency).

mod circulation;
pub mod clearing;
mod debts;
pub mod explain;
pub mod gridlock;
mod hash;
mod netting;
mod network;
mod outcome;
mod rounding;
mod strategies;
mod strategy;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod whiteboard;

pub use hash::Digest;
pub use netting::Netting;
pub use network::{GROSS_MAX, Network, NetworkBuilder, NetworkError, Party};
pub use outcome::{Carry, NettingError, Position, SetOff, Transfer};
pub use strategy::{Strategy, UnknownStrategy};

/// Stored with every run and part of its output hash: changes whenever the same obligations may give other transfers.
pub const ALGORITHM_VERSION: i32 = 1;
