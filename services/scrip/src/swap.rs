//! The arithmetic of a swap, where one of the two roundings of the house happens. Always against the taker, never by a unit more.
//!
//! With the rate `p/q` (units of the second token per unit of the first):
//! fixed-send `x` receives `y = floor(x*p/q)` and consumes only `x' = ceil(y*q/p) <= x`; fixed-receive `y` costs `ceil(y*q/p)`.
//! A way there and back can therefore never gain.

use crate::money::{Micro, Tokens, UnitValue};
use crate::rate::Ratio;
use serde::{Deserialize, Serialize};

/// Which side of a swap the user fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// At most this much is taken from the payer.
    Send(Tokens),
    /// Exactly this much reaches the payee.
    Receive(Tokens),
}

/// What a swap takes and gives; both at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// Units of the first token that are consumed.
    pub send: Tokens,
    /// Units of the second token that are given.
    pub receive: Tokens,
}

/// Why a rate gives no amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountsError {
    /// It would receive nothing; this much is the least that receives a unit.
    TooSmall {
        /// The smallest workable amount to send.
        min_send: Tokens,
    },
    /// Does not fit in 64 bits.
    TooLarge,
}

/// Applies a rate to the fixed side.
pub fn amounts(side: Side, rate: Ratio) -> Result<Amounts, AmountsError> {
    let receive = match side {
        Side::Send(send) => floor_times(send, rate.receive(), rate.send()).ok_or(AmountsError::TooLarge)?,
        Side::Receive(receive) => receive,
    };
    if receive < Tokens::new(1) {
        let min_send = cost(Tokens::new(1), rate).ok_or(AmountsError::TooLarge)?;
        return Err(AmountsError::TooSmall { min_send });
    }
    let send = cost(receive, rate).ok_or(AmountsError::TooLarge)?;
    Ok(Amounts { send, receive })
}

/// `ceil(y*q/p)`: the least that receives `y`.
fn cost(receive: Tokens, rate: Ratio) -> Option<Tokens> {
    let product = i128::from(receive.units()).checked_mul(rate.send())?;
    let rounded_up = product.checked_add(rate.receive().checked_sub(1)?)?.checked_div(rate.receive())?;
    i64::try_from(rounded_up).ok().map(Tokens::new)
}

fn floor_times(units: Tokens, p: i128, q: i128) -> Option<Tokens> {
    let rounded_down = i128::from(units.units()).checked_mul(p)?.checked_div(q)?;
    i64::try_from(rounded_down).ok().map(Tokens::new)
}

/// The five figures that a swap stores, in micro-units: `value = to_vendor + house_fee + source_margin + rounding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// The value of the tokens taken: `x' * uA`.
    pub value: Micro,
    /// What the first vendor owes the second: all of it, unless a fee or margin is configured.
    pub to_vendor: Micro,
    /// What the house keeps.
    pub house_fee: Micro,
    /// What the first vendor keeps.
    pub source_margin: Micro,
    /// What a division left over.
    pub rounding: Micro,
}

/// The most that one swap may be worth: a thousand million currency units. A window's sums have to fit in 64 bits, so one swap
/// (or one wrong unit value) must not come near their end.
pub const VALUE_MAX: Micro = Micro::new(1_000_000_000_000_000);

