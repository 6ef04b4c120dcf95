//! The members of a bundle that are not files of the run: what stands in each, and in which order. Pure.
//!
//! Shape: JSON for what there is one or few of ([`RunRecord`], [`WindowRecord`], [`StepRecord`]), tables for the rest. A table is
//! declared once, by [`table!`]: its columns are the fields of its row, in the database's answer, in the bundle and here. A new one is
//! a declaration here, its statement in `store`, a line in `write` and what `verify` makes of it.

use super::cells::{Cell, Text, Words};
use crate::csv_text::push_row;
use crate::scheme::Approval;
use crate::seals::Hash;
use crate::steps::{Actor, RunState};
use crate::transfers::TransferState;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::obligations::Source;
use ledger::obligations::leaves::Leaf;
use netting::clearing::Rule;
use scrip::{Micro, OperationId, RunId, SchemeId, Tokens, VendorId, WindowId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use tokio_postgres::Row;
use uuid::Uuid;

/// The run, as it is stored.
pub(super) const RUN: &str = "run.json";
/// Its windows and their seals.
pub(super) const WINDOWS: &str = "windows.json";
/// Its history.
pub(super) const STEPS: &str = "steps.json";
/// Before the name of each file of the run.
pub(super) const FILES: &str = "files/";
/// The list of all members before it: the last one.
pub(super) const BUNDLE: &str = "bundle.json";

/// What all this is called; another format has another number.
pub(super) const FORMAT: i64 = 3;

/// Rows of one part of a table: some megabytes.
pub(super) const PART_ROWS_MAX: usize = 10_000;

/// The run's row. Amounts are in its currency, with all six decimals.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunRecord {
    /// That of the whole bundle, where whoever reads it begins.
    pub(super) format: i64,
    pub(super) id: Text<RunId>,
    pub(super) scheme_id: Text<SchemeId>,
    pub(super) scheme: Text<String>,
    pub(super) number: i64,
    pub(super) slot: String,
    pub(super) state: Text<RunState>,
    pub(super) currency: Text<String>,
    pub(super) digits: i16,
    pub(super) strategy: Text<String>,
    pub(super) min_transfer: Text<Micro>,
    pub(super) approval: Text<Approval>,
    pub(super) algorithm_version: i32,
    pub(super) obligation_count: i64,
    pub(super) gross: Text<Micro>,
    pub(super) bilateral: Text<Micro>,
    pub(super) net: Text<Micro>,
    pub(super) remaining: Text<Micro>,
    pub(super) total: Text<Micro>,
    pub(super) transfer_count: i64,
    pub(super) input_hash: Text<Hash>,
    pub(super) output_hash: Text<Hash>,
    pub(super) computed_at: Text<Timestamp>,
}

/// A window that the run nets.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowRecord {
    pub(super) id: Text<WindowId>,
    pub(super) number: i64,
    pub(super) opened_at: Text<Timestamp>,
    pub(super) closed_at: Text<Timestamp>,
    pub(super) slot: String,
    pub(super) seal: SealRecord,
}

/// Its seal; `previous_seal` is that of the scheme's window before, zeros before the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealRecord {
    pub(super) version: i16,
    pub(super) obligation_count: i64,
    pub(super) gross: Text<Micro>,
    pub(super) root: Text<Hash>,
    pub(super) previous_seal: Text<Hash>,
    pub(super) seal: Text<Hash>,
}

/// A step of the run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepRecord {
    pub(super) seq: i32,
    pub(super) from: Text<RunState>,
    pub(super) to: Text<RunState>,
    pub(super) actor: Text<Actor>,
    pub(super) reason: Option<String>,
    pub(super) output_hash: Text<Hash>,
    pub(super) stepped_at: Text<Timestamp>,
}

/// What bundle.json says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    pub(super) format: i64,
    pub(super) run: Text<RunId>,
    pub(super) members: Vec<Member>,
}

/// A member of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) sha256: Text<Hash>,
}

/// The one text of a JSON member.
pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("records have only names for keys");
    text.push(b'\n');
    text
}

/// What a JSON member says, if it has that text.
pub(super) fn of_json<T: Serialize + DeserializeOwned>(text: &[u8]) -> Option<T> {
    let value = serde_json::from_slice(text).ok()?;
    (to_json(&value) == text).then_some(value)
}

/// A row of a table.
pub(super) trait Record: Sized {
    /// The table's name; its members are called `NAME-000001.csv` and so on.
    const TABLE: &'static str;

    /// The names of the columns, as a line of text.
    fn push_header(text: &mut Vec<u8>);

    /// The row, as a line of text.
    fn push(&self, text: &mut Vec<u8>);

    /// The row of a line's cells; further cells are not looked at.
    fn read(cells: &mut Cells<'_>) -> Option<Self>;

    /// The row of a database's answer, whose columns are in this order.
    fn of(row: &Row) -> Result<Self, ledger::Fault>;

    /// The row of a line, with its end, if it is that row's text.
    fn parse(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
        let row = Self::read(&mut Cells(Some(text)))?;
        let mut again = Vec::with_capacity(line.len());
        row.push(&mut again);
        (again == line).then_some(row)
    }
}

/// The cells of a row. Whoever reads them writes the row again and compares, so it does not matter what this makes of a row that is none.
pub(super) struct Cells<'a>(Option<&'a str>);

