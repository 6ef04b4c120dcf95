//! The clearinghouse: the use cases by capability, served over HTTP, and the `scriphouse` program.

pub mod access;
pub mod accounts;
pub mod amount;
pub mod app;
pub mod caps;
mod columns;
pub mod commands;
pub mod directory;
pub mod heartbeat;
pub mod house;
pub mod http;
pub mod issues;
mod names;
mod postings;
pub mod private_postgres;
pub mod rates;
pub mod refusal;
pub mod routes;
pub mod schemes;
pub mod settlement;
pub mod swaps;
pub mod trades;
pub mod users;
pub mod vendors;
pub mod verify;

/// Every SQL statement of the clearinghouse, so that a test can prepare them all against the migrated schema.
pub fn statements() -> impl Iterator<Item = &'static str> {
    [
        access::STATEMENTS,
        accounts::STATEMENTS,
        caps::STATEMENTS,
        directory::STATEMENTS,
        house::STATEMENTS,
        postings::STATEMENTS,
        rates::STATEMENTS,
        schemes::STATEMENTS,
        swaps::STATEMENTS,
        trades::STATEMENTS,
        users::STATEMENTS,
        vendors::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
