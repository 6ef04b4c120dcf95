//! Payments: what of a run is to be paid now, as the CSV that some bank takes.
//!
//! Shape: a [`Template`] (pure) says which columns the bank wants and how it writes amounts and days; it is kept under a name by [`keep`].
//! [`write`] makes a file of the transfers that wait for their payer, by a template, with the accounts as they are now. The files of a run say what
//! was computed, once and for ever; this says what is still to be done, so it leaves out what was sent, and has what is tried again.

mod store;
mod template;

use crate::files::{Account, paid, remittance};
use crate::ids::reference;
use crate::steps::RunState;
use crate::versions::{self, VersionRefusal};
use crate::{Run, days};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ledger::{Failure, Fault, Tx, read_time};
use scrip::{Code, VendorId};
use std::collections::BTreeSet;
pub use store::STATEMENTS;
pub use template::{COLUMNS_MAX, NewColumn, NewTemplate, TEXT_CHARS_MAX, Template, TemplateMalformed};
use uuid::Uuid;

/// The most payments of one file: as many as one confirmation can answer.
pub const PAYMENTS_MAX: usize = crate::confirmations::ENTRIES_MAX;
/// How many vendors without an account are named.
const NAMED_MAX: usize = 20;

/// A template under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankTemplate {
    /// What people call it, for ever.
    pub code: Code,
    /// How it is written by.
    pub template: Template,
    /// Begins at 1 and grows with each change.
    pub version: i64,
}

/// Either end of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Payer,
    Payee,
}

/// Who pays or is paid.
#[derive(Debug, Clone)]
struct PaymentParty {
    code: String,
    account: Option<Account>,
}

/// A transfer that is to be paid.
#[derive(Debug, Clone)]
struct Payment {
    number: i64,
    reference: String,
    remittance: String,
    /// In the currency's decimals.
    amount: String,
    currency: String,
    pay_on: Date,
    scheme: String,
    run: Uuid,
    payer: PaymentParty,
    payee: PaymentParty,
}

impl Payment {
    fn party(&self, side: Side) -> &PaymentParty {
        match side {
            Side::Payer => &self.payer,
            Side::Payee => &self.payee,
        }
    }
}

/// Which payments, and how.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The template's code.
    pub template: &'a str,
    /// Only those of this vendor.
    pub vendor: Option<VendorId>,
    /// Only those of the payer with this code, which may be the house's.
    pub payer: Option<&'a str>,
    /// The day that they are asked for, such as `2026-11-27`; today in UTC where nothing is said.
    pub pay_on: Option<&'a str>,
    /// Whether those that lack an account are left out, instead of there being no file.
    pub leaves_out: bool,
}

/// Why there is no template or no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentRefusal {
    /// None of that name.
    #[error("there is no such bank template")]
    TemplateNotFound,
    /// The template is there, and nobody said which version of it is to be replaced.
    #[error("the bank template is there already; say which version of it is to be replaced")]
    VersionRequired,
    /// The change was made for an older version.
    #[error("the bank template has changed since you read it; it is at version {version} now")]
    VersionMismatch {
        /// The version that is there.
        version: i64,
    },
    /// Nothing is to be paid before the run is exported, nor once it is settled or voided.
    #[error("the run is {state}; there is something to pay while it is exported or settling")]
    RunNotUnderSettlement {
        /// The state of the run.
        state: RunState,
    },
    /// No day.
    #[error("pay_on: a day looks like 2026-11-27")]
    PayOnMalformed,
    /// Nobody, or somebody who pays nothing in the run.
    #[error("{payer} pays nothing in the run")]
    NotPayer {
        /// Who was named.
        payer: String,
    },
    /// The bank would not know whom to pay, or from where.
    #[error("the template asks for accounts that were not given, such as by {}; ask for them, or say incomplete=leave_out", vendors.join(", "))]
    AccountsMissing {
        /// Whose, by code; the first twenty.
        vendors: Vec<String>,
    },
    /// More than a file has.
    #[error("there are more than {PAYMENTS_MAX} payments; ask payer by payer")]
    TooMany,
}

impl From<VersionRefusal> for PaymentRefusal {
    fn from(refusal: VersionRefusal) -> Self {
        match refusal {
            VersionRefusal::NotThere => Self::TemplateNotFound,
            VersionRefusal::Required => Self::VersionRequired,
            VersionRefusal::Mismatch(version) => Self::VersionMismatch { version },
        }
    }
}

