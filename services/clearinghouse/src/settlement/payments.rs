//! What is to be paid, as a bank takes it, and the templates for that.

use super::{Answer, Settlement, SettlementRefusal, Viewer};
use ledger::{Failure, Fault};
use runs::payments::{self, BankTemplate, NewTemplate, PaymentRefusal, Template, Wanted, Written};
use scrip::{Code, RunId};

/// Which payments somebody asks for.
#[derive(Debug)]
pub(crate) struct PaymentsAsked {
    pub(crate) template: String,
    pub(crate) payer: Option<String>,
    pub(crate) pay_on: Option<String>,
    pub(crate) leaves_out: bool,
}

impl Settlement {
    /// Makes a template, or replaces it if it is at the version that somebody means; and whether it was not there before.
    pub(crate) async fn keep_bank_template(
        &self,
        code: &str,
        is_expected: Option<impl Fn(i64) -> bool>,
        template: NewTemplate,
    ) -> Answer<(BankTemplate, bool)> {
        let code = Code::parse(code).map_err(|_| Failure::Refused(SettlementRefusal::CodeMalformed))?;
        let template = Template::parse(template).map_err(|malformed| Failure::Refused(SettlementRefusal::BankTemplate(malformed)))?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let kept = payments::keep(&tx, code, template, is_expected).await.map_err(refused)?;
        tx.commit().await?;
        Ok(kept)
    }

    pub(crate) async fn get_bank_template(&self, code: &str) -> Answer<BankTemplate> {
        let mut connection = self.db.connection().await?;
        payments::find(&connection.begin_house().await?, code).await.map_err(refused)
    }

    /// Templates with a code above `after`.
    pub(crate) async fn list_bank_templates(&self, after: Option<String>, limit: i64) -> Result<Vec<BankTemplate>, Fault> {
        let mut connection = self.db.connection().await?;
        payments::list(&connection.begin_house().await?, after.as_deref().unwrap_or_default(), limit).await
    }

    /// What of the run waits for its payer, which a vendor is itself. Who took what is told in the log: nothing of it is stored.
    pub(crate) async fn write_payments(&self, viewer: Viewer, run: RunId, asked: &PaymentsAsked) -> Answer<Written> {
        self.get_run(viewer, run).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_snapshot().await?;
        let run = super::find_run(&tx, run).await?;
        let PaymentsAsked { template, payer, pay_on, leaves_out } = asked;
        let (payer, pay_on) = (payer.as_deref(), pay_on.as_deref());
        let wanted = Wanted { template, vendor: viewer.vendor(), payer, pay_on, leaves_out: *leaves_out };
        let written = payments::write(&tx, &run, &wanted).await.map_err(refused)?;
        let Written { count, sum, .. } = &written;
        tracing::info!(run = %run.id, ?viewer, template, payer, count, sum_micro = sum.units(), "payments were taken");
        Ok(written)
    }
}

fn refused(failure: Failure<PaymentRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Payment(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}
