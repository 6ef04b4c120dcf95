//! pacs.009.001.08, FinancialInstitutionCreditTransfer: the same transfers where payers and payees settle as institutions.

use super::store::{Accounts, Total};
use super::xml::Xml;
use super::{XML, made_at, push_account, remittance};
use crate::files::amounts::paid;
use crate::files::shelf::{OpenFile, Shelf};
use crate::files::store::{self, Party, TransferLine};
use crate::files::{Netted, PACS_009};
use crate::ids::{message_id, reference};
use ledger::Fault;

/// By number, all in one block.
pub(super) async fn write(shelf: &mut Shelf<'_>, netted: &Netted<'_>, accounts: &Accounts, total: Total) -> Result<(), Fault> {
    let mut file = OpenFile::new(PACS_009.to_owned(), None, XML);
    let sum = paid(total.sum, netted.scheme.digits);
    let mut xml = Xml::begin("pacs.009.001.08");
    xml.open("FICdtTrf");
    xml.open("GrpHdr");
    xml.text("MsgId", &message_id(netted.run, "PACS009"));
    xml.text("CreDtTm", &made_at(netted.at));
    xml.text("NbOfTxs", &total.count.to_string());
    xml.text("CtrlSum", &sum);
    xml.amount("TtlIntrBkSttlmAmt", &netted.scheme.currency, &sum);
    xml.text("IntrBkSttlmDt", &netted.pay_day().to_string());
    xml.open("SttlmInf");
    // Through a clearing system: the parties hold no accounts with each other.
    xml.text("SttlmMtd", "CLRG");
    xml.close();
    xml.close();

    let rows = store::read_transfers(shelf.tx, netted.run).await?;
    while let Some(transfers) = rows.next(shelf.tx, store::to_transfer_line).await? {
        for transfer in transfers {
            push_transfer(&mut xml, netted, accounts, &transfer);
        }
        xml.hand_over(&mut file.text);
        shelf.keep(&mut file).await?;
    }
    xml.finish(&mut file.text);
    shelf.close(file).await
}

fn push_transfer(xml: &mut Xml, netted: &Netted<'_>, accounts: &Accounts, transfer: &TransferLine) {
    let reference = reference(netted.run, transfer.number);
    xml.open("CdtTrfTxInf");
    xml.open("PmtId");
    xml.text("EndToEndId", &reference);
    xml.close();
    xml.amount("IntrBkSttlmAmt", &netted.scheme.currency, &paid(transfer.amount, netted.scheme.digits));
    push_party(xml, ["Dbtr", "DbtrAcct"], &transfer.payer, accounts);
    push_party(xml, ["Cdtr", "CdtrAcct"], &transfer.payee, accounts);
    xml.open("RmtInf");
    xml.text("Ustrd", &remittance(&netted.scheme.code, &reference));
    xml.close();
    xml.close();
}

/// An institution by its BIC, else by its code with us; and its account, if it has one.
fn push_party(xml: &mut Xml, [element, account_element]: [&'static str; 2], party: &Party, accounts: &Accounts) {
    let account = accounts.of(party);
    xml.open(element);
    xml.open("FinInstnId");
    if let Some(bic) = account.and_then(|account| account.bic.as_deref()) {
        xml.text("BICFI", bic);
    } else {
        xml.open("Othr");
        xml.text("Id", &party.code);
        xml.close();
    }
    xml.close();
    xml.close();
    if let Some(account) = account {
        push_account(xml, account_element, account);
    }
}
