//! The ledger: the only writer of accounts, entries, swaps, trades and obligations.
//!
//! Shape: [`engine`] takes postings from a bounded queue and commits them in batches; [`accounts`] opens accounts;
//! [`obligations`] writes those that come from elsewhere; [`exposures`] is what vendors owe until it is settled; what a closed window issued and retired is added up once; [`proofs`] recomputes that the books are right; [`db`] is how the
//! whole program reaches the database. It knows nothing of HTTP, and it decides nothing: the rules are `scrip`'s.

pub mod accounts;
mod clock;
pub mod copy;
pub mod db;
pub mod engine;
pub mod exposures;
mod fault;
mod issuances;
mod locks;
pub mod obligations;
mod pipeline;
pub mod proofs;
mod terms;

pub use clock::Clock;
pub use db::{ConnectError, Connection, Db, Tx, read_time};
pub use engine::{Engine, EngineLimits, PostRefusal, Posted};
pub use exposures::{merge_exposures, read_exposures, release_window, set_debit_cap};
pub use fault::{Failure, Fault};
pub use issuances::add_closed_window;
pub use locks::{lock_scheme_exclusive, lock_scheme_runs, lock_scheme_shared};
pub use terms::{TermsChange, change_terms};
use uuid::Uuid;

/// A new id: uuid v7, so that indexes grow at their right edge.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// What makes a request repeatable: who says it, the key it bears, and what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The user or vendor that the credential belongs to.
    pub actor: Uuid,
    /// The caller's key; unique per actor.
    pub key: String,
    /// SHA-256 of the request: the same key with another hash is refused.
    pub request_hash: [u8; 32],
}

/// Every SQL statement of the ledger, so that a test can prepare them all against the migrated schema.
pub fn statements() -> impl Iterator<Item = &'static str> {
    let own = [
        db::STATEMENTS,
        locks::STATEMENTS,
        terms::STATEMENTS,
        accounts::STATEMENTS,
        exposures::STATEMENTS,
        issuances::STATEMENTS,
        obligations::STATEMENTS,
        proofs::STATEMENTS,
    ];
    own.into_iter().chain(engine::STATEMENTS.iter().copied()).flatten().copied()
}
