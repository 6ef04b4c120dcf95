//! Windows: the obligations of a scheme between two cut-offs. `open -> closed`, never back.
//!
//! Shape: [`open_first`] when a scheme begins, [`close`] for ever after ([`close_above_threshold`] where a vendor owes much); closing one opens the next in the same tx, so a scheme
//! always has exactly one open window. A slot (what closed the window: a schedule's instant, or somebody's key) closes one
//! window however often it is claimed. Nothing here nets.

mod store;

use jiff::Timestamp;
use ledger::obligations::{NewObligation, Recorder, record};
use ledger::{
    Failure, Fault, TermsChange, Tx, add_closed_window, change_terms, lock_scheme_exclusive, lock_scheme_shared, merge_exposures, new_id,
    read_time,
};
use scrip::{OperationId, SchemeId, WindowId};
pub use store::STATEMENTS;
pub(crate) use store::list_above_threshold;

/// One window of a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Its id.
    pub id: WindowId,
    /// Counts the scheme's windows from 1.
    pub number: i64,
    /// When it began to take obligations.
    pub opened_at: Timestamp,
    /// How it ended; none while it is open.
    pub closed: Option<Cut>,
}

/// The end of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// No later obligation is in the window.
    pub closed_at: Timestamp,
    /// What closed it.
    pub slot: String,
    /// Whether it waits for the scheme's next run instead of having asked for one of its own.
    pub held: bool,
}

/// The window that a slot closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The window's id.
    pub window: WindowId,
    /// Its number within the scheme.
    pub number: i64,
    /// Whether this call closed it; false when the slot had done so before.
    pub closed_now: bool,
}

/// What a window is closed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// A run of its own.
    Run,
    /// The scheme's next run, whenever that is.
    Hold,
}

/// Why no window was closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseRefusal {
    /// There is no such scheme, or it never had a window.
    #[error("the scheme has no open window")]
    SchemeNotFound,
}

/// Opens the scheme's window 1. The scheme must be new.
pub async fn open_first(tx: &Tx<'_>, scheme: SchemeId, now: Timestamp) -> Result<WindowId, Fault> {
    let window = WindowId::new(new_id());
    store::insert(tx, window, scheme, 1, now).await?;
    Ok(window)
}

/// The database's own guard of what may be owed in one window.
const BOUND: &str = "window_totals_gross_within_bounds";

/// Whether the fault is that the open window holds as much as a run can net.
pub(crate) fn is_full(fault: &Fault) -> bool {
    fault.constraint() == Some(BOUND)
}

/// Records obligations in the scheme's open window, which then stays open until the tx ends. They are booked by the database's clock, like
/// everything, once the window is held.
pub(crate) async fn record_in_open(
    tx: &Tx<'_>,
    scheme: SchemeId,
    recorder: Recorder,
    operation: OperationId,
    obligations: &[NewObligation],
) -> Result<(), Fault> {
    lock_scheme_shared(tx, scheme).await?;
    record_in_locked(tx, scheme, recorder, operation, obligations).await
}

/// For a tx that makes debts count no more in a run, or again, and has others take their place in the scheme's open window. Nobody posts into the
/// scheme until the tx ends, so no batch counts them in both or in neither.
pub(crate) async fn begin_moving<'t, 'c>(tx: &'t Tx<'c>, scheme: SchemeId) -> Result<TermsChange<'t, 'c>, Fault> {
    lock_scheme_exclusive(tx, scheme).await?;
    change_terms(tx).await
}

/// Records what takes their place, in the scheme for which [`begin_moving`] was asked.
pub(crate) async fn record_moved(
    tx: &TermsChange<'_, '_>,
    scheme: SchemeId,
    recorder: Recorder,
    operation: OperationId,
    owed: &[NewObligation],
) -> Result<(), Fault> {
    if owed.is_empty() { Ok(()) } else { record_in_locked(tx, scheme, recorder, operation, owed).await }
}

async fn record_in_locked(
    tx: &Tx<'_>,
    scheme: SchemeId,
    recorder: Recorder,
    operation: OperationId,
    obligations: &[NewObligation],
) -> Result<(), Fault> {
    let open = store::find_open(tx, scheme).await?.ok_or_else(|| Fault::Unreadable(format!("scheme {scheme} has no open window")))?;
    record(tx, open.id, recorder, operation, read_time(tx).await?, obligations).await
}

/// Closes the scheme's open window, if it still is that of this number, because of what it holds; says whether it did.
pub async fn close_above_threshold(tx: &Tx<'_>, scheme: SchemeId, number: i64) -> Result<bool, Failure<CloseRefusal>> {
    lock_scheme_exclusive(tx, scheme).await?;
    match store::find_open(tx, scheme).await? {
        Some(open) if open.number == number => Ok(close(tx, scheme, &format!("threshold:{number}"), Closing::Run).await?.closed_now),
        Some(_) | None => Ok(false),
    }
}

/// Closes the scheme's open window for the slot and opens the next. The same slot again answers with the window that it closed.
///
/// Waits for the batches that are posting into the window; `clock_timestamp()` is read only then, so nothing in the window is
/// later than its end.
pub async fn close(tx: &Tx<'_>, scheme: SchemeId, slot: &str, closing: Closing) -> Result<Closed, Failure<CloseRefusal>> {
    lock_scheme_exclusive(tx, scheme).await?;
    if let Some((window, number)) = store::find_by_slot(tx, scheme, slot).await? {
        return Ok(Closed { window, number, closed_now: false });
    }
    let Some((window, number, at)) = store::close_open(tx, scheme, slot, closing == Closing::Hold).await? else {
        return Err(Failure::Refused(CloseRefusal::SchemeNotFound));
    };
    add_closed_window(tx, window).await?;
    merge_exposures(tx, window).await?;
    let next = number.checked_add(1).ok_or_else(|| Fault::Unreadable("window number".to_owned()))?;
    store::insert(tx, WindowId::new(new_id()), scheme, next, at).await?;
    Ok(Closed { window, number, closed_now: true })
}
