//! Changes of what swaps are decided on: unit values, rates, switches, suspensions, memberships, caps, which windows are
//! settled, and in which shape closed ones count.
//!
//! The posting engine remembers these, and asks in each batch only for a number. Whoever changes them makes it grow in the same tx.

use crate::{Fault, Tx};
use std::ops::Deref;

/// Every statement of this file, for the test that prepares them all.
pub(crate) const STATEMENTS: &[&str] = &[CHANGE_TERMS];

const CHANGE_TERMS: &str = "
    UPDATE terms_version
    SET version = version + 1
    WHERE single";

/// A tx that has told the engine that it changes terms. Whatever writes terms takes this and no other tx; only a vendor that is new needs
/// none, because nothing is remembered of it.
#[derive(Debug)]
pub struct TermsChange<'t, 'c> {
    tx: &'t Tx<'c>,
}

/// Tells the engine that the tx changes terms: from its commit on every batch, of whichever process, is decided on the new ones. Until
/// then every other such tx waits, so this is the first thing to lock after a scheme and whatever it settles.
pub async fn change_terms<'t, 'c>(tx: &'t Tx<'c>) -> Result<TermsChange<'t, 'c>, Fault> {
    match tx.execute(CHANGE_TERMS, &[]).await? {
        1 => Ok(TermsChange { tx }),
        _ => Err(Fault::Unreadable("the version of the terms is missing".to_owned())),
    }
}

impl<'c> Deref for TermsChange<'_, 'c> {
    type Target = Tx<'c>;

    fn deref(&self) -> &Tx<'c> {
        self.tx
    }
}
