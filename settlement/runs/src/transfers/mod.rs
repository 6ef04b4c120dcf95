//! Transfers after their run is exported: what payers, payees, the operator and banks say became of them.
//!
//! Shape: [`states`] is the table of steps, [`rules`] says who may take which and what has to be said with it, [`reasons`] is the closed list
//! of reasons; all three are pure. [`Transfers`] marks: it locks the run, resolves the caller's key, asks the rules, and writes the transfer,
//! its step and the answer in one tx. Banks mark many at once through [`crate::confirmations`];
//!
//! The first step makes the run `settling`, the last one `settled`. Nothing here changes or deletes a step, an obligation, an amount or a party.

mod reasons;
mod rules;
mod states;
mod store;

use crate::ids::marks_id;
use crate::runs::states::{self as run_states, Actor, RunState};
use crate::windows;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::obligations::{LEAF_KEY, NewObligation, Recorder, record};
use ledger::{Claim, Clock, Db, Failure, Fault, Tx, lock_scheme_shared, read_time};
pub use reasons::{REASON_CHARS_MAX, REASON_CODES, Reason, ReasonCode};
use rules::{Mark, Parties};
pub use rules::{MarkRefusal, NewMark, Side, next_steps};
use scrip::{Micro, OperationId, RunId, Scale, SchemeId, VendorId};
pub use states::{Standing, TransferState};
use std::collections::HashMap;
pub use store::STATEMENTS;
pub(crate) use store::{lock_run, to_reason, to_standing, to_state};
use uuid::Uuid;

/// A transfer by its run and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferKey {
    /// The run.
    pub run: RunId,
    /// Counts the run's transfers from 1.
    pub number: i64,
}

/// A vendor that pays or is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Its id.
    pub id: VendorId,
    /// Its code.
    pub code: String,
}

/// A transfer as settlement sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderSettlement {
    /// Which one.
    pub key: TransferKey,
    /// Its id.
    pub id: Uuid,
    /// Who pays; none is the house.
    pub payer: Option<Party>,
    /// Who is paid; none is the house.
    pub payee: Option<Party>,
    /// In whole minor units of the currency.
    pub amount: Micro,
    /// Where it stands.
    pub standing: Standing,
    /// Where its run stands.
    pub run_state: String,
    /// The currency of the amount.
    pub currency: String,
    /// The decimals of the currency.
    pub digits: Scale,
    /// The scheme of its run.
    pub scheme: SchemeId,
}

impl UnderSettlement {
    /// As whom the actor sees the transfer; none: it is somebody else's.
    pub fn side_of(&self, actor: &Actor) -> Option<Side> {
        let is = |party: &Option<Party>, vendor: &VendorId| party.as_ref().is_some_and(|party| party.id == *vendor);
        match actor {
            Actor::Operator(_) => Some(Side::Operator),
            Actor::Vendor(vendor) if is(&self.payer, vendor) => Some(Side::Payer),
            Actor::Vendor(vendor) if is(&self.payee, vendor) => Some(Side::Payee),
            Actor::Vendor(_) | Actor::House => None,
        }
    }

    fn parties(&self) -> Parties {
        if self.payer.is_some() && self.payee.is_some() { Parties::TwoVendors } else { Parties::VendorAndHouse }
    }
}

/// What was said and done about a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Counts the transfer's steps from 1.
    pub seq: i32,
    /// Where it stood.
    pub from: TransferState,
    /// Where it stands since.
    pub to: TransferState,
    /// Which attempt it is since.
    pub attempt: i32,
    /// Who said so.
    pub actor: Actor,
    /// What the bank calls the payment.
    pub bank_reference: Option<String>,
    /// The day that the bank booked it.
    pub booked_on: Option<Date>,
    /// Why.
    pub reason: Reason,
    /// The confirmation that it follows from.
    pub confirmation: Option<Uuid>,
    /// When it was said.
    pub at: Timestamp,
}

/// A step to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewStep {
    pub(crate) transfer: TransferKey,
    pub(crate) from: TransferState,
    pub(crate) next: Standing,
    pub(crate) bank_reference: Option<String>,
    pub(crate) booked_on: Option<Date>,
    pub(crate) reason: Reason,
}

/// A step, and whether an earlier request with the same key has made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The step.
    pub step: Step,
    /// Nothing happened now.
    pub replayed: bool,
}

/// The service: marks transfers.
#[derive(Debug, Clone)]
pub struct Transfers {
    db: Db,
    clock: Clock,
}

/// How often a transfer is rolled anew that another writer got in the way of, in the very same microsecond.
const ATTEMPTS_MAX: u32 = 10;

/// The database's own guard of what may be owed in one window.
const WINDOW_BOUND: &str = "window_totals_gross_within_bounds";

impl Transfers {
    /// The service on a database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Takes a transfer a step further for somebody who may. The same key again answers with the same step.
    pub async fn mark(&self, actor: &Actor, transfer: TransferKey, claim: Claim, new: &NewMark) -> Result<Marked, Failure<MarkRefusal>> {
        let claim = Claim { actor: marks_id(actor), ..claim };
        let mut attempts_left = ATTEMPTS_MAX;
        loop {
            match self.try_mark(actor, transfer, &claim, new).await {
                Err(Failure::Fault(fault)) if fault.constraint() == Some(LEAF_KEY) && attempts_left > 1 => {
                    tracing::info!(attempts_left, %fault, "a mark is tried again");
                    attempts_left = attempts_left.saturating_sub(1);
                }
                result => return result,
            }
        }
    }

