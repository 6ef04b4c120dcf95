//! Transfers after their run is exported: what payers, payees, the operator and banks say became of them.
//!
//! Shape: [`states`] is the table of steps, [`rules`] says who may take which and what has to be said with it, [`reasons`] is the closed list
//! of reasons; all three are pure. [`Transfers`] marks: it locks the run, resolves the caller's key, asks the rules, and writes the transfer,
//! its step and the answer in one tx. Banks mark many at once through [`crate::confirmations`]. What
//! failed and is not tried again in time, [`Transfers::roll_due`] rolls where the scheme carries failures over; by other rules it is a matter
//! of [`crate::defaults`].
//!
//! The first step makes the run `settling`, the last one `settled`. Nothing here changes or deletes a step, an obligation, an amount or a party.

mod reasons;
mod rules;
mod states;
mod store;

use crate::ids::marks_id;
use crate::steps::{self, Actor, LockedRun, RunState, StepRefusal};
use crate::windows;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::obligations::{LEAF_KEY, NewObligation, Recorder};
use ledger::{Claim, Clock, Db, Failure, Fault, Tx, read_time};
pub use reasons::{REASON_CODES, Reason, ReasonCode};
pub(crate) use rules::{BANK_REFERENCE_CHARS_MAX, Mark, Parties, is_bank_reference, judge};
pub use rules::{MarkRefusal, NewMark, Side, next_steps};
use scrip::{Micro, OperationId, RunId, Scale, SchemeId, VendorId};
pub use states::{Standing, TransferState};
use std::collections::HashMap;
pub use store::STATEMENTS;
pub(crate) use store::{roll_steps, take_steps, to_reason, to_standing, to_state};
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
    pub run_state: RunState,
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
            Actor::House => Some(Side::House),
            Actor::Vendor(_) => None,
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
    pub stepped_at: Timestamp,
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
    /// The transfer, as it stood before this request.
    pub transfer: UnderSettlement,
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

    /// Rolls what failed and whose time to be tried again is up, in schemes that carry failures over: how many transfers that were. One that
    /// cannot be rolled now, because the open window is full, waits for the next beat.
    pub async fn roll_due(&self, now: Timestamp) -> Result<usize, Fault> {
        let mut connection = self.db.connection().await?;
        let due = store::list_due(&connection.begin_house().await?, now).await?;
        let mut rolled = 0_usize;
        for key in due {
            let tx = connection.begin_house().await?;
            match roll_by_itself(&tx, key).await {
                Ok(true) => {
                    tx.commit().await?;
                    rolled = rolled.saturating_add(1);
                }
                Ok(false) => (),
                Err(Failure::Refused(refusal)) => {
                    tracing::warn!(run = %key.run, transfer = key.number, %refusal, "a transfer is not rolled")
                }
                Err(Failure::Fault(fault)) => return Err(fault),
            }
        }
        Ok(rolled)
    }

    /// One tx: lock, resolve the key, judge, take the step, answer.
    async fn try_mark(&self, actor: &Actor, key: TransferKey, claim: &Claim, new: &NewMark) -> Result<Marked, Failure<MarkRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let locked = lock_run(&tx, key.run).await?;
        let found = store::find(&tx, key).await?;
        if let Some((request_hash, answer)) = store::find_claim(&tx, claim).await? {
            return replay(&tx, found, claim, &request_hash, &answer).await;
        }
        let (locked, transfer) = locked.zip(found).ok_or(Failure::Refused(MarkRefusal::TransferNotFound))?;
        let side = transfer.side_of(actor).ok_or(Failure::Refused(MarkRefusal::TransferNotFound))?;
        let mark = rules::read(new, self.clock.now()).map_err(Failure::Refused)?;
        let next = judge(&mark, side, transfer.standing, locked.state, transfer.parties()).map_err(Failure::Refused)?;

        let Mark { to: _, bank_reference, booked_on, reason } = mark;
        let step = NewStep { transfer: key, from: transfer.standing.state, next, bank_reference, booked_on, reason };
        let stepped_at = read_time(&tx).await?;
        let seq = take(&tx, &locked, &transfer, step, actor, stepped_at).await?;
        if !store::claim(&tx, claim, &seq.to_string(), stepped_at).await? {
            return Err(Failure::Refused(MarkRefusal::KeyReused));
        }
        let step = store::get_step(&tx, key, seq).await?;
        tx.commit().await?;
        Ok(Marked { transfer, step, replayed: false })
    }
}

