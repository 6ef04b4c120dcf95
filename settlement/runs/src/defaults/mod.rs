//! Defaults: a vendor has not made its transfers of a run, and the rule of the scheme is carried out.
//!
//! Shape: [`Defaults::declare`] is what an operator asks for, [`Defaults::declare_due`] what the house does by itself when the time to try
//! again is up. Either reads what the run was netted from, which never changes, and then, in one tx, asks [`netting::clearing::replace`] what takes
//! the place of the failed transfers, ends these, records what is owed in the scheme's open window, takes from the vendor's collateral what is paid
//! out of it, and leaves the vendor out of the next runs. What is paid out of collateral ([`draws`]), the operator pays, says so, and puts right
//! what was mistyped of it: the house instructs no bank by itself.
//!
//! A vendor defaults once in a run, when none of its transfers there is on its way any more; under `carry_over`, whose failed transfers are
//! rolled one by one, only if the operator says so. The rule is for the first default of a run: what a later one fails may follow from what the first
//! one cost it, so its transfers are carried over, and it is left out as well. A transfer from or to the house has no place here: obligations are
//! between vendors.

mod draws;
mod draws_store;
mod store;

use crate::exclusions;
use crate::ids::default_id;
use crate::renetting::NettedFrom;
use crate::steps::{Actor, RunState, check_reason};
use crate::transfers::{self, NewStep, Reason, TransferState};
use crate::windows;
pub(crate) use draws::draw_reference;
pub use draws::{Booking, Correction, Draw, NewPayment, Paid, draws_csv};
pub use draws_store::STATEMENTS as DRAW_STATEMENTS;
use jiff::Timestamp;
use ledger::obligations::{LEAF_KEY, NewObligation, Recorder};
use ledger::{Clock, Db, Failure, Fault, TermsChange, Tx, read_time};
use netting::Network;
use netting::clearing::{self, FailureError, Missed, Payment, Replacement, Rule};
use scrip::{Micro, OperationId, RunId, Scale, SchemeId, VendorId};
use std::sync::Arc;
pub(crate) use store::list_replaced;
pub use store::{STATEMENTS, list, tell_house};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// A default as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Default {
    /// Its id: that of the obligations it left.
    pub id: Uuid,
    /// Who has not paid.
    pub vendor: String,
    /// Who bears it.
    pub rule: Rule,
    /// Who said so, and why; only for the house.
    pub declared: Option<(Actor, String)>,
    /// When.
    pub declared_at: Timestamp,
    /// The transfers whose place is taken, as far as whoever looks may see them.
    pub failed: Micro,
    /// What is paid to whom out of what the house holds of the vendor.
    pub draws: Vec<Draw>,
    /// Debtor, creditor, and what is owed since.
    pub debts: Vec<(String, String, Micro)>,
}

/// Why no default is declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefaultRefusal {
    /// Not there.
    #[error("there is no such run")]
    RunNotFound,
    /// Nothing can have failed yet, or everything has ended.
    #[error("the run is {state}; a vendor defaults while the run is settling")]
    RunNotSettling {
        /// What it is.
        state: RunState,
    },
    /// It pays nothing in this run.
    #[error("no transfer of this run is to be made by a vendor of that code")]
    NotPayer,
    /// Some of its transfers may still arrive.
    #[error("transfer {number} of the vendor is {state}; a vendor defaults when each of its transfers has ended or failed")]
    TransferOnItsWay {
        /// Which.
        number: i64,
        /// Where it stands.
        state: TransferState,
    },
    /// All were received.
    #[error("none of the vendor's transfers in this run stands failed")]
    NothingFailed,
    /// An obligation is between vendors.
    #[error("a transfer with the house cannot be owed again: obligations are between vendors; retry it or write it off")]
    HouseIsCreditor,
    /// As for every reason.
    #[error("a reason has 1 to {} characters, none of them a control character", crate::steps::REASON_LENGTH_MAX)]
    ReasonMalformed,
    /// The open window holds as much as a run can net.
    #[error("the scheme's open window is full; settle it first")]
    WindowFull,
    /// Nothing is paid so.
    #[error("no default of that vendor in this run pays anything to that payee")]
    DrawNotFound,
    /// A payment is said once, and then corrected.
    #[error("it is paid already, and in other words; give a reason to put right what was said")]
    DrawPaid,
    /// A reason is given for a correction.
    #[error("it is not said to be paid yet, so there is nothing to put right; leave the reason out")]
    DrawNotPaid,
    /// As for marks.
    #[error("bank_reference: it is one line of 1 to {} characters", crate::transfers::BANK_REFERENCE_CHARS_MAX)]
    BankReferenceMalformed,
    /// No day.
    #[error("booked_on: a day looks like 2026-11-23")]
    BookedOnMalformed,
    /// It has not begun anywhere.
    #[error("booked_on: that day is still to come")]
    BookedOnInFuture,
}

