//! The engine's SQL: what a batch reads under lock, and what it writes.
//!
//! Statements are sent without waiting for the answers of those before them (tokio-postgres sends a request when its future is first
//! polled, and the database works them off in that order): a batch costs a handful of round trips, not one per statement.

mod answers;
mod read;
mod terms;
mod write;

pub(super) use answers::{Answers, StoredAnswer, find_answers};
pub(super) use read::{Forecast, Found, read};
pub(super) use terms::TermsRead;
pub(super) use write::write;

/// Every statement of the engine, for the test that prepares them all.
pub const STATEMENTS: &[&[&str]] = &[answers::STATEMENTS, read::STATEMENTS, terms::STATEMENTS, write::STATEMENTS];