/// Takes a transfer a step further, and its run with it; answers with the number of the step.
async fn take(
    tx: &Tx<'_>,
    locked: &LockedRun,
    transfer: &UnderSettlement,
    step: NewStep,
    actor: &Actor,
    stepped_at: Timestamp,
) -> Result<i32, Failure<MarkRefusal>> {
    begin_settling(tx, locked).await?;
    let seqs = if step.next.state == TransferState::Rolled {
        roll(tx, transfer, step, actor, stepped_at).await?
    } else {
        store::take_steps(tx, &[step], actor, None, stepped_at).await?
    };
    end_settling(tx, locked.id).await?;
    Ok(seqs.get(&transfer.key).copied().ok_or_else(|| Fault::Unreadable("a step without a number".to_owned()))?)
}

/// The answer that the key had before. The path is part of the hash, so it is about the same transfer.
async fn replay(
    tx: &Tx<'_>,
    found: Option<UnderSettlement>,
    claim: &Claim,
    request_hash: &[u8],
    answer: &str,
) -> Result<Marked, Failure<MarkRefusal>> {
    let reused = || Failure::Refused(MarkRefusal::KeyReused);
    let transfer = found.filter(|_| request_hash == claim.request_hash).ok_or_else(reused)?;
    let seq = answer.parse().map_err(|_| Fault::Unreadable(format!("the answer {answer}")))?;
    let step = store::get_step(tx, transfer.key, seq).await?;
    Ok(Marked { transfer, step, replayed: true })
}

/// Rolls a transfer, if it still stands failed; false: somebody was faster.
async fn roll_by_itself(tx: &Tx<'_>, key: TransferKey) -> Result<bool, Failure<MarkRefusal>> {
    let Some((locked, transfer)) = lock_run(tx, key.run).await?.zip(store::find(tx, key).await?) else { return Ok(false) };
    let standing = transfer.standing;
    let Some(next) = standing.become_state(TransferState::Rolled).filter(|_| standing.state == TransferState::Failed) else {
        return Ok(false);
    };
    let reason = Reason { code: None, text: Some("the time to try again is up".to_owned()) };
    let step = NewStep { transfer: key, from: standing.state, next, bank_reference: None, booked_on: None, reason };
    take(tx, &locked, &transfer, step, &Actor::House, read_time(tx).await?).await?;
    Ok(true)
}

/// The transfer is owed again: from its payer to its payee, in the scheme's open window.
async fn roll(
    tx: &Tx<'_>,
    transfer: &UnderSettlement,
    step: NewStep,
    actor: &Actor,
    stepped_at: Timestamp,
) -> Result<HashMap<TransferKey, i32>, Failure<MarkRefusal>> {
    let UnderSettlement { id, payer: Some(payer), payee: Some(payee), amount, scheme, .. } = transfer else {
        return Err(Failure::Refused(MarkRefusal::RollNeedsTwoVendors));
    };
    let owed = [NewObligation { debtor: payer.id, creditor: payee.id, amount: *amount }];
    let moving = windows::begin_moving(tx, *scheme).await?;
    let seqs = store::roll_steps(&moving, &[step], actor, stepped_at).await?;
    let recorded = windows::record_moved(&moving, *scheme, Recorder::Roll, OperationId::new(*id), &owed).await;
    recorded.map_err(|fault| if windows::is_full(&fault) { Failure::Refused(MarkRefusal::WindowFull) } else { Failure::Fault(fault) })?;
    Ok(seqs)
}

/// The run, which nobody else changes until the tx ends. Whatever happens to the transfers of a run happens under this lock: the last one
/// to end settles the run.
pub(crate) async fn lock_run(tx: &Tx<'_>, run: RunId) -> Result<Option<LockedRun>, Fault> {
    match steps::lock(tx, run).await {
        Ok(locked) => Ok(Some(locked)),
        Err(Failure::Refused(_)) => Ok(None),
        Err(Failure::Fault(fault)) => Err(fault),
    }
}

/// From the first step of its transfers on, a run is settling.
pub(crate) async fn begin_settling(tx: &Tx<'_>, locked: &LockedRun) -> Result<(), Fault> {
    if locked.state == RunState::Exported {
        follow(steps::advance(tx, locked, RunState::Settling, &Actor::House, None).await)
    } else {
        Ok(())
    }
}

/// With the last step of its transfers, a run is settled.
pub(crate) async fn end_settling(tx: &Tx<'_>, run: RunId) -> Result<(), Fault> {
    if store::has_unfinished(tx, run).await? {
        return Ok(());
    }
    let locked = lock_run(tx, run).await?.ok_or_else(|| Fault::Unreadable(format!("run {run} is gone")))?;
    follow(steps::advance(tx, &locked, RunState::Settled, &Actor::House, None).await)
}

/// A run follows its transfers by itself: that it may is known by now.
fn follow(stepped: Result<(), Failure<StepRefusal>>) -> Result<(), Fault> {
    stepped.map_err(|failure| match failure {
        Failure::Refused(refusal) => Fault::Unreadable(format!("a run does not follow its transfers: {refusal}")),
        Failure::Fault(fault) => fault,
    })
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
