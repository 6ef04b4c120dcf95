//! The engine's SQL: what a batch reads under lock, and what it writes.
//!
//! Statements go out together ([`crate::pipeline`]): what is read in one round trip, what is written in another with the commit.

mod answers;
mod read;
mod terms;
mod write;

pub(super) use answers::{Answers, StoredAnswer, find_answers};
pub(super) use read::{Forecast, Found, look, read};
pub(super) use terms::TermsRead;
pub(super) use write::write;

/// Every statement of the engine, for the test that prepares them all.
pub const STATEMENTS: &[&[&str]] = &[answers::STATEMENTS, read::STATEMENTS, terms::STATEMENTS, write::STATEMENTS];
