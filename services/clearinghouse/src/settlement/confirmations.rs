//! Confirmations as they are uploaded, looked at and applied; only the operator's.

use super::{Answer, Settlement, SettlementRefusal};
use bytes::Bytes;
use ledger::Failure;
use runs::Actor;
use runs::confirmations::{self, Confirmation, ConfirmationId, ConfirmationRefusal, Outcome, Uploaded, WorkItem};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

/// Uploads that are read at the same time. Each may take some 80 MB: its bytes, its entries, and what these are held against.
pub(super) const UPLOADS_MAX: usize = 2;

impl Settlement {
    /// A place for one upload, until it is dropped; refuses rather than waits.
    pub fn take_upload_place(&self) -> Result<OwnedSemaphorePermit, SettlementRefusal> {
        self.places.clone().try_acquire_owned().map_err(|_| SettlementRefusal::Overloaded)
    }

    /// Keeps what a bank says of the scheme's transfers; nothing moves yet.
    pub(crate) async fn upload_confirmation(&self, actor: Actor, scheme: &str, bytes: Bytes) -> Answer<Uploaded> {
        let scheme = self.get_scheme_id(scheme).await?;
        self.confirmations.upload(&actor, scheme, bytes).await.map_err(refuse_confirmation)
    }

    /// Says which transfers the entry means; others take the place of what was said before.
    pub(crate) async fn assign_transfers(
        &self,
        actor: Actor,
        id: ConfirmationId,
        entry: i32,
        references: &[String],
    ) -> Answer<(Confirmation, WorkItem)> {
        self.confirmations.assign(&actor, id, entry, references).await.map_err(refuse_confirmation)
    }

    /// Takes back what the entry was said to mean.
    pub(crate) async fn unassign_transfers(&self, actor: &Actor, id: ConfirmationId, entry: i32) -> Answer<()> {
        self.confirmations.unassign(actor, id, entry).await.map_err(refuse_confirmation)
    }

    /// Takes every transfer that it confirms or rejects a step further.
    pub(crate) async fn apply_confirmation(&self, actor: Actor, id: ConfirmationId) -> Answer<Confirmation> {
        self.confirmations.apply(&actor, id).await.map_err(refuse_confirmation)
    }

    pub(crate) async fn get_confirmation(&self, id: ConfirmationId) -> Answer<Confirmation> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        confirmations::find(&tx, id).await?.ok_or_else(not_found)
    }

    /// The scheme's confirmations, newest first.
    pub(crate) async fn list_confirmations(&self, scheme: &str, after: Option<Uuid>, limit: i64) -> Answer<Vec<Confirmation>> {
        let scheme = self.get_scheme_id(scheme).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(confirmations::list(&tx, scheme, after, limit).await?)
    }

    /// The confirmation, and its entries with a number above `after`: all, or those that come to this.
    pub(crate) async fn list_entries(
        &self,
        id: ConfirmationId,
        outcome: Option<&str>,
        after: Option<i32>,
        limit: i64,
    ) -> Answer<(Confirmation, Vec<WorkItem>)> {
        let unknown = Failure::Refused(SettlementRefusal::OutcomeUnknown);
        let outcome = outcome.map(|name| Outcome::parse(name).ok_or(unknown)).transpose()?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let confirmation = confirmations::find(&tx, id).await?.ok_or_else(not_found)?;
        Ok((confirmation, confirmations::list_entries(&tx, id, outcome, after.unwrap_or(0), limit).await?))
    }
}

fn not_found() -> Failure<SettlementRefusal> {
    Failure::Refused(SettlementRefusal::Confirmation(ConfirmationRefusal::ConfirmationNotFound))
}

fn refuse_confirmation(failure: Failure<ConfirmationRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Confirmation(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}
