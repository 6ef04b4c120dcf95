//! pain.001.001.09, CustomerCreditTransferInitiation: what the payers' banks are asked to pay.

use super::latin::latin;
use super::store::{self, Account, Accounts, Total};
use super::xml::Xml;
use super::{SENDER, XML, made_at, push_account, remittance};
use crate::files::amounts::paid;
use crate::files::shelf::{OpenFile, Shelf};
use crate::files::store::{Party, TransferLine};
use crate::files::{Netted, PAIN_001};
use crate::ids::{message_id, reference};
use ledger::Fault;

/// Where a payer's bank is not known by its BIC, SEPA's word for it.
const BANK_NOT_PROVIDED: &str = "NOTPROVIDED";

/// One block (`PmtInf`) per payer, by code; in it its transfers by number.
pub(super) async fn write(shelf: &mut Shelf<'_>, netted: &Netted<'_>, accounts: &Accounts, total: Total) -> Result<(), Fault> {
    let mut file = OpenFile::new(PAIN_001.to_owned(), None, XML);
    let mut xml = Xml::begin("pain.001.001.09");
    xml.open("CstmrCdtTrfInitn");
    xml.open("GrpHdr");
    xml.text("MsgId", &message_id(netted.run, "PAIN001"));
    xml.text("CreDtTm", &made_at(netted.at));
    push_total(&mut xml, netted, total);
    xml.open("InitgPty");
    xml.text("Nm", SENDER);
    xml.close();
    xml.close();

    let mut payer: Option<String> = None;
    let mut block = 0_i64;
    let rows = store::read_by_payer(shelf.tx, netted.run, accounts).await?;
    while let Some(transfers) = rows.next(shelf.tx, store::to_transfer_of_payer).await? {
        for (transfer, of_payer) in transfers {
            if payer.as_ref() != Some(&transfer.payer.code) {
                if payer.is_some() {
                    xml.close();
                }
                block = block.strict_add(1);
                open_block(&mut xml, netted, block, &BankParty::of(&transfer.payer, accounts)?, of_payer);
                payer = Some(transfer.payer.code.clone());
            }
            push_transfer(&mut xml, netted, &transfer, &BankParty::of(&transfer.payee, accounts)?);
        }
        xml.hand_over(&mut file.text);
        shelf.keep(&mut file).await?;
    }
    xml.finish(&mut file.text);
    shelf.close(file).await
}

/// A payer or payee with an account.
struct BankParty<'a> {
    /// The account's holder, or the vendor's code if no letter of the holder's name is one that banks take.
    name: String,
    account: &'a Account,
}

impl<'a> BankParty<'a> {
    fn of(party: &Party, accounts: &'a Accounts) -> Result<Self, Fault> {
        let account = accounts.of(party).ok_or_else(|| Fault::Unreadable(format!("{} has no bank details", party.code)))?;
        let names = [latin(&account.holder), latin(&party.code)];
        Ok(Self { name: names.into_iter().find(|name| !name.is_empty()).unwrap_or_default(), account })
    }
}

/// What stands before a payer's transfers.
fn open_block(xml: &mut Xml, netted: &Netted<'_>, block: i64, payer: &BankParty<'_>, of_payer: Total) {
    xml.open("PmtInf");
    xml.text("PmtInfId", &message_id(netted.run, &format!("PAYER-{block}")));
    xml.text("PmtMtd", "TRF");
    push_total(xml, netted, of_payer);
    xml.open("ReqdExctnDt");
    xml.text("Dt", &netted.pay_day().to_string());
    xml.close();
    xml.open("Dbtr");
    xml.text("Nm", &payer.name);
    xml.close();
    push_account(xml, "DbtrAcct", payer.account);
    xml.open("DbtrAgt");
    xml.open("FinInstnId");
    if let Some(bic) = &payer.account.bic {
        xml.text("BICFI", bic);
    } else {
        xml.open("Othr");
        xml.text("Id", BANK_NOT_PROVIDED);
        xml.close();
    }
    xml.close();
    xml.close();
}

fn push_transfer(xml: &mut Xml, netted: &Netted<'_>, transfer: &TransferLine, payee: &BankParty<'_>) {
    let reference = reference(netted.run, transfer.number);
    xml.open("CdtTrfTxInf");
    xml.open("PmtId");
    xml.text("EndToEndId", &reference);
    xml.close();
    xml.open("Amt");
    xml.amount("InstdAmt", &netted.scheme.currency, &paid(transfer.amount, netted.scheme.digits));
    xml.close();
    if let Some(bic) = &payee.account.bic {
        xml.open("CdtrAgt");
        xml.open("FinInstnId");
        xml.text("BICFI", bic);
        xml.close();
        xml.close();
    }
    xml.open("Cdtr");
    xml.text("Nm", &payee.name);
    xml.close();
    push_account(xml, "CdtrAcct", payee.account);
    xml.open("RmtInf");
    xml.text("Ustrd", &remittance(&netted.scheme.code, &reference));
    xml.close();
    xml.close();
}

fn push_total(xml: &mut Xml, netted: &Netted<'_>, total: Total) {
    xml.text("NbOfTxs", &total.count.to_string());
    xml.text("CtrlSum", &paid(total.sum, netted.scheme.digits));
}
