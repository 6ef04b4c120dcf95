//! How the house writes CSV: RFC 4180 with CRLF, and text that no spreadsheet mistakes for a formula.
//!
//! Only text goes through [`safe_cell`]: an amount is a number already, and a minus sign before it is meant.

use std::{borrow::Cow, io::Write};

/// The text of a cell. A spreadsheet would run what begins with `=`, `+`, `-`, `@`, a tab or a carriage return; an apostrophe before
/// it makes it text.
pub fn safe_cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Writes records to `output`: commas, CRLF after every record, quotation marks where a cell needs them.
///
/// The writer buffers. Flush it before the output counts as written: dropping it would hide an error.
pub fn csv_writer<W: Write>(output: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(output)
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
            ("'x", "'x"),
            ("É", "É"),
            ("", ""),
        ] {
            assert_eq!(safe_cell(text), expected);
        }
    }

    #[test]
    fn records_end_in_crlf_and_are_quoted_where_needed() {
        let mut writer = csv_writer(Vec::new());
        writer.write_record(["party", "net"]).unwrap();
        writer.write_record(["Smith, \"Jo\"", "-1.50"]).unwrap();
        writer.write_record(["two\nlines", ""]).unwrap();
        let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        assert_eq!(written, "party,net\r\n\"Smith, \"\"Jo\"\"\",-1.50\r\n\"two\nlines\",\r\n");
    }
}
