//! Amounts as they stand in files.

use scrip::{Micro, Scale, money::MICRO_SCALE};

/// A value with all its six decimals.
pub(super) fn exact(amount: Micro) -> String {
    amount.display(MICRO_SCALE).to_string()
}

/// A value that is paid, with the currency's decimals.
///
/// # Panics
/// When the value is finer than the currency: such a transfer must not leave the house.
pub(super) fn paid(amount: Micro, digits: Scale) -> String {
    let grain = MICRO_SCALE.units_per_whole().strict_div(digits.units_per_whole());
    assert!(amount.units().strict_rem(grain) == 0, "a transfer is in whole minor units");
    Micro::new(amount.units().strict_div(grain)).display(digits).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_fixed_decimals() {
        let digits = |decimals| Scale::try_new(decimals).unwrap();
        assert_eq!(exact(Micro::new(-1)), "-0.000001");
        assert_eq!(paid(Micro::new(12_500_000), digits(2)), "12.50");
        assert_eq!(paid(Micro::new(12_000_000), digits(0)), "12");
        assert_eq!(paid(Micro::new(1), digits(6)), "0.000001");
    }
}