type Answer<T> = Result<T, Failure<DefaultRefusal>>;

/// How often a default is declared anew that another writer got in the way of, in the very same microsecond.
const ATTEMPTS_MAX: u32 = 10;

/// What the history says where the house declares it.
const GRACE_IS_OVER: &str = "the time to try again is up";

/// The service: declares defaults.
#[derive(Debug, Clone)]
pub struct Defaults {
    db: Db,
    clock: Clock,
    /// One at a time: each reads all pairs of a run.
    gate: Arc<Semaphore>,
}

/// A transfer that the vendor was to make.
#[derive(Debug)]
struct Standing {
    key: transfers::TransferKey,
    standing: transfers::Standing,
    /// The code of whoever is paid; the house's word where it is the house.
    payee: String,
    amount: Micro,
}

/// What a default starts from.
#[derive(Debug)]
struct Case {
    run: RunId,
    scheme: SchemeId,
    digits: Scale,
    rule: Rule,
    vendor: (VendorId, String),
    failed: Vec<Standing>,
    /// Whether the scheme's next runs leave the vendor out.
    is_left_out: bool,
}

impl Defaults {
    /// The service on a database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, gate: Arc::new(Semaphore::new(1)) }
    }

    /// Declares that the vendor has not paid in this run, and carries out the rule of the scheme. False: it was declared before, and stays as
    /// it is.
    pub async fn declare(&self, run: RunId, vendor: &str, reason: &str, actor: &Actor) -> Answer<bool> {
        check_reason(reason).map_err(|_refused| Failure::Refused(DefaultRefusal::ReasonMalformed))?;
        let mut attempts_left = ATTEMPTS_MAX;
        loop {
            match self.try_declare(run, vendor, reason, actor).await {
                Err(Failure::Fault(fault)) if fault.constraint() == Some(LEAF_KEY) && attempts_left > 1 => {
                    tracing::info!(attempts_left, %fault, "a default is declared again");
                    attempts_left = attempts_left.saturating_sub(1);
                }
                result => return result,
            }
        }
    }

    /// Declares what is due by itself: where the scheme's rule is another one than `carry_over`, the time to try again is up for all that has
    /// failed of a vendor's, and nothing of it is on its way. How many that were; one that cannot be now waits for the next beat.
    pub async fn declare_due(&self) -> Result<usize, Fault> {
        let due = {
            let mut connection = self.db.connection().await?;
            store::list_due(&connection.begin_house().await?, self.clock.now(), None).await?
        };
        let mut declared = 0_usize;
        for (run, vendor) in due {
            match self.declare(run, &vendor, GRACE_IS_OVER, &Actor::House).await {
                Ok(true) => declared = declared.saturating_add(1),
                // Somebody was faster.
                Ok(false) => (),
                Err(Failure::Refused(refusal)) => tracing::warn!(%run, vendor, %refusal, "a default is not declared"),
                // The others are not kept waiting.
                Err(Failure::Fault(fault)) => tracing::error!(%run, vendor, %fault, "a default is not declared"),
            }
        }
        Ok(declared)
    }

    async fn try_declare(&self, run: RunId, vendor: &str, reason: &str, actor: &Actor) -> Answer<bool> {
        let Ok(_one_at_a_time) = self.gate.acquire().await else {
            return Err(Fault::Unreadable("a gate that is closed".to_owned()).into());
        };
        let mut connection = self.db.connection().await?;
        // Before the run is locked: what was netted never changes, and takes its time.
        let tx = connection.begin_house().await?;
        if self.judge(&tx, run, vendor, actor).await?.is_none() {
            return Ok(false);
        }
        let network = NettedFrom::read(&tx, run).await?.netted().map_err(|e| Fault::Unreadable(format!("run {run}: {e}")))?;
        drop(tx);

        let tx = connection.begin_house().await?;
        let locked = transfers::lock_run(&tx, run).await?.is_some();
        let Some(case) = self.judge(&tx, run, vendor, actor).await?.filter(|_| locked) else { return Ok(false) };
        let collateral = store::lock_collateral(&tx, &case).await?;
        let (case, replacement) = on_own_thread(move || replace(case, collateral, &network)).await?;
        carry_out(&tx, &case, collateral, &replacement, reason, actor, self.clock.now()).await?;
        tx.commit().await?;
        tracing::warn!(%run, vendor = case.vendor.1, rule = %case.rule, %actor, "a vendor has defaulted");
        Ok(true)
    }

    /// None: the vendor has defaulted in the run before; or the house was to declare it, and it is not due any more.
    async fn judge(&self, tx: &Tx<'_>, run: RunId, vendor: &str, actor: &Actor) -> Answer<Option<Case>> {
        let refused = |refusal| Err(Failure::Refused(refusal));
        let Some(Terms { state, scheme, digits, rule }) = store::find_terms(tx, run).await? else {
            return refused(DefaultRefusal::RunNotFound);
        };
        let Some(id) = store::find_payer(tx, run, vendor).await? else { return refused(DefaultRefusal::NotPayer) };
        let earlier = store::list_earlier(tx, run).await?;
        if earlier.contains(&id) {
            return Ok(None);
        }
        if state != RunState::Settling {
            return refused(DefaultRefusal::RunNotSettling { state });
        }
        if *actor == Actor::House && store::list_due(tx, self.clock.now(), Some((run, vendor))).await?.is_empty() {
            return Ok(None);
        }
        let mut failed = Vec::new();
        for standing in store::list_transfers(tx, run, id).await? {
            let state = standing.standing.state;
            if state == TransferState::Failed {
                failed.push(standing);
            } else if !state.is_final() {
                return refused(DefaultRefusal::TransferOnItsWay { number: standing.key.number, state });
            }
        }
        if failed.is_empty() {
            return refused(DefaultRefusal::NothingFailed);
        }
        let is_left_out = rule != Rule::CarryOver;
        let rule = if earlier.is_empty() { rule } else { Rule::CarryOver };
        Ok(Some(Case { run, scheme, digits, rule, vendor: (id, vendor.to_owned()), failed, is_left_out }))
    }
}

