//! Amounts: whole numbers of a smallest unit, and the one parser and printer between them and text.
//!
//! [`Tokens`] count a token's smallest unit, [`Micro`] counts millionths of a scheme's currency. Neither is ever a float, and
//! no sum wraps: what does not fit in 64 bits is an error.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How many decimals a token's whole has: 0 to 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scale(u8);

/// The finest scale: settlement values have it always.
pub const MICRO_SCALE: Scale = Scale(6);

impl Scale {
    /// A scale, if it is 0 to 6.
    pub fn try_new(decimals: i64) -> Option<Self> {
        u8::try_from(decimals).ok().filter(|d| *d <= 6).map(Self)
    }

    /// The number of decimals.
    pub fn decimals(self) -> u8 {
        self.0
    }

    /// How many smallest units one whole has: 1 to 1,000,000.
    pub fn units_per_whole(self) -> i64 {
        10_i64.pow(u32::from(self.0))
    }
}

/// An amount of one vendor's token, in its smallest units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tokens(i64);

/// A settlement value in micro-units: millionths of a scheme's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micro(i64);

/// The value of a token's smallest unit in micro-units; at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitValue(i64);

impl UnitValue {
    /// A unit value, if it is at least 1.
    pub fn try_new(micro: i64) -> Option<Self> {
        (micro >= 1).then_some(Self(micro))
    }

    /// In micro-units.
    pub fn micro(self) -> i64 {
        self.0
    }
}

macro_rules! amount {
    ($name:ident, $unit:literal) => {
        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            #[doc = concat!("Wraps a number of ", $unit, ".")]
            pub const fn new(units: i64) -> Self {
                Self(units)
            }

            #[doc = concat!("The number of ", $unit, ".")]
            pub const fn units(self) -> i64 {
                self.0
            }

            /// The sum, if it fits.
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// The difference, if it fits.
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }

            /// As a decimal with exactly the scale's decimals: `12.50`.
            pub fn display(self, scale: Scale) -> Decimal {
                Decimal { units: i128::from(self.0), scale }
            }
        }
    };
}

amount!(Tokens, "the token's smallest units");
amount!(Micro, "micro-units");

impl Tokens {
    /// Reads a positive amount in whole tokens, such as `12.50`, by the strict rules of [`parse_units`].
    pub fn parse(text: &str, scale: Scale) -> Result<Self, AmountError> {
        parse_units(text, scale).map(Self)
    }
}

impl Micro {
    /// Reads a positive value in whole currency units, such as `10.005`, by the strict rules of [`parse_units`].
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        parse_units(text, MICRO_SCALE).map(Self)
    }

    /// Reads what may be zero or less, such as `-10.005`: by the rules of [`parse_units`], with a minus before what is below zero, and none before zero.
    pub fn parse_signed(text: &str) -> Result<Self, AmountError> {
        let (is_negative, magnitude) = text.strip_prefix('-').map_or((false, text), |magnitude| (true, magnitude));
        match parse_units(magnitude, MICRO_SCALE) {
            Ok(units) => Ok(Self(if is_negative { units.strict_neg() } else { units })),
            Err(AmountError::Zero) if is_negative => Err(AmountError::Malformed),
            Err(AmountError::Zero) => Ok(Self::ZERO),
            Err(error) => Err(error),
        }
    }

    /// The value in currency units without trailing zeros, at least `digits` decimals: `16961471.329`.
    pub fn display_at_least(self, digits: Scale) -> String {
        let full = self.display(MICRO_SCALE).to_string();
        let Some(point) = full.find('.') else { return full };
        let keep = point.saturating_add(1).saturating_add(usize::from(digits.0));
        let significant = full.trim_end_matches('0').len().max(keep);
        full.get(..significant).unwrap_or(&full).trim_end_matches('.').to_owned()
    }
}

/// A number of smallest units shown as a decimal; sums too large for 64 bits can be shown too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    units: i128,
    scale: Scale,
}

impl Decimal {
    /// Shows `units` smallest units of the scale.
    pub fn new(units: i128, scale: Scale) -> Self {
        Self { units, scale }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let magnitude = self.units.unsigned_abs();
        let per_whole = u128::from(self.scale.units_per_whole().unsigned_abs());
        let whole = magnitude.checked_div(per_whole).unwrap_or_default();
        let part = magnitude.checked_rem(per_whole).unwrap_or_default();
        if self.scale.0 == 0 {
            write!(f, "{sign}{whole}")
        } else {
            write!(f, "{sign}{whole}.{part:0width$}", width = usize::from(self.scale.0))
        }
    }
}

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not of the form `12` or `12.50`.
    #[error(
        "an amount is digits with an optional decimal point, such as 12 or 12.50: no sign, exponent, space or separator, no leading zero"
    )]
    Malformed,
    /// More decimals than the token or currency has.
    #[error("{}", too_many_decimals(*.max))]
    TooManyDecimals {
        /// The decimals that it may have.
        max: Scale,
    },
    /// Zero moves nothing.
    #[error("the amount is zero")]
    Zero,
    /// Does not fit in 64 bits of smallest units, or has more than 18 digits before the point.
    #[error("the amount is too large")]
    TooLarge,
}

