//! Disputes: what vendors say of a run before it is approved, obligation by obligation.
//!
//! Shape: while a run is computed or proposed and its time is not up, a vendor may [`acknowledge`] it as a whole or [`raise`] a dispute
//! about one obligation. [`judge`] says whether a run may be approved: not with an open dispute of its own, and not before the time is
//! up or everybody has acknowledged. Whoever settles a dispute voids the run first; the next one holds back what is still open
//! ([`list_open`] by pair). A dispute ends `withdrawn` (the obligation stands) or `upheld` (it is owed back).

mod store;

use crate::steps::{Actor, RunState, check_reason};
use crate::windows;
use jiff::Timestamp;
use ledger::obligations::{NewObligation, Recorder};
use ledger::{Failure, Fault, Tx, new_id};
use scrip::{Micro, OperationId, RunId, SchemeId, VendorId, WindowId};
pub use store::STATEMENTS;
pub(crate) use store::list_open;
use uuid::Uuid;

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeState {
    /// The amount is held back.
    Open,
    /// The obligation stands.
    Withdrawn,
    /// The obligation is owed back.
    Upheld,
}

impl DisputeState {
    const ALL: [Self; 3] = [Self::Open, Self::Withdrawn, Self::Upheld];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Withdrawn => "withdrawn",
            Self::Upheld => "upheld",
        }
    }

    /// The state that is stored under this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A vendor does not agree to one obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Its id.
    pub id: Uuid,
    /// The run in which it was raised.
    pub run: RunId,
    /// The obligation, as a statement names it.
    pub obligation: Uuid,
    /// The debtor's code.
    pub debtor: String,
    /// The creditor's code.
    pub creditor: String,
    /// The whole of the obligation.
    pub amount: Micro,
    /// The code of whoever raised it: one of the two.
    pub raised_by: String,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub state: DisputeState,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Why nothing is disputed, acknowledged or ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisputeRefusal {
    /// There is no such run, or the vendor has no part in it.
    #[error("there is no such run")]
    RunNotFound,
    /// There is no such obligation in the run, or the vendor is no party to it.
    #[error("there is no such obligation in this run")]
    ObligationNotFound,
    /// There is no such dispute, or the vendor did not raise it.
    #[error("there is no such dispute")]
    DisputeNotFound,
    /// The time is up, or the run has been approved or voided.
    #[error("this run can no longer be disputed")]
    PeriodOver,
    /// One obligation is disputed once.
    #[error("the obligation has been disputed before")]
    DisputedBefore,
    /// What a run carried over is settled by what it came from.
    #[error("what was carried, taken back or left by a default is not disputed; dispute the obligation that it comes from in its own run")]
    NotDisputable,
    /// It has ended.
    #[error("the dispute has ended")]
    DisputeEnded,
    /// As for every reason.
    #[error("a reason has 1 to {} characters, none of them a control character", crate::steps::REASON_LENGTH_MAX)]
    ReasonMalformed,
}

type Answer<T> = Result<T, Failure<DisputeRefusal>>;

/// A run as far as disputes depend on it.
pub(crate) struct DisputableRun {
    pub(crate) scheme: SchemeId,
    pub(crate) state: RunState,
    pub(crate) until: Option<Timestamp>,
}

impl DisputableRun {
    fn is_disputable(&self, now: Timestamp) -> bool {
        matches!(self.state, RunState::Computed | RunState::Proposed) && self.until.is_some_and(|until| now < until)
    }
}

/// An obligation of a run, to be disputed.
pub(crate) struct Disputed {
    pub(crate) window: WindowId,
    pub(crate) debtor: VendorId,
    pub(crate) creditor: VendorId,
    pub(crate) amount: Micro,
    pub(crate) is_disputable: bool,
}

/// The vendor agrees to what the run says of it. Again changes nothing.
pub(crate) async fn acknowledge(tx: &Tx<'_>, run: RunId, vendor: VendorId, now: Timestamp) -> Answer<()> {
    let found = lock_run(tx, run, vendor).await?;
    if store::has_acknowledged(tx, run, vendor).await? {
        return Ok(());
    }
    if !found.is_disputable(now) {
        return Err(Failure::Refused(DisputeRefusal::PeriodOver));
    }
    store::insert_acknowledgement(tx, run, vendor, now).await?;
    Ok(())
}

