//! Rates: how many smallest units of one token buy how many of another, as exact ratios.
//!
//! A rate is `p/q`: `q` units of the first token buy `p` of the second. By default it is the cross of the unit values
//! (`uA/uB`, value for value); the destination vendor may set a fixed ratio instead, lower either by a margin, or close the pair.

use crate::UnitValue;
use crate::money::{Scale, Tokens};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Hundredths of a percent in a whole.
const BPS_PER_WHOLE: i128 = 10_000;

/// A margin in basis points: what the destination vendor keeps back. 0 to 9,999.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Margin(u16);

impl Margin {
    /// A margin, if it leaves the user something.
    pub fn try_new(bps: i64) -> Option<Self> {
        u16::try_from(bps).ok().filter(|b| *b <= 9_999).map(Self)
    }

    /// In basis points.
    pub fn bps(self) -> u16 {
        self.0
    }
}

/// An exact rate `receive/send` in smallest units, in lowest terms; both at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    receive: i128,
    send: i128,
}

impl Ratio {
    /// Units received for `send` units, in lowest terms.
    pub fn receive(self) -> i128 {
        self.receive
    }

    /// Units sent for `receive` units, in lowest terms.
    pub fn send(self) -> i128 {
        self.send
    }

    /// `receive/send`, less the margin; none if a part is not positive or does not fit.
    fn try_new(receive: i64, send: i64, margin: Margin) -> Option<Self> {
        if receive < 1 || send < 1 {
            return None;
        }
        let kept = BPS_PER_WHOLE.checked_sub(i128::from(margin.0))?;
        let receive = i128::from(receive).checked_mul(kept)?;
        let send = i128::from(send).checked_mul(BPS_PER_WHOLE)?;
        let common = greatest_common_divisor(receive, send);
        Some(Self { receive: receive.checked_div(common)?, send: send.checked_div(common)? })
    }

    /// The rate between whole tokens, for people: 12 decimals, rounded down. None if it is too large to show.
    pub fn per_whole(self, from: Scale, to: Scale) -> Option<Decimal> {
        let receive = Decimal::try_from_i128_with_scale(self.receive, 0).ok()?;
        let send = Decimal::try_from_i128_with_scale(self.send, 0).ok()?;
        let wholes = receive.checked_mul(from.units_per_whole().into())?.checked_div(send.checked_mul(to.units_per_whole().into())?)?;
        Some(wholes.trunc_with_scale(12).normalize())
    }
}

fn greatest_common_divisor(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a.checked_rem(b).unwrap_or(0));
    }
    a
}

/// What the destination vendor configured for a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PairRate {
    /// The cross of the unit values, less a margin.
    Cross {
        /// What the destination vendor keeps back.
        margin: Margin,
    },
    /// `receive` units for `send` units, less a margin.
    Fixed {
        /// Units of the first token.
        send: Tokens,
        /// Units of the second token.
        receive: Tokens,
        /// What the destination vendor keeps back.
        margin: Margin,
    },
    /// No swaps into this token from that one.
    Closed,
}

/// A pair rate as it is stored: a word and up to three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRate<'a> {
    /// `cross`, `fixed` or `closed`.
    pub kind: &'a str,
    /// With `fixed`: units of the first token.
    pub send_units: Option<i64>,
    /// With `fixed`: units of the second token.
    pub receive_units: Option<i64>,
    /// In basis points.
    pub margin_bps: i32,
}

impl StoredRate<'_> {
    /// What was configured; none if this was never stored by us.
    pub fn read(self) -> Option<PairRate> {
        let margin = Margin::try_new(i64::from(self.margin_bps))?;
        match self.kind {
            "cross" => Some(PairRate::Cross { margin }),
            "fixed" => {
                Some(PairRate::Fixed { send: self.send_units.map(Tokens::new)?, receive: self.receive_units.map(Tokens::new)?, margin })
            }
            "closed" => Some(PairRate::Closed),
            _ => None,
        }
    }
}

/// A configured pair rate and which version it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateVersion {
    /// The version's id; every swap made at it keeps it.
    pub id: Uuid,
    /// What was configured.
    pub rate: PairRate,
}

/// The ratio in force between two tokens; none when the pair is closed.
pub fn ratio(from: UnitValue, to: UnitValue, configured: Option<PairRate>) -> Option<Ratio> {
    match configured {
        None => Ratio::try_new(from.micro(), to.micro(), Margin::default()),
        Some(PairRate::Cross { margin }) => Ratio::try_new(from.micro(), to.micro(), margin),
        Some(PairRate::Fixed { send, receive, margin }) => Ratio::try_new(receive.units(), send.units(), margin),
        Some(PairRate::Closed) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(micro: i64) -> UnitValue {
        UnitValue::try_new(micro).unwrap()
    }

    #[test]
    fn unit_values_cross() {
        let rate = ratio(value(10_000), value(25_000), None).unwrap();
        assert_eq!((rate.receive(), rate.send()), (2, 5));
    }

    #[test]
    fn a_margin_lowers_what_is_received() {
        let margin = Margin::try_new(100).unwrap();
        let rate = ratio(value(1), value(1), Some(PairRate::Cross { margin })).unwrap();
        assert_eq!((rate.receive(), rate.send()), (99, 100));
    }

    #[test]
    fn a_fixed_rate_ignores_unit_values_and_a_closed_pair_has_none() {
        let fixed = PairRate::Fixed { send: Tokens::new(100), receive: Tokens::new(95), margin: Margin::default() };
        let rate = ratio(value(7), value(3), Some(fixed)).unwrap();
        assert_eq!((rate.receive(), rate.send()), (19, 20));
        assert_eq!(ratio(value(7), value(3), Some(PairRate::Closed)), None);
    }

    #[test]
    fn people_see_the_rate_between_whole_tokens() {
        let rate = ratio(value(10_000), value(30_000), None).unwrap();
        let (cents, wholes) = (Scale::try_new(2).unwrap(), Scale::try_new(0).unwrap());
        assert_eq!(rate.per_whole(cents, cents).unwrap().to_string(), "0.333333333333");
        assert_eq!(rate.per_whole(cents, wholes).unwrap().to_string(), "33.333333333333");
    }

    #[test]
    fn a_margin_leaves_something() {
        assert_eq!(Margin::try_new(10_000), None);
        assert_eq!(Margin::try_new(-1), None);
    }
}
