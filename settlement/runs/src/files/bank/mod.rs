//! Files that a bank reads: the transfers of a run as ISO 20022 messages.
//!
//! Shape: `pain` asks the payers' banks to pay (pain.001.001.09, one block per payer), `pacs` is the same transfers between institutions
//! (pacs.009.001.08), `without_account` lists what pain.001 cannot say. `xml` writes elements, `latin` is the letters that banks take.
//!
//! Every transfer is in pacs.009. In pain.001 are those whose payer and payee both have bank details; a run's transfers are those of
//! pain.001 and those of transfers-without-account.csv together. A message without a transfer is none, so there is no file then.

mod latin;
mod pacs;
mod pain;
mod store;
mod without_account;
mod xml;

use super::Netted;
use super::shelf::Shelf;
use jiff::Timestamp;
pub(crate) use latin::latin;
use ledger::Fault;
use scrip::Micro;
use store::Totals;
pub use store::{Account, STATEMENTS};
pub(super) use store::{Accounts, Total, list_accounts};
use xml::Xml;

const XML: &str = "application/xml";

/// No amount of a message has more decimals.
const DIGITS_MAX: u8 = 5;

/// Whom a message comes from.
const SENDER: &str = "Scriphouse";

/// Answers what is not in pain.001, for want of bank details.
pub(super) async fn write_all(shelf: &mut Shelf<'_>, netted: &Netted<'_>, accounts: &Accounts) -> Result<Total, Fault> {
    let Totals { all, with_accounts } = store::read_totals(shelf.tx, netted.run, accounts).await?;
    if netted.scheme.digits.decimals() <= DIGITS_MAX {
        if with_accounts.count > 0 {
            pain::write(shelf, netted, accounts, with_accounts).await?;
        }
        if all.count > 0 {
            pacs::write(shelf, netted, accounts, all).await?;
        }
    }
    let without =
        Total { count: all.count.strict_sub(with_accounts.count), sum: Micro::new(all.sum.units().strict_sub(with_accounts.sum.units())) };
    if without.count > 0 {
        without_account::write(shelf, netted.scheme, accounts).await?;
    }
    Ok(without)
}

/// When a message was made: the run's instant, in whole seconds.
fn made_at(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What the payee reads beside the amount.
pub(crate) fn remittance(scheme: &str, reference: &str) -> String {
    latin(&format!("{reference} settlement {scheme}"))
}

fn push_account(xml: &mut Xml, element: &'static str, account: &Account) {
    xml.open(element);
    xml.open("Id");
    xml.text("IBAN", &account.iban);
    xml.close();
    xml.close();
}