impl<'a> Iterator for Cells<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.take()?;
        let Some(mut quoted) = rest.strip_prefix('"') else {
            let (cell, rest) = rest.split_once(',').map_or((rest, None), |(cell, rest)| (cell, Some(rest)));
            self.0 = rest;
            return Some(cell.into());
        };
        let mut cell = String::new();
        loop {
            let (piece, behind) = quoted.split_once('"')?;
            cell.push_str(piece);
            let Some(more) = behind.strip_prefix('"') else {
                self.0 = behind.strip_prefix(',');
                return Some(cell.into());
            };
            cell.push('"');
            quoted = more;
        }
    }
}

/// The name of a part of a table; parts count from 1.
pub(super) fn part_name(table: &str, part: usize) -> String {
    format!("{table}-{part:06}.csv")
}

macro_rules! table {
    ($(#[$doc:meta])* $record:ident, $name:literal, { $($field:ident: $kind:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $record {
            $(pub(super) $field: $kind,)+
        }

        impl Record for $record {
            const TABLE: &'static str = $name;

            fn push_header(text: &mut Vec<u8>) {
                push_row(text, [$(stringify!($field)),+]);
            }

            fn push(&self, text: &mut Vec<u8>) {
                push_row(text, [$(self.$field.show()),+]);
            }

            fn read(cells: &mut Cells<'_>) -> Option<Self> {
                Some(Self { $($field: Cell::read(&cells.next()?)?,)+ })
            }

            fn of(row: &Row) -> Result<Self, ledger::Fault> {
                let mut columns = 0..;
                let mut next = || columns.next().expect("a row has few columns");
                Ok(Self { $($field: Cell::column(row, next())?,)+ })
            }
        }
    };
}

table! {
    /// A vendor with a position in the run. By code.
    VendorRow, "vendors", {
        code: String,
        id: VendorId,
    }
}

table! {
    /// What a batch left in a window. By window, instant and writer; none of windows that are sealed over their obligations.
    LeafRow, "leaves", {
        window: i64,
        booked_at: Timestamp,
        writer: i16,
        obligation_count: i64,
        gross: Micro,
        root: Hash,
    }
}

table! {
    /// An obligation. By window, id and user: as statements list them, and as trees are made over them.
    ObligationRow, "obligations", {
        window: i64,
        id: Uuid,
        user: Uuid,
        debtor: VendorId,
        creditor: VendorId,
        amount: Micro,
        source: Source,
        operation: OperationId,
        booked_at: Timestamp,
        writer: i16,
    }
}

impl ObligationRow {
    /// As its leaf covers it.
    pub(super) fn leaf(&self) -> Leaf {
        let Self { window: _, id, user, debtor, creditor, amount, source, operation, booked_at, writer: _ } = *self;
        Leaf { user, id, debtor, creditor, amount, source, operation, booked_at }
    }
}

table! {
    /// The swap of an obligation. In the order of the obligations. Tokens are counted in their smallest units, a unit value is that of
    /// the smallest unit.
    SwapRow, "swaps", {
        window: i64,
        user: Uuid,
        id: OperationId,
        from: VendorId,
        to: VendorId,
        send_units: Tokens,
        receive_units: Tokens,
        from_unit_value: Micro,
        to_unit_value: Micro,
        value: Micro,
        to_vendor: Micro,
        house_fee: Micro,
        source_margin: Micro,
        rounding: Micro,
    }
}

table! {
    /// What the run holds back of what one vendor owes another. By the codes of debtor and creditor.
    HoldingRow, "holdings", {
        debtor: String,
        creditor: String,
        amount: Micro,
    }
}

table! {
    /// A transfer of the run. By number.
    TransferRow, "transfers", {
        number: i64,
        id: Uuid,
        payer: String,
        payee: String,
        amount: Micro,
        state: TransferState,
        disputed_from: Option<TransferState>,
        attempt: i32,
        default: Option<Uuid>,
    }
}

table! {
    /// What the run left owed. By number.
    CarryRow, "carries", {
        number: i64,
        debtor: String,
        creditor: String,
        amount: Micro,
    }
}

table! {
    /// A step of a transfer. By the transfer's number and the step's.
    TransferStepRow, "transfer-steps", {
        number: i64,
        seq: i32,
        from: TransferState,
        to: TransferState,
        attempt: i32,
        actor: Actor,
        bank_reference: Option<Words>,
        booked_on: Option<Date>,
        reason_code: Option<String>,
        reason: Option<Words>,
        confirmation: Option<Uuid>,
        stepped_at: Timestamp,
    }
}

table! {
    /// What a bank said that became a step of a transfer: an entry of a document, which the operator applied. In the order of the steps.
    /// An entry that means several transfers has a row for each, with its part of the amount.
    ConfirmationRow, "confirmations", {
        number: i64,
        seq: i32,
        confirmation: Uuid,
        document_sha256: Hash,
        line: i64,
        said: TransferState,
        amount: Option<Micro>,
        applied_by: Actor,
        applied_at: Timestamp,
    }
}

