//! How the tests of several rooms read and write what stands on the whiteboard: `A>B 10, B>A 4`, in whole units of the currency.

use crate::Network;
use scrip::{Micro, Scale};

/// Reads `A>B 10, B>A 4`.
pub(crate) fn debts(text: &str) -> Vec<(&str, &str, Micro)> {
    let read = |debt| {
        let (pair, amount): (&str, &str) = str::split_once(debt, ' ').unwrap();
        let (debtor, creditor) = pair.split_once('>').unwrap();
        (debtor, creditor, Micro::parse(amount).unwrap())
    };
    text.split(", ").filter(|d| !d.is_empty()).map(read).collect()
}

pub(crate) fn network(text: &str) -> Network {
    Network::build(debts(text)).unwrap()
}

/// An amount in whole units, with the decimals that it needs.
pub(crate) fn written(amount: Micro) -> String {
    amount.display_at_least(Scale::try_new(0).unwrap())
}
