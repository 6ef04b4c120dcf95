//! Columns that several stores read, as the types that the rest of the program knows.

use ledger::Fault;
use scrip::{Code, Scale};
use tokio_postgres::Row;

/// A vendor's or scheme's code.
pub(crate) fn read_code(row: &Row, column: usize) -> Result<Code, Fault> {
    Code::parse(row.try_get(column)?).map_err(|_| Fault::Unreadable("a stored code".to_owned()))
}

/// A number of decimals.
pub(crate) fn read_scale(row: &Row, column: usize) -> Result<Scale, Fault> {
    let decimals: i16 = row.try_get(column)?;
    Scale::try_new(i64::from(decimals)).ok_or_else(|| Fault::Unreadable(format!("a stored scale of {decimals}")))
}
