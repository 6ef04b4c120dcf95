//! How the house writes CSV, in files of runs and of `scriphouse net` alike: RFC 4180 with CRLF, UTF-8, and text that no spreadsheet mistakes for a formula.
//!
//! Only text goes through [`safe_cell`]: an amount is a number already, and a minus sign before it is meant.

use std::borrow::Cow;
use std::iter;

/// What a file for Excel begins with, so that its letters are read as UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Adds one row to the text: commas, CRLF at its end, quotation marks around a cell with a comma, a quote or a line break.
pub fn push_row<const N: usize>(text: &mut Vec<u8>, cells: [impl AsRef<str>; N]) {
    push_separated(text, ',', cells);
}

/// The same with semicolons, as Excel separates where the comma is the decimal sign.
pub fn push_excel_row<const N: usize>(text: &mut Vec<u8>, cells: [impl AsRef<str>; N]) {
    push_separated(text, ';', cells);
}

/// The same with any separator.
pub(crate) fn push_separated(text: &mut Vec<u8>, separator: char, cells: impl IntoIterator<Item = impl AsRef<str>>) {
    for (index, cell) in cells.into_iter().enumerate() {
        let cell = cell.as_ref();
        if index > 0 {
            text.extend_from_slice(separator.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if cell.contains([separator, '"', '\r', '\n']) {
            text.push(b'"');
            text.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            text.push(b'"');
        } else {
            text.extend_from_slice(cell.as_bytes());
        }
    }
    text.extend_from_slice(b"\r\n");
}

/// What a spreadsheet takes for the beginning of a formula; in wide letters, some do too.
const BEGINS_FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// The text of a cell. A spreadsheet would run what begins like a formula; an apostrophe before it makes it text. One that separates by another sign
/// than the file does begins a cell behind each of these as well.
pub fn safe_cell(text: &str) -> Cow<'_, str> {
    let after = || iter::once(',').chain(text.chars());
    let begins = |(letter, before): &(char, char)| matches!(before, ',' | ';' | '\t') && BEGINS_FORMULA.contains(letter);
    if !text.chars().zip(after()).any(|pair| begins(&pair)) {
        return Cow::Borrowed(text);
    }
    text.chars().zip(after()).flat_map(|pair| begins(&pair).then_some('\'').into_iter().chain([pair.0])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_becomes_text() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("A=B", "A=B"),
            ("a;=1+1", "a;'=1+1"),
            ("a,-b;+c", "a,'-b;'+c"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("a, -b", "a, -b"),
            ("';=1", "';'=1"),
            ("'x", "'x"),
            ("É", "É"),
            ("", ""),
        ] {
            assert_eq!(safe_cell(text), expected);
        }
    }

    #[test]
    fn rows_end_in_crlf_and_are_quoted_where_needed() {
        let mut text = Vec::new();
        push_row(&mut text, ["party", "net"]);
        push_row(&mut text, ["Smith, \"Jo\"", "-1.50"]);
        push_row(&mut text, ["two\r\nlines", ""]);
        let expected = "party,net\r\n\"Smith, \"\"Jo\"\"\",-1.50\r\n\"two\r\nlines\",\r\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn a_row_for_excel_is_separated_by_semicolons() {
        let mut text = Vec::new();
        push_excel_row(&mut text, ["1,5", "a;b", "c\"d"]);
        assert_eq!(String::from_utf8(text).unwrap(), "1,5;\"a;b\";\"c\"\"d\"\r\n");
    }
}
