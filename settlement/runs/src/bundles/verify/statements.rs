//! What the statements must say: written again line by line while the obligations pass, by the code that writes them, and kept as a hash
//! per vendor.

use super::books::Vendor;
use super::expected::Expected;
use crate::bundles::records::ObligationRow;
use crate::files::{Line, Obligation, Side, push_begin};
use ledger::obligations::Source;
use scrip::Micro;
use sha2::{Digest, Sha256};

/// The statements of all vendors, as far as they follow from obligations.
pub(super) struct Statements<'a> {
    line: Line<'a>,
    currency: &'a str,
    vendors: Vec<Statement>,
    scratch: Vec<u8>,
}

/// What a vendor's statement begins with.
#[derive(Default)]
struct Statement {
    /// Carried over by earlier runs.
    owed: i128,
    owes: i128,
    lines: Sha256,
    lines_bytes: u64,
}

impl<'a> Statements<'a> {
    pub(super) fn new(currency: &'a str) -> Self {
        Self { line: Line::new(currency), currency, vendors: Vec::new(), scratch: Vec::new() }
    }

    pub(super) fn add_vendor(&mut self) {
        self.vendors.push(Statement::default());
    }

    /// Lists an obligation in the statements of both its vendors.
    pub(super) fn add(&mut self, row: &ObligationRow, (debtor, debtor_code): (Vendor, &str), (creditor, creditor_code): (Vendor, &str)) {
        let ObligationRow { window: _, id, user: _, debtor: by, creditor: to, amount, source, operation, booked_at, writer: _ } = *row;
        if source == Source::Carry {
            let amount = i128::from(amount.units());
            self.vendors[creditor].owed = self.vendors[creditor].owed.saturating_add(amount);
            self.vendors[debtor].owes = self.vendors[debtor].owes.saturating_add(amount);
            return;
        }
        self.line.read(&Obligation { id, debtor: by, creditor: to, amount, source, operation: operation.uuid(), booked_at });
        for (side, own, other) in [(Side::Owed, creditor, debtor_code), (Side::Owes, debtor, creditor_code)] {
            self.scratch.clear();
            self.line.push(&mut self.scratch, side, other);
            let statement = &mut self.vendors[own];
            statement.lines.update(&self.scratch);
            statement.lines_bytes = statement.lines_bytes.saturating_add(u64::try_from(self.scratch.len()).unwrap_or(u64::MAX));
        }
    }

    /// The whole statement, which ends with this text; none if it says more than fits.
    pub(super) fn expect(&self, vendor: Vendor, end: Vec<u8>) -> Option<Expected> {
        let Statement { owed, owes, lines, lines_bytes } = self.vendors.get(vendor)?;
        let mut begin = Vec::new();
        let fit = |sum: i128| i64::try_from(sum).ok().map(Micro::new);
        push_begin(&mut begin, fit(*owed)?, fit(*owes)?, self.currency);
        Some(Expected::new(begin, (*lines_bytes, lines.clone().finalize().into()), end))
    }
}
