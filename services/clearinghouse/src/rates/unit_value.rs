//! Unit values as people write them: the value of one whole token, in whole units of the scheme's currency.

use super::UnitValueRefusal;
use crate::amount::AmountText;
use scrip::money::MICRO_SCALE;
use scrip::{Micro, Scale, UnitValue};

/// The value of a smallest unit, from that of a whole token. It must come out even, so that the value of any number of tokens is exact.
pub fn read(text: &AmountText, scale: Scale) -> Result<UnitValue, UnitValueRefusal> {
    let whole = text.micro("unit_value")?.units();
    let per_whole = scale.units_per_whole();
    let is_even = whole.checked_rem(per_whole) == Some(0);
    let value = whole.checked_div(per_whole).filter(|_| is_even).and_then(UnitValue::try_new);
    value.ok_or_else(|| UnitValueRefusal::NotWhole { step: Micro::new(per_whole).display(MICRO_SCALE).to_string() })
}

/// The value of a whole token, with at least the currency's decimals. It fits, because it was read from such a value.
pub fn show(value: UnitValue, scale: Scale, digits: Option<Scale>) -> String {
    let whole = Micro::new(value.micro().saturating_mul(scale.units_per_whole()));
    match digits {
        Some(digits) => whole.display_at_least(digits),
        None => whole.display(MICRO_SCALE).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, decimals: i64) -> Result<i64, UnitValueRefusal> {
        let text: AmountText = serde_json::from_value(text.into()).unwrap();
        read(&text, Scale::try_new(decimals).unwrap()).map(UnitValue::micro)
    }

    #[test]
    fn a_unit_value_is_a_whole_number_of_micro_units() {
        assert_eq!(value("0.01", 2), Ok(100));
        assert_eq!(value("0.000001", 0), Ok(1));
        assert_eq!(value("1", 6), Ok(1));
        assert_eq!(value("0.000001", 2), Err(UnitValueRefusal::NotWhole { step: "0.000100".to_owned() }));
        assert_eq!(value("0.00015", 2), Err(UnitValueRefusal::NotWhole { step: "0.000100".to_owned() }));
        assert!(matches!(value("0", 2), Err(UnitValueRefusal::Amount(_))));
        assert!(matches!(value("0.0000001", 0), Err(UnitValueRefusal::Amount(_))));
    }

    #[test]
    fn a_unit_value_is_shown_for_a_whole_token() {
        let (two, cents) = (Scale::try_new(2).unwrap(), UnitValue::try_new(100).unwrap());
        assert_eq!(show(cents, two, Some(two)), "0.01");
        assert_eq!(show(UnitValue::try_new(15).unwrap(), two, Some(two)), "0.0015");
        assert_eq!(show(cents, two, None), "0.010000");
    }
}
