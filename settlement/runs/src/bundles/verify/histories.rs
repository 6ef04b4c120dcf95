//! What became of the transfers: each state is the end of a history whose steps somebody could take, and banks said what names them.
//!
//! Shape: transfers are kept with what is said of them; their steps are taken again, one by one, by the rules of [`transfers`]. What banks
//! said meets the steps that name it as two hashes over the same lines.

use super::books::{Books, Lines, Vendor};
use super::{Findings, Place, Rule};
use crate::bundles::cells::Cell;
use crate::bundles::records::{ConfirmationRow, RUN, TransferRow, TransferStepRow};
use crate::csv_text::push_row;
use crate::steps::{Actor, RunState};
use crate::transfers::{self, Mark, Parties, Reason, ReasonCode, Side, Standing, TransferState};
use jiff::Timestamp;
use netting::Netting;
use scrip::Micro;
use uuid::Uuid;

/// The transfers of the result and their histories.
pub(super) struct Histories<'a> {
    run_state: RunState,
    books: &'a Books<'a>,
    /// How many transfers the result has; none, and nothing is proven of them, where there is no result.
    transfers_max: Option<usize>,
    transfers: Vec<History>,
    has_steps: bool,
    last: Option<(i64, i32)>,
    confirmed: Lines,
    confirmations: Lines,
}

/// A transfer, and how far its steps were taken again.
pub(super) struct History {
    /// None is the house.
    pub(super) payer: Option<Vendor>,
    payee: Option<Vendor>,
    amount: Micro,
    said: Standing,
    /// What it names as what ended it.
    pub(super) default: Option<Uuid>,
    pub(super) made: Standing,
    seq: i32,
    pub(super) last: Option<LastStep>,
}

/// The step that led to where a transfer is.
pub(super) struct LastStep {
    pub(super) from: TransferState,
    pub(super) actor: Actor,
    pub(super) at: Timestamp,
}

impl<'a> Histories<'a> {
    pub(super) fn begin(run_state: RunState, books: &'a Books<'a>, netting: Option<&Netting>) -> Self {
        Self {
            run_state,
            books,
            transfers_max: netting.map(|netting| netting.transfers.len()),
            transfers: Vec::new(),
            has_steps: false,
            last: None,
            confirmed: Lines::default(),
            confirmations: Lines::default(),
        }
    }

    /// The next transfer; how many there should be, and which, is proven elsewhere.
    pub(super) fn add_transfer(&mut self, row: &TransferRow) {
        let TransferRow { number: _, id: _, payer, payee, amount, state, disputed_from, attempt, default } = row;
        if self.transfers_max.is_some_and(|max| self.transfers.len() < max) {
            self.transfers.push(History {
                payer: self.books.find(payer),
                payee: self.books.find(payee),
                amount: *amount,
                said: Standing { state: *state, disputed_from: *disputed_from, attempt: *attempt },
                default: *default,
                made: Standing::FIRST,
                seq: 0,
                last: None,
            });
        }
    }

    pub(super) fn add_step(&mut self, findings: &mut Findings, place: &Place<'_>, row: &TransferStepRow) {
        let TransferStepRow { number, seq, from, to, attempt, actor, confirmation, stepped_at, .. } = row;
        if self.last.is_some_and(|last| last >= (*number, *seq)) {
            findings.note(Rule::Records, format!("{place}: the step does not stand in its place"));
        }
        self.last = Some((*number, *seq));
        self.has_steps = true;
        if let Some(confirmation) = confirmation {
            self.confirmed.add(&confirmation_line(*number, *seq, *confirmation, *to, actor, *stepped_at));
        }
        let books = self.books;
        let Some(history) = find(&mut self.transfers, *number) else {
            return findings.note(Rule::Histories, format!("{place}: there is no transfer {number}"));
        };
        if let Err(why) = history.judge(row, books) {
            findings.note(Rule::Histories, format!("{place}: step {seq} of transfer {number}, from {from} to {to} by {actor}: {why}"));
        }
        history.made = Standing { state: *to, disputed_from: (*to == TransferState::Disputed).then_some(*from), attempt: *attempt };
        (history.seq, history.last) = (*seq, Some(LastStep { from: *from, actor: *actor, at: *stepped_at }));
    }

    /// The transfers, by number.
    pub(super) fn transfers(&self) -> &[History] {
        &self.transfers
    }