table! {
    /// A vendor that has not paid. By code.
    DefaultRow, "defaults", {
        id: Uuid,
        vendor: String,
        rule: Rule,
        collateral: Micro,
        reason: Words,
        declared_by: Actor,
        declared_at: Timestamp,
    }
}

table! {
    /// What is owed since a vendor's default. By the vendor's code, the debtor's and the creditor's.
    DefaultDebtRow, "default-debts", {
        vendor: String,
        debtor: String,
        creditor: String,
        amount: Micro,
    }
}

table! {
    /// What a vendor's default pays out of its collateral. By the vendor's code and number.
    DefaultDrawRow, "default-draws", {
        vendor: String,
        number: i64,
        payee: String,
        amount: Micro,
        reference: String,
        paid_at: Option<Timestamp>,
        paid_by: Option<Actor>,
        bank_reference: Option<Words>,
        booked_on: Option<Date>,
    }
}

table! {
    /// What was said of the payment of a draw, put right. By the vendor's code, the number of the draw and its own.
    DrawCorrectionRow, "draw-corrections", {
        vendor: String,
        number: i64,
        seq: i32,
        bank_reference_before: Option<Words>,
        booked_on_before: Option<Date>,
        bank_reference: Option<Words>,
        booked_on: Option<Date>,
        reason: Words,
        corrected_by: Actor,
        corrected_at: Timestamp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARRY: &str = "1,AA,BB,0.005000\r\n";

    #[test]
    fn a_row_has_one_text() {
        let mut header = Vec::new();
        CarryRow::push_header(&mut header);
        assert_eq!(header, b"number,debtor,creditor,amount\r\n");
        assert!(CarryRow::parse(CARRY.as_bytes()).is_some());
        for other in [
            "1,AA,BB,0.005000\n",
            "1,AA,BB,0.005000",
            "+1,AA,BB,0.005000\r\n",
            "01,AA,BB,0.005000\r\n",
            "1,AA,BB,0.005\r\n",
            "1,AA,BB,00.005000\r\n",
            "1,AA,BB,-0.000000\r\n",
            "1,AA,\"BB\",0.005000\r\n",
            "1,AA,,0.005000\r\n",
            "1,AA,BB,0.005000,\r\n",
            "1,AA,BB\r\n",
            "\r\n",
            "",
        ] {
            assert!(CarryRow::parse(other.as_bytes()).is_none(), "{other:?}");
        }
        assert!(CarryRow::parse(&[0xff, b'\r', b'\n']).is_none());
    }

    #[test]
    fn what_somebody_wrote_has_one_text() {
        let at = "2026-11-26T12:00:00Z";
        let row = |from: &str| format!("7,1,instructed,failed,1,operator:{},{from},{at}\r\n", Uuid::nil());
        for (reference, reason) in [("", ""), ("ref 1", "no"), ("a,b", "say \"no\""), ("\"", ","), ("=1+1", "@x"), ("'=1", "é")] {
            let words = |text: &str| (!text.is_empty()).then(|| Words(text.to_owned()));
            let step = TransferStepRow {
                number: 7,
                seq: 1,
                from: TransferState::Instructed,
                to: TransferState::Failed,
                attempt: 1,
                actor: Actor::Operator(Uuid::nil()),
                bank_reference: words(reference),
                booked_on: None,
                reason_code: Some("AC04".to_owned()),
                reason: words(reason),
                confirmation: None,
                stepped_at: at.parse().unwrap(),
            };
            let mut text = Vec::new();
            step.push(&mut text);
            let read = TransferStepRow::parse(&text).unwrap_or_else(|| panic!("{reference} {reason}"));
            let mut again = Vec::new();
            read.push(&mut again);
            assert_eq!(again, text);
        }
        assert!(TransferStepRow::parse(row("x,,AC04,\"a,b\",").as_bytes()).is_some());
        for other in
            ["\"x\",,AC04,y,", "=x,,AC04,y,", "x,,AC04,\"a\"b,", "x,,AC04,\"a,b,", "x,2026-2-3,AC04,y,", "x,,AC04,a\tb,", "x,,AC04,a\nb,"]
        {
            assert!(TransferStepRow::parse(row(other).as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn an_instant_is_in_whole_microseconds() {
        assert!(Timestamp::read("2026-11-26T12:00:00.000001Z").is_some());
        assert!(Timestamp::read("2026-11-26T12:00:00.0000011Z").is_none());
    }

    #[test]
    fn a_json_member_has_one_text() {
        let listing = Listing { format: FORMAT, run: Text(RunId::new(Uuid::nil())), members: Vec::new() };
        let text = to_json(&listing);
        assert!(of_json::<Listing>(&text).is_some());
        let spaced = [b" ", text.as_slice()].concat();
        assert!(of_json::<Listing>(&spaced).is_none());
        let more = String::from_utf8(text).unwrap().replace("\"format\"", "\"more\": 2,\n  \"format\"");
        assert!(of_json::<Listing>(more.as_bytes()).is_none());
    }
}
