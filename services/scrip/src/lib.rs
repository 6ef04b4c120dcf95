//! The rules of the house, pure: no database, no HTTP, no clock, no randomness.
//!
//! Shape: [`id`] and [`code`] name things, [`money`] holds amounts and the one strict parser, [`rate`] and [`swap`] hold the
//! arithmetic of exchanging one vendor's tokens for another's, and [`posting`] decides what moves. Everything here is a
//! function of its arguments, so every rule can be tested on a whiteboard.

pub mod code;
pub mod id;
pub mod money;
pub mod posting;
pub mod rate;
pub mod swap;
pub mod text;

pub use code::Code;
pub use id::{OperationId, RunId, SchemeId, TradeId, UserId, VendorId, WindowId};
pub use money::{AmountError, Micro, Scale, Tokens, UnitValue};
