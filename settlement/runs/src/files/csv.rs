//! The text of a CSV row: RFC 4180, UTF-8, CRLF.

use scrip::{Micro, Scale, money::MICRO_SCALE};

/// Adds one row. A cell with a comma, a quote or a line break is quoted.
pub(super) fn push_row<const N: usize>(text: &mut Vec<u8>, cells: [&str; N]) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        if cell.bytes().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n')) {
            text.push(b'"');
            text.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            text.push(b'"');
        } else {
            text.extend_from_slice(cell.as_bytes());
        }
    }
    text.extend_from_slice(b"\r\n");
}

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
    fn cells_are_quoted_where_they_must_be() {
        let mut text = Vec::new();
        push_row(&mut text, ["plain", "a,b", "say \"hi\"", "two\r\nlines", ""]);
        assert_eq!(String::from_utf8(text).unwrap(), "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\",\r\n");
    }

    #[test]
    fn amounts_have_fixed_decimals() {
        let digits = |decimals| Scale::try_new(decimals).unwrap();
        assert_eq!(exact(Micro::new(-1)), "-0.000001");
        assert_eq!(paid(Micro::new(12_500_000), digits(2)), "12.50");
        assert_eq!(paid(Micro::new(12_000_000), digits(0)), "12");
        assert_eq!(paid(Micro::new(1), digits(6)), "0.000001");
    }
}
