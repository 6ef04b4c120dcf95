//! Defaults as they are declared and looked at.

use super::{Answer, Settlement, SettlementRefusal, Viewer};
use ledger::{Failure, Fault};
use runs::defaults::{self, Default, DefaultRefusal, NewPayment};
use runs::{Actor, Run};
use scrip::RunId;

impl Settlement {
    /// Declares that the vendor has not paid in the run, which it does once; answers with the default and its run.
    pub(crate) async fn declare_default(&self, run: RunId, vendor: &str, reason: &str, actor: &Actor) -> Answer<(Default, Run)> {
        self.defaults.declare(run, vendor, reason, actor).await.map_err(refused)?;
        self.find_default(run, vendor).await
    }

    /// Says that what the vendor's default pays to the payee is paid, or puts right what was said of that; answers with the default and its run.
    pub(crate) async fn pay_draw(
        &self,
        run: RunId,
        vendor: &str,
        payee: &str,
        payment: &NewPayment,
        actor: &Actor,
    ) -> Answer<(Default, Run)> {
        self.defaults.pay_draw(run, vendor, payee, payment, actor).await.map_err(refused)?;
        self.find_default(run, vendor).await
    }

    async fn find_default(&self, run: RunId, vendor: &str) -> Answer<(Default, Run)> {
        let (defaults, run) = self.list_defaults(Viewer::House, run, None, i64::MAX).await?;
        let declared = defaults.into_iter().find(|default| default.vendor == vendor);
        declared.map(|default| (default, run)).ok_or_else(|| Fault::Unreadable(format!("the default of {vendor} is gone")).into())
    }

    /// The run and its defaults, of vendors with a code above `after`.
    pub(crate) async fn list_defaults(&self, viewer: Viewer, run: RunId, after: Option<String>, limit: i64) -> Answer<(Vec<Default>, Run)> {
        let run = self.get_run(viewer, run).await?;
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        let mut found = defaults::list(&tx, run.id, after.as_deref().unwrap_or_default(), limit).await?;
        if viewer == Viewer::House {
            defaults::tell_house(&tx, &mut found).await?;
        }
        Ok((found, run))
    }

    /// Declares what is due by itself: how many defaults that were.
    pub(crate) async fn declare_due(&self) -> Result<usize, Fault> {
        self.defaults.declare_due().await
    }
}

fn refused(failure: Failure<DefaultRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(DefaultRefusal::RunNotFound) => Failure::Refused(SettlementRefusal::RunNotFound),
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Default(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}