type Answer<T> = Result<T, Failure<PaymentRefusal>>;

/// Makes the template, or replaces it if it is at the version that somebody means: as it is then, and whether it was not there before.
pub async fn keep(tx: &Tx<'_>, code: Code, template: Template, is_expected: Option<impl Fn(i64) -> bool>) -> Answer<(BankTemplate, bool)> {
    let there = store::lock_version(tx, &code).await?;
    let next = versions::next(there, is_expected).map_err(|refusal| Failure::Refused(refusal.into()))?;
    let kept = BankTemplate { code, template, version: next.unwrap_or(1) };
    if next.is_some() {
        store::update(tx, &kept).await?;
    } else if !store::insert(tx, &kept).await? {
        // Somebody else has made it meanwhile.
        return Err(Failure::Refused(PaymentRefusal::VersionRequired));
    }
    Ok((kept, next.is_none()))
}

/// The template of that name.
pub async fn find(tx: &Tx<'_>, code: &str) -> Answer<BankTemplate> {
    let not_found = || Failure::Refused(PaymentRefusal::TemplateNotFound);
    let code = Code::parse(code).map_err(|_| not_found())?;
    store::find(tx, &code).await?.ok_or_else(not_found)
}

/// Templates with a code above `after`, in byte order.
pub async fn list(tx: &Tx<'_>, after: &str, limit: i64) -> Result<Vec<BankTemplate>, Fault> {
    store::list(tx, after, limit).await
}

/// A file of what is to be paid, by number. Read as the house: a payer has to know its payees' accounts.
pub async fn write(tx: &Tx<'_>, run: &Run, wanted: &Wanted<'_>) -> Answer<Vec<u8>> {
    let template = find(tx, wanted.template).await?.template;
    if !matches!(run.state, RunState::Exported | RunState::Settling) {
        return Err(Failure::Refused(PaymentRefusal::RunNotUnderSettlement { state: run.state }));
    }
    if let Some(payer) = wanted.payer
        && !store::is_payer(tx, run.id, wanted, payer).await?
    {
        return Err(Failure::Refused(PaymentRefusal::NotPayer { payer: payer.to_owned() }));
    }
    let pay_on = match wanted.pay_on {
        Some(text) => days::read(text).ok_or(Failure::Refused(PaymentRefusal::PayOnMalformed))?,
        None => read_time(tx).await?.to_zoned(TimeZone::UTC).date(),
    };
    let waiting = store::list_waiting(tx, run.id, wanted).await?;
    if waiting.len() > PAYMENTS_MAX {
        return Err(Failure::Refused(PaymentRefusal::TooMany));
    }
    let payments: Vec<Payment> = waiting.into_iter().map(|waiting| payment(run, pay_on, waiting)).collect();
    let without: BTreeSet<&str> = payments.iter().flat_map(|payment| lacking(&template, payment)).collect();
    if !without.is_empty() && !wanted.leaves_out {
        let vendors = without.into_iter().take(NAMED_MAX).map(str::to_owned).collect();
        return Err(Failure::Refused(PaymentRefusal::AccountsMissing { vendors }));
    }
    let mut text = Vec::new();
    template.push_header(&mut text);
    payments.iter().filter(|payment| lacking(&template, payment).is_empty()).for_each(|payment| template.push(&mut text, payment));
    Ok(text)
}

/// Whose accounts the template asks for in vain.
fn lacking<'p>(template: &Template, payment: &'p Payment) -> Vec<&'p str> {
    let lacks = |side: &Side| template.needs_account(*side) && payment.party(*side).account.is_none();
    [Side::Payer, Side::Payee].into_iter().filter(lacks).map(|side| payment.party(side).code.as_str()).collect()
}

fn payment(run: &Run, pay_on: Date, waiting: store::Waiting) -> Payment {
    let store::Waiting { number, amount, payer, payee } = waiting;
    let reference = reference(run.id, number);
    Payment {
        number,
        remittance: remittance(&run.scheme, &reference),
        reference,
        amount: paid(amount, run.digits),
        currency: run.currency.clone(),
        pay_on,
        scheme: run.scheme.clone(),
        run: run.id.uuid(),
        payer,
        payee,
    }
}