fn too_many_decimals(max: Scale) -> String {
    match max.decimals() {
        0 => "the token has no decimals: send a whole number such as 12".to_owned(),
        decimals => format!("the amount has more than {decimals} decimals"),
    }
}

/// Reads `0|[1-9][0-9]{0,17}`, then optionally a point and 1 to `scale` digits, into smallest units, at least 1.
///
/// The only way that outside text becomes an amount, in JSON, CSV and on the command line alike; [`Micro::parse_signed`] looks at the sign first.
pub fn parse_units(text: &str, scale: Scale) -> Result<i64, AmountError> {
    let (whole, decimals) = match text.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !all_digits(whole) || leading_zero || decimals.is_some_and(|d| !all_digits(d)) {
        return Err(AmountError::Malformed);
    }
    let decimals = decimals.unwrap_or_default();
    let missing = usize::from(scale.0).checked_sub(decimals.len()).ok_or(AmountError::TooManyDecimals { max: scale })?;
    if whole.len() > 18 {
        return Err(AmountError::TooLarge);
    }
    let mut units: i64 = 0;
    for digit in whole.bytes().chain(decimals.bytes()).chain(std::iter::repeat_n(b'0', missing)) {
        let value = i64::from(digit.wrapping_sub(b'0'));
        units = units.checked_mul(10).and_then(|u| u.checked_add(value)).ok_or(AmountError::TooLarge)?;
    }
    if units == 0 { Err(AmountError::Zero) } else { Ok(units) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scale(decimals: i64) -> Scale {
        Scale::try_new(decimals).unwrap()
    }

    #[test]
    fn only_plain_decimals_are_amounts() {
        use AmountError::{Malformed, TooLarge, TooManyDecimals, Zero};
        let two = scale(2);
        let table: &[(&str, Result<i64, AmountError>)] = &[
            ("1", Ok(100)),
            ("12.5", Ok(1250)),
            ("12.50", Ok(1250)),
            ("0.01", Ok(1)),
            ("92233720368547758.07", Ok(i64::MAX)),
            ("92233720368547758.08", Err(TooLarge)),
            ("999999999999999999", Err(TooLarge)),
            ("1000000000000000000", Err(TooLarge)),
            (&"9".repeat(40), Err(TooLarge)),
            ("12.505", Err(TooManyDecimals { max: two })),
            ("0", Err(Zero)),
            ("0.00", Err(Zero)),
            ("", Err(Malformed)),
            (".5", Err(Malformed)),
            ("5.", Err(Malformed)),
            ("01", Err(Malformed)),
            ("-5", Err(Malformed)),
            ("+1", Err(Malformed)),
            ("1e3", Err(Malformed)),
            ("1,5", Err(Malformed)),
            ("1_000", Err(Malformed)),
            ("1 000", Err(Malformed)),
            (" 1", Err(Malformed)),
            ("1\n", Err(Malformed)),
            ("NaN", Err(Malformed)),
            ("1.2.3", Err(Malformed)),
            ("١", Err(Malformed)),
        ];
        for (text, expected) in table {
            assert_eq!(parse_units(text, two), *expected, "{text:?}");
        }
    }

    #[test]
    fn a_balance_may_be_zero_or_less() {
        use AmountError::{Malformed, TooLarge, TooManyDecimals};
        for (text, expected) in [
            ("12.50", Ok(12_500_000)),
            ("-12.50", Ok(-12_500_000)),
            ("-0.000001", Ok(-1)),
            ("0", Ok(0)),
            ("0.00", Ok(0)),
            ("-0", Err(Malformed)),
            ("-0.00", Err(Malformed)),
            ("--1", Err(Malformed)),
            ("+1", Err(Malformed)),
            ("- 1", Err(Malformed)),
            ("-", Err(Malformed)),
            ("", Err(Malformed)),
            ("-1e3", Err(Malformed)),
            ("-0.0000001", Err(TooManyDecimals { max: MICRO_SCALE })),
            ("-99999999999999", Err(TooLarge)),
        ] {
            assert_eq!(Micro::parse_signed(text), expected.map(Micro::new), "{text:?}");
        }
    }

    #[test]
    fn values_are_shown_without_needless_zeros() {
        assert_eq!(Micro::new(16_961_471_329_000).display_at_least(scale(0)), "16961471.329");
        assert_eq!(Micro::new(5_000_000).display_at_least(scale(0)), "5");
        assert_eq!(Micro::new(5_000_000).display_at_least(scale(2)), "5.00");
        assert_eq!(Micro::new(-10_005_000).display_at_least(scale(2)), "-10.005");
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(units in 1..=i64::MAX, decimals in 0_i64..=6) {
            let s = scale(decimals);
            let shown = Tokens::new(units).display(s).to_string();
            // The parser takes at most 18 digits before the point; 19-digit wholes exist only at scale 0.
            prop_assume!(shown.split('.').next().unwrap().len() <= 18);
            prop_assert_eq!(Tokens::parse(&shown, s), Ok(Tokens::new(units)));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*", decimals in 0_i64..=6) {
            let _ = parse_units(&text, scale(decimals));
        }
    }
}
