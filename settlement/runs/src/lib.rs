//! Settlement runs: when windows close, what a closed window becomes, and the files that finance teams download.
//!
//! Shape: [`Runs`] is the service. [`windows`] ends a window, [`schedules`] says when, by [`calendars`] if it shall, [`seals`] makes it
//! tamper-evident, [`runs`] nets it (the arithmetic is the crate `netting`), [`steps`] says what becomes of a run, [`disputes`] what vendors
//! say of it and [`exclusions`] whom runs leave out, [`files`] writes it down, [`explanations`] says what is behind it, [`forecasts`] what the next one is on the way to, [`transfers`] and
//! [`confirmations`] say what became of the money and [`defaults`] what takes the place of money that does not come, [`proofs`] recomputes all of that, [`bundles`] lets an auditor do so without the database,
//! [`imports`] brings obligations in from a file. It writes no account and no entry, never changes an obligation, and knows nothing of HTTP.

pub mod bundles;
pub mod calendars;
pub mod confirmations;
mod csv_lines;
pub mod csv_text;
mod days;
pub mod defaults;
pub mod disputes;
pub mod exclusions;
pub mod explanations;
pub mod files;
pub mod forecasts;
pub mod funds_csv;
mod ids;
pub mod imports;
pub mod obligations_csv;
pub mod payments;
pub mod proofs;
mod renetting;
pub mod runs;
pub mod schedules;
mod scheme;
pub mod seals;
pub mod steps;
pub mod transfers;
mod versions;
pub mod windows;

pub use ids::{reference, run_id};
pub use proofs::prove;
pub use runs::{Comparison, Preview, Run, Runs, SettleRefusal, Settled, Step};
pub use scheme::Approval;
pub use steps::{Actor, NewVoid, RunState, StepRefusal};
pub use transfers::TransferKey;

/// Every SQL statement of the settlements, so that a test can prepare them all against the migrated schema.
pub fn statements() -> impl Iterator<Item = &'static str> {
    let rooms = [
        windows::STATEMENTS,
        seals::STATEMENTS,
        schedules::STATEMENTS,
        calendars::STATEMENTS,
        runs::STATEMENTS,
        files::STATEMENTS,
        files::BANK_STATEMENTS,
        payments::STATEMENTS,
        proofs::STATEMENTS,
        proofs::TRANSFER_STATEMENTS,
        imports::STATEMENTS,
        steps::STATEMENTS,
        disputes::STATEMENTS,
        exclusions::STATEMENTS,
        defaults::STATEMENTS,
        defaults::DRAW_STATEMENTS,
        transfers::STATEMENTS,
        confirmations::STATEMENTS,
        confirmations::ASSIGNMENT_STATEMENTS,
        renetting::STATEMENTS,
        explanations::STATEMENTS,
        forecasts::STATEMENTS,
        bundles::STATEMENTS,
    ];
    rooms.into_iter().flatten().copied()
}
