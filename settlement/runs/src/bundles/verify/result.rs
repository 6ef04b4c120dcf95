//! The result: netted again from the debts, and what the bundle says of it.

use super::{Books, Findings, Place, Rule};
use crate::bundles::records::{CarryRow, RUN, RunRecord, TransferRow, WindowRecord};
use crate::ids::transfer_id;
use crate::renetting::{NettedFrom, is_result};
use netting::{ALGORITHM_VERSION, Carry, Netting, Strategy, Terms, Transfer};
use scrip::{RunId, Scale};

/// What the obligations come to; nothing if they cannot be netted.
pub(super) struct Outcome {
    run: RunId,
    netting: Option<Netting>,
    transfer_count: usize,
    carry_count: usize,
}

impl Outcome {
    pub(super) fn of(findings: &mut Findings, run: &RunRecord, books: &Books) -> Self {
        let netting = match net(run, books) {
            Ok(netting) => Some(netting),
            Err(why) => {
                findings.note(Rule::Netting, format!("{RUN}: {why}"));
                None
            }
        };
        if let Some(netting) = &netting {
            if !is_result(netting, &run.input_hash.0, &run.output_hash.0) {
                findings.note(Rule::Netting, format!("{RUN}: netting the obligations again gives another result"));
            }
            if !netting.positions.iter().map(|position| position.party.as_str()).eq(books.codes().iter().map(String::as_str)) {
                findings.note(Rule::Records, "vendors: they are not those that owe or are owed".to_owned());
            }
            prove_figures(findings, run, books, netting);
            findings.conclude(Rule::Netting);
        }
        Self { run: run.id.0, netting, transfer_count: 0, carry_count: 0 }
    }

    pub(super) fn netting(&self) -> Option<&Netting> {
        self.netting.as_ref()
    }

    pub(super) fn meet_transfer(&mut self, findings: &mut Findings, place: &Place<'_>, row: &TransferRow) {
        let Some(netting) = &self.netting else { return };
        let expected = netting.transfers.get(self.transfer_count);
        self.transfer_count = self.transfer_count.saturating_add(1);
        let TransferRow { number, id, payer, payee, amount, .. } = row;
        let is_next = counts(*number, self.transfer_count);
        let is_expected = expected.is_some_and(|Transfer { payer: by, payee: to, amount: of }| {
            (payer.as_str(), payee.as_str(), amount) == (by.as_str(), to.as_str(), of)
        });
        if !is_next || !is_expected || *id != transfer_id(self.run, *number) {
            findings.note(Rule::Transfers, format!("{place}: it is not the next transfer of the result"));
        }
    }

    pub(super) fn meet_carry(&mut self, findings: &mut Findings, place: &Place<'_>, row: &CarryRow) {
        let Some(netting) = &self.netting else { return };
        let expected = netting.carries.get(self.carry_count);
        self.carry_count = self.carry_count.saturating_add(1);
        let CarryRow { number, debtor, creditor, amount } = row;
        let is_expected = expected.is_some_and(|Carry { debtor: by, creditor: to, amount: of }| {
            (debtor.as_str(), creditor.as_str(), amount) == (by.as_str(), to.as_str(), of)
        });
        if !counts(*number, self.carry_count) || !is_expected {
            findings.note(Rule::Transfers, format!("{place}: it is not the next carry of the result"));
        }
    }

    pub(super) fn end(&self, findings: &mut Findings) {
        let Some(netting) = &self.netting else { return };
        for (what, there, made) in
            [("transfers", self.transfer_count, netting.transfers.len()), ("carries", self.carry_count, netting.carries.len())]
        {
            if there != made {
                findings.note(Rule::Transfers, format!("{what}: there are {there}, the result has {made}"));
            }
        }
        findings.conclude(Rule::Transfers);
    }
}

fn counts(number: i64, count: usize) -> bool {
    i64::try_from(count) == Ok(number)
}

/// The same netting as the run's, if this program knows it.
fn net(run: &RunRecord, books: &Books) -> Result<Netting, String> {
    if run.algorithm_version != ALGORITHM_VERSION {
        return Err(format!("it was netted by version {}; this program has {ALGORITHM_VERSION}", run.algorithm_version));
    }
    let digits = Scale::try_new(run.digits.into()).ok_or("the currency has 0 to 6 digits")?;
    let strategy: Strategy = run.strategy.0.parse().map_err(|error: netting::UnknownStrategy| error.to_string())?;
    let terms = Terms { strategy, digits, min_transfer: run.min_transfer.0 };
    netted_from(books).net_again(terms).map(|(_network, netting)| netting).map_err(|error| error.to_string())
}

/// What the bundle says that was netted.
pub(super) fn netted_from(books: &Books) -> NettedFrom {
    let debts = books.debts().map(|(debtor, creditor, amount)| (debtor.clone(), creditor.clone(), amount)).collect();
    NettedFrom { debts, holdings: books.holdings() }
}

fn prove_figures(findings: &mut Findings, run: &RunRecord, books: &Books, netting: &Netting) {
    let last = books.windows().next_back();
    let ends_with = |WindowRecord { slot, closed_at, .. }: &WindowRecord| (slot, closed_at.0) == (&run.slot, run.computed_at.0);
    for (holds, what) in [
        (last.is_some_and(ends_with), "its slot and instant are not those of its last window"),
        (run.obligation_count == books.obligation_count(), "it has another number of obligations"),
        (i128::from(run.gross.0.units()) == books.gross(), "its gross is not the sum of the obligations"),
        (run.bilateral.0 == netting.bilateral, "its bilateral is another"),
        (run.net.0 == netting.net, "its net is another"),
        (run.remaining.0 == netting.remaining, "its remaining is another"),
        (run.total.0 == netting.total, "its total is another"),
        (usize::try_from(run.transfer_count) == Ok(netting.transfers.len()), "it has another number of transfers"),
        (run.number >= 1, "its number does not count from 1"),
    ] {
        if !holds {
            findings.note(Rule::Run, format!("{RUN}: {what}"));
        }
    }
    findings.conclude(Rule::Run);
}
