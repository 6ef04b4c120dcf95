//! Figures as files write them.

/// Millionths, exactly; an empty cell is zero.
pub(crate) fn micro(text: &str) -> i64 {
    if text.is_empty() {
        return 0;
    }
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |d| (-1, d));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(part.len() <= 6, "{text} is finer than a millionth");
    sign * (whole.parse::<i64>().unwrap() * 1_000_000 + format!("{part:0<6}").parse::<i64>().unwrap())
}
