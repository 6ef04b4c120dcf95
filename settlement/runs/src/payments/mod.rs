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
use scrip::{Code, Micro, VendorId};
use std::collections::BTreeSet;
pub use store::STATEMENTS;
pub use template::{COLUMNS_MAX, NewColumn, NewTemplate, TEXT_CHARS_MAX, Template, TemplateMalformed};
use uuid::Uuid;

/// The most payments of one file: as many as one confirmation can answer.
pub const PAYMENTS_MAX: usize = crate::confirmations::ENTRIES_MAX;
/// The most bytes of one file.
const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
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

/// Either end of a transfer that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Payer,
    Payee,
}

/// Who pays or is paid.
#[derive(Debug, Clone)]
struct Party {
    code: String,
    account: Option<Account>,
}

/// A transfer that waits for its payer, as a file says it.
#[derive(Debug, Clone)]
struct Waiting {
    number: i64,
    reference: String,
    remittance: String,
    /// In the currency's decimals.
    amount: String,
    currency: String,
    pay_on: Date,
    scheme: String,
    run: Uuid,
    payer: Party,
    payee: Party,
}

impl Waiting {
    fn at(&self, end: End) -> &Party {
        match end {
            End::Payer => &self.payer,
            End::Payee => &self.payee,
        }
    }
}

/// What is to be paid, as some bank takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// UTF-8, by the template.
    pub text: Vec<u8>,
    /// How many payments.
    pub count: usize,
    /// What they sum to.
    pub sum: Micro,
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
    #[error("a file has at most {PAYMENTS_MAX} payments and 16 MiB; ask payer by payer, or mark what was sent")]
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

/// A file of what is to be paid, by number. The tx is a snapshot of the house's: a payer has to know its payees' accounts.
pub async fn write(tx: &Tx<'_>, run: &Run, wanted: &Wanted<'_>) -> Answer<Written> {
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
    let transfers = store::list_waiting(tx, run.id, wanted).await?;
    if transfers.len() > PAYMENTS_MAX {
        return Err(Failure::Refused(PaymentRefusal::TooMany));
    }
    let (payable, without): (Vec<_>, Vec<_>) = transfers.into_iter().partition(|transfer| lacking(&template, transfer).is_empty());
    if !without.is_empty() && !wanted.leaves_out {
        let vendors: BTreeSet<String> = without.iter().flat_map(|transfer| lacking(&template, transfer)).map(str::to_owned).collect();
        return Err(Failure::Refused(PaymentRefusal::AccountsMissing { vendors: vendors.into_iter().take(NAMED_MAX).collect() }));
    }
    write_all(&template, run, pay_on, payable).map_err(Failure::Refused)
}

/// Whose accounts the template asks for in vain.
fn lacking<'t>(template: &Template, transfer: &'t store::Transfer) -> Vec<&'t str> {
    let ends = [(End::Payer, &transfer.payer), (End::Payee, &transfer.payee)];
    let lacks = |(end, party): &(End, &Party)| template.needs_account(*end) && party.account.is_none();
    ends.into_iter().filter(lacks).map(|(_, party)| party.code.as_str()).collect()
}

fn write_all(template: &Template, run: &Run, pay_on: Date, transfers: Vec<store::Transfer>) -> Result<Written, PaymentRefusal> {
    let mut written = Written { text: Vec::new(), count: transfers.len(), sum: Micro::ZERO };
    template.push_header(&mut written.text);
    for transfer in transfers {
        written.sum = written.sum.checked_add(transfer.amount).ok_or(PaymentRefusal::TooMany)?;
        template.push(&mut written.text, &waiting(run, pay_on, transfer));
        if written.text.len() > FILE_BYTES_MAX {
            return Err(PaymentRefusal::TooMany);
        }
    }
    Ok(written)
}

fn waiting(run: &Run, pay_on: Date, transfer: store::Transfer) -> Waiting {
    let store::Transfer { number, amount, payer, payee } = transfer;
    let reference = reference(run.id, number);
    Waiting {
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