/// The vendor does not agree to an obligation that it owes or is owed.
pub(crate) async fn raise(tx: &Tx<'_>, run: RunId, vendor: VendorId, obligation: Uuid, reason: &str, now: Timestamp) -> Answer<Dispute> {
    check_reason(reason).map_err(|_refused| Failure::Refused(DisputeRefusal::ReasonMalformed))?;
    let found = lock_run(tx, run, vendor).await?;
    let disputed = store::find_obligation(tx, run, vendor, obligation).await?;
    let disputed = disputed.ok_or(Failure::Refused(DisputeRefusal::ObligationNotFound))?;
    if let Some((before, raised_by)) = store::find_by_obligation(tx, disputed.window, obligation).await? {
        let is_the_same = raised_by == vendor && before.run == run && before.reason == reason && before.state == DisputeState::Open;
        return if is_the_same { Ok(before) } else { Err(Failure::Refused(DisputeRefusal::DisputedBefore)) };
    }
    if !found.is_disputable(now) {
        return Err(Failure::Refused(DisputeRefusal::PeriodOver));
    }
    if !disputed.is_disputable {
        return Err(Failure::Refused(DisputeRefusal::NotDisputable));
    }
    let id = new_id();
    let new = store::NewDispute { id, scheme: found.scheme, run, obligation, disputed: &disputed, raised_by: vendor, reason, at: now };
    store::insert(tx, &new).await?;
    get(tx, id).await
}

/// Ends a dispute: the vendor that raised it may withdraw it, the operator may do either. Upheld, the obligation is owed back.
pub(crate) async fn end(tx: &Tx<'_>, id: Uuid, to: DisputeState, actor: &Actor, now: Timestamp) -> Answer<Dispute> {
    let Some(open) = store::lock(tx, id).await? else { return Err(Failure::Refused(DisputeRefusal::DisputeNotFound)) };
    if let Actor::Vendor(vendor) = actor
        && open.raised_by != *vendor
    {
        return Err(Failure::Refused(DisputeRefusal::DisputeNotFound));
    }
    if open.state == to {
        return get(tx, id).await;
    }
    if open.state != DisputeState::Open {
        return Err(Failure::Refused(DisputeRefusal::DisputeEnded));
    }
    store::end(tx, id, to, actor, now).await?;
    if to == DisputeState::Upheld {
        let back = NewObligation { debtor: open.creditor, creditor: open.debtor, amount: open.amount };
        windows::record_in_open(tx, open.scheme, Recorder::Reversal, OperationId::new(id), &[back]).await?;
    }
    get(tx, id).await
}

/// Why a run cannot be approved yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAgreed {
    /// So many obligations are disputed.
    Disputed(i64),
    /// Until then vendors may still dispute it.
    Until(Timestamp),
}

/// Whether the vendors agree to a run: nobody disputes it, and the time is up or all of them have acknowledged.
pub(crate) async fn judge(tx: &Tx<'_>, run: RunId, now: Timestamp) -> Result<Result<(), NotAgreed>, Fault> {
    let open = store::count_open(tx, run).await?;
    if open > 0 {
        return Ok(Err(NotAgreed::Disputed(open)));
    }
    match store::find_waiting_until(tx, run).await? {
        Some(until) if now < until => Ok(Err(NotAgreed::Until(until))),
        Some(_) | None => Ok(Ok(())),
    }
}

/// The disputes about the obligations of a run's windows, whichever run they were raised in, the oldest first: all, or a vendor's own. For
/// the house only, which knows a run's windows.
pub async fn list(tx: &Tx<'_>, run: RunId, vendor: Option<VendorId>, after: Option<Uuid>, limit: i64) -> Result<Vec<Dispute>, Fault> {
    store::list(tx, run, vendor, after, limit).await
}

/// A run in which the vendor has a part, locked so that it is not approved meanwhile.
async fn lock_run(tx: &Tx<'_>, run: RunId, vendor: VendorId) -> Answer<DisputableRun> {
    store::lock_run(tx, run, vendor).await?.ok_or(Failure::Refused(DisputeRefusal::RunNotFound))
}

async fn get(tx: &Tx<'_>, id: Uuid) -> Answer<Dispute> {
    store::find(tx, id).await?.ok_or(Failure::Refused(DisputeRefusal::DisputeNotFound))
}
