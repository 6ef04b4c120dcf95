//! The engine's SQL: what a batch reads under lock, and what it writes.

mod read;
mod write;

pub(super) use read::{Answers, StoredAnswer, find_answers, lock_book, read_terms};
pub(super) use write::write;

/// Every statement of the engine, for the test that prepares them all.
pub const STATEMENTS: &[&[&str]] = &[read::STATEMENTS, write::STATEMENTS];