/// A default with what it was decided on, and what took the place of the failed transfers.
#[derive(Debug)]
pub(crate) struct Replaced {
    pub(crate) id: Uuid,
    pub(crate) run: RunId,
    pub(crate) digits: Scale,
    pub(crate) vendor: String,
    pub(crate) rule: Rule,
    /// What the house held of the vendor.
    pub(crate) collateral: Micro,
    pub(crate) failed: Vec<Payment>,
    pub(crate) draws: Vec<Payment>,
    pub(crate) debts: Vec<(String, String, Micro)>,
}

impl Replaced {
    /// Whether this is what the rule says, for what was netted in the run.
    pub(crate) fn is_by_rule(&self, network: &Network) -> bool {
        let missed = Missed { party: &self.vendor, collateral: self.collateral, failed: &self.failed };
        clearing::replace(network, self.rule, &missed, self.digits).is_ok_and(|replacement| {
            let owed = replacement.owed.iter().map(|owed| (owed.debtor.as_str(), owed.creditor.as_str(), owed.amount));
            replacement.draws == self.draws && owed.eq(self.debts.iter().map(|(d, c, amount)| (d.as_str(), c.as_str(), *amount)))
        })
    }
}

/// The run that a default is judged in, and the scheme's say.
struct Terms {
    state: RunState,
    scheme: SchemeId,
    digits: Scale,
    rule: Rule,
}

