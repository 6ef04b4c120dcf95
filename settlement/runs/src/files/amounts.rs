//! Amounts as they stand in files.

use scrip::{Micro, Scale, money::MICRO_SCALE};

/// A value with all its six decimals.
pub(crate) fn exact(amount: Micro) -> String {
    amount.display(MICRO_SCALE).to_string()
}

/// The value that [`exact`] writes like this.
pub(crate) fn parse_exact(text: &str) -> Option<Micro> {
    let (whole, part) = text.split_once('.')?;
    let amount = Micro::new(format!("{whole}{part}").parse().ok()?);
    (exact(amount) == text).then_some(amount)
}

/// Appends a value with all its six decimals, as [`exact`] writes it; for the lines that there are millions of.
pub(super) fn push_exact(text: &mut Vec<u8>, amount: Micro) {
    // From the last digit to the first: at least one before the point, six after it.
    let mut digits = [b'0'; 20];
    let (mut left, mut start) = (amount.units().unsigned_abs(), digits.len());
    while left > 0 || start > POINT.strict_sub(1) {
        start = start.strict_sub(1);
        digits[start] = b'0'.strict_add(u8::try_from(left.strict_rem(10)).expect("a digit fits"));
        left = left.strict_div(10);
    }
    if amount.units() < 0 {
        text.push(b'-');
    }
    text.extend_from_slice(&digits[start..POINT]);
    text.push(b'.');
    text.extend_from_slice(&digits[POINT..]);
}

/// Of twenty digits, six stand behind the point.
const POINT: usize = 14;

/// A value that is paid, with the currency's decimals.
///
/// # Panics
/// When the value is finer than the currency: such a transfer must not leave the house.
pub(crate) fn paid(amount: Micro, digits: Scale) -> String {
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
        assert_eq!(parse_exact("-0.000001"), Some(Micro::new(-1)));
        assert_eq!(parse_exact("-9223372036854.775808"), Some(Micro::new(i64::MIN)));
        for other in ["", ".", "1", "1.0", "01.000000", "+1.000000", "-0.000000", "1.00000.", "9223372036854.775808"] {
            assert_eq!(parse_exact(other), None, "{other}");
        }
        assert_eq!(paid(Micro::new(12_500_000), digits(2)), "12.50");
        assert_eq!(paid(Micro::new(12_000_000), digits(0)), "12");
        assert_eq!(paid(Micro::new(1), digits(6)), "0.000001");
    }

    #[test]
    fn what_is_appended_is_what_is_shown() {
        let near_powers = (0..19).flat_map(|power| [-1, 0, 1].map(|off| 10_i64.pow(power) + off));
        for units in near_powers.flat_map(|units| [units, -units]).chain([i64::MAX, i64::MIN]) {
            let mut text = Vec::new();
            push_exact(&mut text, Micro::new(units));
            assert_eq!(String::from_utf8(text).unwrap(), exact(Micro::new(units)));
        }
    }
}