/// The figures of a swap that takes `send` units of this unit value; none if it is worth more than [`VALUE_MAX`].
pub fn figures(send: Tokens, from: UnitValue) -> Option<Figures> {
    let value = Micro::new(send.units().checked_mul(from.micro())?);
    if value > VALUE_MAX {
        return None;
    }
    Some(Figures { value, to_vendor: value, house_fee: Micro::ZERO, source_margin: Micro::ZERO, rounding: Micro::ZERO })
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
mod tests {
    use super::*;
    use crate::rate::{Margin, PairRate, ratio};
    use proptest::prelude::*;

    fn cross(from: i64, to: i64) -> Ratio {
        ratio(UnitValue::try_new(from).unwrap(), UnitValue::try_new(to).unwrap(), None).unwrap()
    }

    fn check(side: Side, rate: Ratio, send: i64, receive: i64) {
        assert_eq!(amounts(side, rate), Ok(Amounts { send: Tokens::new(send), receive: Tokens::new(receive) }));
    }

    #[test]
    fn fixed_send_takes_only_what_it_uses() {
        check(Side::Send(Tokens::new(10)), cross(1, 3), 9, 3);
        check(Side::Send(Tokens::new(10)), cross(2, 3), 9, 6);
        check(Side::Send(Tokens::new(10)), cross(3, 1), 10, 30);
    }

    #[test]
    fn fixed_receive_is_exact_and_costs_the_rounded_up_price() {
        check(Side::Receive(Tokens::new(1)), cross(2, 3), 2, 1);
        check(Side::Receive(Tokens::new(2)), cross(2, 3), 3, 2);
        check(Side::Receive(Tokens::new(7)), cross(10, 1), 1, 7);
    }

    #[test]
    fn too_little_names_the_smallest_workable_amount() {
        assert_eq!(amounts(Side::Send(Tokens::new(2)), cross(1, 3)), Err(AmountsError::TooSmall { min_send: Tokens::new(3) }));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(amounts(Side::Send(Tokens::new(i64::MAX)), cross(i64::MAX, 1)), Err(AmountsError::TooLarge));
        assert_eq!(amounts(Side::Receive(Tokens::new(i64::MAX)), cross(1, i64::MAX)), Err(AmountsError::TooLarge));
        assert_eq!(figures(Tokens::new(i64::MAX), UnitValue::try_new(2).unwrap()), None);
        assert_eq!(figures(Tokens::new(VALUE_MAX.units() + 1), UnitValue::try_new(1).unwrap()), None);
        assert!(figures(Tokens::new(VALUE_MAX.units()), UnitValue::try_new(1).unwrap()).is_some());
    }

    #[test]
    fn the_whole_value_is_owed_to_the_second_vendor() {
        let f = figures(Tokens::new(9), UnitValue::try_new(1_000).unwrap()).unwrap();
        assert_eq!((f.value.units(), f.to_vendor.units()), (9_000, 9_000));
    }

    proptest! {
        #[test]
        fn no_round_trip_gains(x in 1..1_000_000_000_000_i64, a in 1..1_000_000_i64, b in 1..1_000_000_i64, bps in 0..500_i64) {
            let margin = PairRate::Cross { margin: Margin::try_new(bps).unwrap() };
            let (ua, ub) = (UnitValue::try_new(a).unwrap(), UnitValue::try_new(b).unwrap());
            if let Ok(there) = amounts(Side::Send(Tokens::new(x)), ratio(ua, ub, Some(margin)).unwrap()) {
                prop_assert!(there.send <= Tokens::new(x));
                for back in [Side::Send(there.receive), Side::Receive(there.send)] {
                    if let Ok(home) = amounts(back, ratio(ub, ua, None).unwrap()) {
                        prop_assert!(home.send > there.receive || home.receive <= there.send);
                    }
                }
            }
        }

        #[test]
        fn one_unit_less_would_receive_less(x in 1..1_000_000_000_000_i64, a in 1..1_000_000_i64, b in 1..1_000_000_i64) {
            let rate = cross(a, b);
            if let Ok(swap) = amounts(Side::Send(Tokens::new(x)), rate) {
                if swap.send > Tokens::new(1) {
                    let less = amounts(Side::Send(Tokens::new(swap.send.units() - 1)), rate);
                    prop_assert!(less.map_or(true, |l| l.receive < swap.receive));
                }
                // The taker never receives more value than was taken.
                prop_assert!(i128::from(swap.receive.units()) * i128::from(b) <= i128::from(swap.send.units()) * i128::from(a));
            }
        }

        #[test]
        fn arithmetic_never_panics(x in 1..=i64::MAX, a in 1..=i64::MAX, b in 1..=i64::MAX, receive: bool) {
            let side = if receive { Side::Receive(Tokens::new(x)) } else { Side::Send(Tokens::new(x)) };
            let _ = amounts(side, cross(a, b));
        }
    }
}