fn replace(case: Case, collateral: Micro, network: &Network) -> Answer<(Case, Replacement)> {
    let failed: Vec<Payment> = case.failed.iter().map(|t| Payment { payee: t.payee.clone(), amount: t.amount }).collect();
    let missed = Missed { party: &case.vendor.1, collateral, failed: &failed };
    let replaced = clearing::replace(network, case.rule, &missed, case.digits);
    let replacement = replaced.map_err(|error| match error {
        FailureError::HouseIsCreditor => Failure::Refused(DefaultRefusal::HouseIsCreditor),
        FailureError::UnknownParty { .. }
        | FailureError::NamedTwice { .. }
        | FailureError::CollateralNegative { .. }
        | FailureError::TooManyDefaulters => Failure::Fault(Fault::Unreadable(format!("run {}: {error}", case.run))),
    })?;
    Ok((case, replacement))
}

/// Writes all of it, and takes the transfers and their run to where they end.
async fn carry_out(
    tx: &Tx<'_>,
    case: &Case,
    collateral: Micro,
    replacement: &Replacement,
    reason: &str,
    actor: &Actor,
    now: Timestamp,
) -> Answer<()> {
    let (vendor, code) = &case.vendor;
    let id = default_id(case.run, *vendor);
    let ids = store::list_ids(tx, replacement).await?;
    let debts = store::to_obligations(replacement, &ids)?;
    let declared_at = read_time(tx).await?;
    store::insert(tx, id, case, collateral, reason, actor, declared_at).await?;
    draws_store::insert(tx, id, &replacement.draws, &ids).await?;
    store::insert_debts(tx, id, &debts).await?;
    let moving = windows::begin_moving(tx, case.scheme).await?;
    end_transfers(&moving, case, id, actor, declared_at).await?;
    record(&moving, case, id, &debts).await?;
    // Only now: whoever adds members holds the terms and waits for a member that changes.
    store::take_collateral(tx, case, &replacement.draws).await?;
    if case.is_left_out {
        exclusions::exclude(tx, case.scheme, code, reason, actor, now).await.map_err(|failure| match failure {
            Failure::Refused(refusal) => Fault::Unreadable(format!("a vendor that defaults is not left out: {refusal}")),
            Failure::Fault(fault) => fault,
        })?;
    }
    transfers::end_settling(tx, case.run).await?;
    Ok(())
}

async fn end_transfers(tx: &TermsChange<'_, '_>, case: &Case, id: Uuid, actor: &Actor, at: Timestamp) -> Result<(), Fault> {
    let reason = Reason { code: None, text: Some(format!("the vendor has defaulted; {} was carried out", case.rule)) };
    let step = |failed: &Standing| {
        let next = failed.standing.become_state(TransferState::Rolled)?;
        Some(NewStep {
            transfer: failed.key,
            from: failed.standing.state,
            next,
            bank_reference: None,
            booked_on: None,
            reason: reason.clone(),
        })
    };
    let steps: Option<Vec<NewStep>> = case.failed.iter().map(step).collect();
    let steps = steps.ok_or_else(|| Fault::Unreadable("a failed transfer that cannot be rolled".to_owned()))?;
    transfers::roll_steps(tx, &steps, actor, at).await?;
    store::name_default(tx, case.run, &steps, id).await
}

/// What is owed since. It and the draws are what the failed transfers would have moved, of every vendor, and those are rolled and count no more.
async fn record(tx: &TermsChange<'_, '_>, case: &Case, id: Uuid, debts: &[NewObligation]) -> Answer<()> {
    let recorded = windows::record_moved(tx, case.scheme, Recorder::Default, OperationId::new(id), debts).await;
    recorded.map_err(|fault| if windows::is_full(&fault) { Failure::Refused(DefaultRefusal::WindowFull) } else { Failure::Fault(fault) })
}

/// Sums over all pairs of a run, and large numbers: not on a thread that others wait for.
async fn on_own_thread<T: Send + 'static>(work: impl FnOnce() -> Answer<T> + Send + 'static) -> Answer<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(bug) => Err(Fault::Unreadable(format!("a default met a bug: {bug}")).into()),
    }
}