    pub(super) fn add_confirmation(&mut self, findings: &mut Findings, place: &Place<'_>, row: &ConfirmationRow) {
        let ConfirmationRow { number, seq, confirmation, document_sha256: _, line: _, said, amount, applied_by, applied_at } = row;
        let transfer = find(&mut self.transfers, *number);
        if amount.is_some_and(|amount| transfer.is_none_or(|transfer| transfer.amount != amount)) {
            findings.note(Rule::Confirmations, format!("{place}: the amount is not that of transfer {number}"));
        }
        self.confirmations.add(&confirmation_line(*number, *seq, *confirmation, *said, applied_by, *applied_at));
    }

    /// All steps are there: they must lead to where the transfers are, and the run to where these have led it.
    pub(super) fn end(&self, findings: &mut Findings) {
        if self.transfers_max.is_none() {
            return;
        }
        for (History { said, made, .. }, number) in self.transfers.iter().zip(1..) {
            if said != made {
                let what = format!(
                    "transfers: transfer {number} is {} in attempt {}, its history ends with {} in attempt {}",
                    said.state, said.attempt, made.state, made.attempt
                );
                findings.note(Rule::Histories, what);
            }
        }
        let has_unfinished = self.transfers.iter().any(|history| !history.made.state.is_final());
        let holds = match self.run_state {
            RunState::Settling => has_unfinished && self.has_steps,
            RunState::Settled => !has_unfinished,
            RunState::Computed | RunState::Proposed | RunState::Approved | RunState::Exported | RunState::Voided => !self.has_steps,
        };
        if !holds {
            findings.note(Rule::Histories, format!("{RUN}: the run is {}, which is not where its transfers have led it", self.run_state));
        }
        let (confirmed, confirmations) = (self.confirmed.hash(), self.confirmations.hash());
        if confirmed != confirmations {
            let what = format!("confirmations: the {} entries are not those of the {} steps that name them", confirmations.0, confirmed.0);
            findings.note(Rule::Confirmations, what);
        }
        findings.conclude(Rule::Histories);
        findings.conclude(Rule::Confirmations);
    }
}

impl History {
    /// Whether the step follows the one before it, and whoever took it might.
    fn judge(&self, row: &TransferStepRow, books: &Books<'_>) -> Result<(), String> {
        let TransferStepRow { number: _, seq, from, to, attempt, actor, reason_code, reason, confirmation, stepped_at, .. } = row;
        if Some(*seq) != self.seq.checked_add(1)
            || *from != self.made.state
            || self.last.as_ref().is_some_and(|before| before.at > *stepped_at)
        {
            return Err("it does not follow the one before it".to_owned());
        }
        let find = |code: &String| ReasonCode::find(code).ok_or_else(|| format!("{code} is not among the reasons of transfers"));
        let code = reason_code.as_ref().map(find).transpose()?;
        let side = match actor {
            Actor::Operator(_) => Some(Side::Operator),
            Actor::Vendor(id) => books.vendor(*id).and_then(|vendor| self.side_of(vendor)),
            Actor::House => Some(Side::House),
        };
        let side = side.ok_or("the transfer is somebody else's")?;
        // Where a bank said so, the operator need not say why.
        let text = reason.as_ref().map(|words| words.0.clone()).or_else(|| confirmation.map(|_| String::new()));
        let mark = Mark { to: *to, bank_reference: None, booked_on: None, reason: Reason { code, text } };
        let parties = if self.payer.is_some() && self.payee.is_some() { Parties::TwoVendors } else { Parties::VendorAndHouse };
        let next = transfers::judge(&mark, side, self.made, RunState::Settling, parties).map_err(|refusal| refusal.to_string())?;
        if next.attempt == *attempt { Ok(()) } else { Err(format!("it is attempt {}, not {attempt}", next.attempt)) }
    }

    fn side_of(&self, vendor: Vendor) -> Option<Side> {
        if self.payer == Some(vendor) {
            return Some(Side::Payer);
        }
        (self.payee == Some(vendor)).then_some(Side::Payee)
    }
}

/// The transfer of that number, which counts from 1.
fn find(transfers: &mut [History], number: i64) -> Option<&mut History> {
    let place = number.checked_sub(1).and_then(|place| usize::try_from(place).ok())?;
    transfers.get_mut(place)
}

/// What a step and the bank's word that it names have in common.
fn confirmation_line(number: i64, seq: i32, confirmation: Uuid, to: TransferState, by: &Actor, at: Timestamp) -> Vec<u8> {
    let mut line = Vec::new();
    push_row(&mut line, [number.show(), seq.show(), confirmation.show(), to.show(), by.show(), at.show()]);
    line
}
