//! Steps of a run: `computed -> proposed -> approved -> exported -> settling -> settled`, or `voided` from the first four.
//!
//! Shape: [`advance`] is the one way to another state: it locks the run, asks the table of legal steps, and writes the step and the
//! state together. The database holds both against the same table. [`propose`], [`approve`], [`export`] and [`void`] are what people
//! ask for; asked for again by the same person, a step that was the last one is answered and not taken twice.
//!
//! Approval binds the output hash, and the approver is not the proposer: a key of the operator stands for a person. Nothing here
//! computes, and nothing changes a transfer.

mod state;
mod store;

use crate::disputes::{self, NotAgreed};
use crate::seals::Hash;
use crate::windows;
use jiff::Timestamp;
use ledger::obligations::{NewObligation, Recorder};
use ledger::{Failure, Fault, Tx, change_terms, lock_scheme_runs, read_time, release_window};
use scrip::{OperationId, RunId, SchemeId};
pub use state::{Actor, RunState, Step};
pub use store::STATEMENTS;
pub(crate) use store::find_scheme;

/// The longest reason, in characters.
pub const REASON_LENGTH_MAX: usize = 500;

/// Why a run does not take a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepRefusal {
    /// There is no such run, or the caller may not see it.
    #[error("there is no such run")]
    RunNotFound,
    /// The state does not lead there.
    #[error("a run that is {from} cannot become {to}")]
    IllegalStep {
        /// What it is.
        from: RunState,
        /// What was asked for.
        to: RunState,
    },
    /// Whoever proposed it may not approve it.
    #[error("whoever proposed a run cannot approve it; ask a second person, with a key of their own")]
    ApproverIsProposer,
    /// The approver read another result than the run has.
    #[error("the output_hash is not that of the run; read the run again and approve what it says")]
    OutputHashDiffers,
    /// Its windows would be netted, and paid, once more.
    #[error(
        "an exported run may be on its way to a bank; recall what was instructed and say so with instructions_recalled, or mark its transfers"
    )]
    InstructionsNotRecalled,
    /// Void it, and the next run holds back what is disputed; or wait until the disputes end.
    #[error("{count} obligations of this run are disputed")]
    Disputed {
        /// How many.
        count: i64,
    },
    /// Vendors have time to look at it.
    #[error("vendors may dispute this run until {until}, unless all of them acknowledge it before")]
    MayBeDisputed {
        /// Until when.
        until: Timestamp,
    },
    /// Neither empty nor longer than 500 characters, and no control characters.
    #[error("a reason has 1 to {} characters, none of them a control character", REASON_LENGTH_MAX)]
    ReasonMalformed,
}

type Answer<T> = Result<T, Failure<StepRefusal>>;

/// Why a run is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVoid {
    /// For the history.
    pub reason: String,
    /// Of an exported run: whoever has its bank files knows that they are not to be carried out.
    pub instructions_recalled: bool,
}

/// A run that is locked until the tx ends, as far as steps depend on it.
#[derive(Debug, Clone)]
pub(crate) struct LockedRun {
    pub(crate) id: RunId,
    pub(crate) state: RunState,
    pub(crate) output_hash: Hash,
}

/// Lays the run before a second person.
pub(crate) async fn propose(tx: &Tx<'_>, run: RunId, actor: &Actor) -> Answer<()> {
    let locked = lock(tx, run).await?;
    take(tx, locked, RunState::Proposed, actor, None).await
}

/// Agrees to the result that `output_hash` names.
pub(crate) async fn approve(tx: &Tx<'_>, run: RunId, output_hash: &Hash, actor: &Actor, now: Timestamp) -> Answer<()> {
    let locked = lock(tx, run).await?;
    if locked.output_hash != *output_hash {
        return Err(Failure::Refused(StepRefusal::OutputHashDiffers));
    }
    let proposer = store::find_last(tx, run, RunState::Proposed).await?.map(|step| step.actor);
    if locked.state == RunState::Proposed && proposer.as_ref() == Some(actor) {
        return Err(Failure::Refused(StepRefusal::ApproverIsProposer));
    }
    if locked.state == RunState::Proposed {
        disputes::judge(tx, run, now).await?.map_err(|reason| {
            Failure::Refused(match reason {
                NotAgreed::Disputed(count) => StepRefusal::Disputed { count },
                NotAgreed::Until(until) => StepRefusal::MayBeDisputed { until },
            })
        })?;
    }
    take(tx, locked, RunState::Approved, actor, None).await
}

/// From now on the run's transfers are to be paid. A run without transfers has nothing to wait for, and is settled at once.
pub(crate) async fn export(tx: &Tx<'_>, run: RunId, actor: &Actor) -> Answer<()> {
    let locked = lock(tx, run).await?;
    let was = locked.state;
    take(tx, locked, RunState::Exported, actor, None).await?;
    if was == RunState::Approved && store::count_transfers(tx, run).await? == 0 {
        for state in [RunState::Settling, RunState::Settled] {
            let locked = lock(tx, run).await?;
            advance(tx, &locked, state, &Actor::House, None).await?;
        }
    }
    Ok(())
}

