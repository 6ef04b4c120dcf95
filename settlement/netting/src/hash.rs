//! The two hashes that pin a netting down: what went in, and what came out.
//!
//! Both are SHA-256 over fields, each field preceded by its length as eight big-endian bytes, so no two lists of fields look
//! alike. Numbers are fields of eight big-endian bytes; amounts are micro-units.

use crate::{
    ALGORITHM_VERSION,
    network::Network,
    outcome::{Carry, Transfer},
    terms::Terms,
};
use scrip::Micro;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256, shown in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Over debtor, creditor and amount of every obligation, sorted by the three as bytes.
pub(crate) fn input(network: &Network) -> Digest {
    let mut fields = Fields::default();
    for (debtor, creditor, amount) in network.obligations() {
        fields.text(debtor.as_str()).text(creditor.as_str()).amount(amount);
    }
    fields.finish()
}

/// Over strategy, algorithm version, digits, the number of transfers, payer, payee and amount of each in order, the number of
/// carries, debtor, creditor and amount of each in order; and, unless it is zero, the smallest transfer.
pub(crate) fn output(terms: &Terms, transfers: &[Transfer], carries: &[Carry]) -> Digest {
    let mut fields = Fields::default();
    let Terms { strategy, digits, min_transfer } = terms;
    fields.text(strategy.name()).number(i64::from(ALGORITHM_VERSION)).number(i64::from(digits.decimals()));
    fields.count(transfers.len());
    for Transfer { payer, payee, amount } in transfers {
        fields.text(payer.as_str()).text(payee.as_str()).amount(*amount);
    }
    fields.count(carries.len());
    for Carry { debtor, creditor, amount } in carries {
        fields.text(debtor.as_str()).text(creditor.as_str()).amount(*amount);
    }
    if *min_transfer > Micro::ZERO {
        fields.amount(*min_transfer);
    }
    fields.finish()
}

#[derive(Default)]
struct Fields(Sha256);

impl Fields {
    fn field(&mut self, bytes: &[u8]) -> &mut Self {
        let length = u64::try_from(bytes.len()).expect("a length fits in 64 bits");
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.field(text.as_bytes())
    }

    fn number(&mut self, number: i64) -> &mut Self {
        self.field(&number.to_be_bytes())
    }

    fn amount(&mut self, amount: Micro) -> &mut Self {
        self.number(amount.units())
    }

    fn count(&mut self, count: usize) -> &mut Self {
        self.number(i64::try_from(count).expect("a count fits in 64 bits"))
    }

    fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}