    /// Whether the key is still free: a request that cannot be read is told so only then.
    pub async fn judge_key(&self, actor: &Actor, claim: &Claim) -> Result<(), Failure<MarkRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let claim = Claim { actor: marks_id(actor), ..claim.clone() };
        match store::find_claim(&tx, &claim).await? {
            Some(_) => Err(Failure::Refused(MarkRefusal::KeyReused)),
            None => Ok(()),
        }
    }

    /// One tx: lock, resolve the key, judge, take the step, answer.
    async fn try_mark(&self, actor: &Actor, key: TransferKey, claim: &Claim, new: &NewMark) -> Result<Marked, Failure<MarkRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let run_state = lock_run(&tx, key.run).await?;
        if let Some((request_hash, answer)) = store::find_claim(&tx, claim).await? {
            return replay(&tx, key, claim, &request_hash, &answer).await;
        }
        let found = store::find(&tx, key).await?;
        let transfer = found.ok_or(Failure::Refused(MarkRefusal::TransferNotFound))?;
        let side = transfer.side_of(actor).ok_or(Failure::Refused(MarkRefusal::TransferNotFound))?;
        let mark = rules::read(new).map_err(Failure::Refused)?;
        let run_state = run_state.unwrap_or_default();
        let next = rules::judge(&mark, side, transfer.standing, &run_state, transfer.parties()).map_err(Failure::Refused)?;

        let at = self.clock.now();
        let Mark { to, bank_reference, booked_on, reason } = mark;
        begin_settling(&tx, key.run, &run_state, at).await?;
        let step = NewStep { transfer: key, from: transfer.standing.state, next, bank_reference, booked_on, reason };
        let seqs = store::take_steps(&tx, &[step], actor, None, at).await?;
        let seq = seqs.get(&key).copied().ok_or_else(|| Fault::Unreadable("a step without a number".to_owned()))?;
        if to == TransferState::Rolled {
            roll(&tx, &transfer).await?;
        }
        end_settling(&tx, key.run, at).await?;
        if !store::claim(&tx, claim, &seq.to_string(), at).await? {
            return Err(Failure::Refused(MarkRefusal::KeyReused));
        }
        let step = store::get_step(&tx, key, seq).await?;
        tx.commit().await?;
        Ok(Marked { step, replayed: false })
    }
}

/// The answer that the key had before.
async fn replay(tx: &Tx<'_>, key: TransferKey, claim: &Claim, request_hash: &[u8], answer: &str) -> Result<Marked, Failure<MarkRefusal>> {
    if request_hash != claim.request_hash {
        return Err(Failure::Refused(MarkRefusal::KeyReused));
    }
    let seq = answer.parse().map_err(|_| Fault::Unreadable(format!("the answer {answer}")))?;
    Ok(Marked { step: store::get_step(tx, key, seq).await?, replayed: true })
}

/// The transfer is owed again: from its payer to its payee, in the scheme's open window.
async fn roll(tx: &Tx<'_>, transfer: &UnderSettlement) -> Result<(), Failure<MarkRefusal>> {
    let UnderSettlement { key: _, id, payer: Some(payer), payee: Some(payee), amount, scheme, .. } = transfer else {
        return Err(Failure::Refused(MarkRefusal::RollNeedsTwoVendors));
    };
    lock_scheme_shared(tx, *scheme).await?;
    let open = windows::find_open(tx, *scheme).await?.ok_or_else(|| Fault::Unreadable(format!("scheme {scheme} has no open window")))?;
    // The database's clock, like every booking.
    let booked_at = read_time(tx).await?;
    let owed = NewObligation { debtor: payer.id, creditor: payee.id, amount: *amount };
    record(tx, open.id, Recorder::Roll, OperationId::new(*id), booked_at, &[owed]).await.map_err(|fault| match fault.constraint() {
        Some(WINDOW_BOUND) => Failure::Refused(MarkRefusal::WindowFull),
        _ => Failure::Fault(fault),
    })
}

/// From the first step of its transfers on, a run is settling. The caller has locked it.
pub(crate) async fn begin_settling(tx: &Tx<'_>, run: RunId, run_state: &str, at: Timestamp) -> Result<(), Fault> {
    if run_state == "exported" { advance(tx, run, RunState::Settling, at).await } else { Ok(()) }
}

/// With the last step of its transfers, a run is settled. The caller has locked it.
pub(crate) async fn end_settling(tx: &Tx<'_>, run: RunId, at: Timestamp) -> Result<(), Fault> {
    if store::has_unfinished(tx, run).await? { Ok(()) } else { advance(tx, run, RunState::Settled, at).await }
}

/// The run follows its transfers by itself: the house does it. That the step is allowed is known by now.
async fn advance(tx: &Tx<'_>, run: RunId, to: RunState, at: Timestamp) -> Result<(), Fault> {
    run_states::advance(tx, run, to, &Actor::House, None, at).await.map_err(|failure| match failure {
        Failure::Refused(refusal) => Fault::Unreadable(format!("run {run} does not follow its transfers: {refusal}")),
        Failure::Fault(fault) => fault,
    })
}

/// Takes each of these transfers one step further; answers with the numbers of the steps. The caller has locked their runs.
pub(crate) async fn take_steps(
    tx: &Tx<'_>,
    steps: &[NewStep],
    actor: &Actor,
    confirmation: Uuid,
    at: Timestamp,
) -> Result<HashMap<TransferKey, i32>, Fault> {
    store::take_steps(tx, steps, actor, Some(confirmation), at).await
}

// What follows reads as whoever the tx is: the house sees everything, a vendor its own transfers.

/// The transfer, if it is there and the tx may see it.
pub async fn find(tx: &Tx<'_>, key: TransferKey) -> Result<Option<UnderSettlement>, Fault> {
    store::find(tx, key).await
}

/// Its steps, in order.
pub async fn list_steps(tx: &Tx<'_>, key: TransferKey) -> Result<Vec<Step>, Fault> {
    store::list_steps(tx, key).await
}