/// Takes the run back: its windows are free for the scheme's next run, and what it carried into an open window is owed the other way
/// round. The caller must not hold a lock of the scheme.
pub(crate) async fn void(tx: &Tx<'_>, scheme: SchemeId, run: RunId, void: &NewVoid, actor: &Actor) -> Answer<()> {
    let NewVoid { reason, instructions_recalled } = void;
    check_reason(reason)?;
    lock_scheme_runs(tx, scheme).await?;
    let locked = lock(tx, run).await?;
    let was = locked.state;
    if was == RunState::Exported && !instructions_recalled {
        return Err(Failure::Refused(StepRefusal::InstructionsNotRecalled));
    }
    take(tx, locked, RunState::Voided, actor, Some(reason)).await?;
    if was == RunState::Voided {
        return Ok(());
    }
    let taken_back: Vec<NewObligation> = store::list_carries(tx, run)
        .await?
        .into_iter()
        .map(|NewObligation { debtor, creditor, amount }| NewObligation { debtor: creditor, creditor: debtor, amount })
        .collect();
    let moving = windows::begin_moving(tx, scheme).await?;
    windows::record_moved(&moving, scheme, Recorder::Reversal, OperationId::new(run.uuid()), &taken_back).await?;
    store::free_windows(&moving, run).await?;
    Ok(())
}

/// A reason as it may be stored.
pub fn check_reason(reason: &str) -> Answer<()> {
    let length = reason.chars().count();
    if length == 0 || length > REASON_LENGTH_MAX || reason.chars().any(char::is_control) {
        return Err(Failure::Refused(StepRefusal::ReasonMalformed));
    }
    Ok(())
}

/// The run, locked until the tx ends.
pub(crate) async fn lock(tx: &Tx<'_>, run: RunId) -> Answer<LockedRun> {
    store::lock(tx, run).await?.ok_or(Failure::Refused(StepRefusal::RunNotFound))
}

/// Takes the step that somebody asks for, unless it was this person's last one already.
async fn take(tx: &Tx<'_>, locked: LockedRun, to: RunState, actor: &Actor, reason: Option<&str>) -> Answer<()> {
    if locked.state == to {
        let last = store::find_last(tx, locked.id, to).await?;
        if last.is_some_and(|step| step.actor == *actor && step.reason.as_deref() == reason) {
            return Ok(());
        }
    }
    advance(tx, &locked, to, actor, reason).await
}

/// Brings a locked run into another state and writes down who did it.
pub(crate) async fn advance(tx: &Tx<'_>, locked: &LockedRun, to: RunState, actor: &Actor, reason: Option<&str>) -> Answer<()> {
    if !locked.state.may_become(to) {
        return Err(Failure::Refused(StepRefusal::IllegalStep { from: locked.state, to }));
    }
    store::insert(tx, locked, to, actor, reason, read_time(tx).await?).await?;
    match to {
        RunState::Exported => store::export(&change_terms(tx).await?, locked.id).await?,
        RunState::Settled => {
            store::update_state(tx, locked.id, to).await?;
            release_windows(tx, locked.id).await?;
        }
        RunState::Computed | RunState::Proposed | RunState::Approved | RunState::Settling | RunState::Voided => {
            store::update_state(tx, locked.id, to).await?;
        }
    }
    tracing::info!(run = %locked.id, from = %locked.state, to = %to, %actor, "a run took a step");
    Ok(())
}

/// From the commit on, what the run's windows held counts under no cap any more.
async fn release_windows(tx: &Tx<'_>, run: RunId) -> Result<(), Fault> {
    let change_of_terms = change_terms(tx).await?;
    for window in store::list_windows(tx, run).await? {
        release_window(&change_of_terms, window).await?;
    }
    Ok(())
}

/// A scheme whose runs need nobody's approval: the run is proposed by the house in the tx that computes it.
pub(crate) async fn propose_by_itself(tx: &Tx<'_>, run: RunId) -> Result<(), Fault> {
    step_by_itself(tx, run, RunState::Proposed).await
}

/// And approved: at once, or when no vendor can dispute it any longer.
pub(crate) async fn approve_by_itself(tx: &Tx<'_>, run: RunId) -> Result<(), Fault> {
    step_by_itself(tx, run, RunState::Approved).await
}

async fn step_by_itself(tx: &Tx<'_>, run: RunId, to: RunState) -> Result<(), Fault> {
    let stepped = match lock(tx, run).await {
        Ok(locked) => advance(tx, &locked, to, &Actor::House, None).await,
        Err(failure) => Err(failure),
    };
    stepped.map_err(|failure| match failure {
        Failure::Refused(refusal) => Fault::Unreadable(format!("run {run}: {refusal}")),
        Failure::Fault(fault) => fault,
    })
}

/// Approves what the house proposed and vendors could dispute, once they agree: how many runs that were.
pub(crate) async fn approve_due(tx: &Tx<'_>, now: Timestamp) -> Result<usize, Fault> {
    let mut approved = 0_usize;
    for run in store::lock_due(tx, now).await? {
        if disputes::judge(tx, run, now).await?.is_ok() {
            approve_by_itself(tx, run).await?;
            approved = approved.saturating_add(1);
        }
    }
    Ok(approved)
}

/// The run's history, the oldest step first. For the house only.
pub async fn list(tx: &Tx<'_>, run: RunId) -> Result<Vec<Step>, Fault> {
    store::list(tx, run).await
}
