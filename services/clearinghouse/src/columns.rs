//! What several stores read alike: columns as the types that the rest of the program knows, and what belongs to two users.

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

/// The keys of the newest rows of `$table` that are user `$1`'s: by the key's user, or by the other side's condition.
///
/// Two limited searches, each in an index of its own, instead of an OR that reads everything of the user's and sorts it. No row is on
/// both sides. To be joined as `mine`.
macro_rules! of_two_users {
    ($table:literal, $other_side:literal, $which:literal, $limit:literal) => {
        concat!(
            " (
        (SELECT user_id, id FROM ",
            $table,
            " WHERE user_id = $1 AND ",
            $which,
            " ORDER BY id DESC LIMIT ",
            $limit,
            ")
        UNION ALL
        (SELECT user_id, id FROM ",
            $table,
            " WHERE ",
            $other_side,
            " AND ",
            $which,
            " ORDER BY id DESC LIMIT ",
            $limit,
            ")
    ) mine"
        )
    };
}
pub(crate) use of_two_users;
