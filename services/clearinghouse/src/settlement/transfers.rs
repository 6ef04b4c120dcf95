//! Transfers as they are looked at and marked.

use super::{Answer, Settlement, SettlementRefusal, Viewer};
use crate::refusal::{self, of_any};
use jiff::Timestamp;
use ledger::{Claim, Failure, Fault};
use runs::transfers::{self, MarkRefusal, Marked, NewMark, Step, UnderSettlement};
use runs::{Actor, TransferKey};

impl Settlement {
    /// The transfer and its steps.
    pub(crate) async fn get_transfer(&self, viewer: Viewer, key: TransferKey) -> Answer<(UnderSettlement, Vec<Step>)> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        let found = transfers::find(&tx, key).await?;
        let transfer = found.ok_or(Failure::Refused(SettlementRefusal::Mark(MarkRefusal::TransferNotFound)))?;
        Ok((transfer, transfers::list_steps(&tx, key).await?))
    }

    /// Rolls what failed and whose time to be tried again is up: how many transfers that were.
    pub(crate) async fn roll_due(&self, now: Timestamp) -> Result<usize, Fault> {
        self.transfers.roll_due(now).await
    }

    /// Takes the transfer a step further. The key is resolved before it is judged what was asked with it.
    pub(crate) async fn mark_transfer(
        &self,
        actor: Actor,
        key: TransferKey,
        claim: Claim,
        asked: refusal::Answer<NewMark>,
    ) -> refusal::Answer<Marked> {
        match asked {
            Ok(new) => self.transfers.mark(&actor, key, claim, &new).await.map_err(|failure| of_any(refuse_mark(failure))),
            Err(unreadable) => {
                self.transfers.judge_key(&actor, &claim).await.map_err(|failure| of_any(refuse_mark(failure)))?;
                Err(unreadable)
            }
        }
    }
}

fn refuse_mark(failure: Failure<MarkRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Mark(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}
