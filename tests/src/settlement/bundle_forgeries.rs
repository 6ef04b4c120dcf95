//! Bundles that somebody made to say something else, with sizes, hashes and headers that fit again: each forgery breaks its rule.

use super::bundles::{broken, download, rich_run, settled_run};
use super::draws::defaulted_run;
use crate::support::archive::Unpacked;
use crate::support::audit;
use crate::support::cluster::TestDatabase;
use ledger::Db;
use runs::bundles::{Broken, Bundles};
use scrip::RunId;
use serde_json::Value;

/// Rules, by a piece of their sentence.
const LEAVES: &str = "has its leaf";
const SEALS: &str = "the seal of every window";
const SWAPS: &str = "has its swap";
const NETTING: &str = "gives the same result";
const TRANSFERS: &str = "the transfers and carries are those";
const POSITIONS: &str = "the positions equal the obligations";
const TO_BE_PAID: &str = "what is to be paid";
const STATEMENTS: &str = "every position has its statement";
const MANIFEST: &str = "the manifest lists";
const RUN: &str = "the run is that of its slot";
const STEPS: &str = "the end of its history";
const HISTORIES: &str = "the state of every transfer";
const CONFIRMATIONS: &str = "what banks confirmed";
const DEFAULTS: &str = "every default ended";
const REPLACEMENTS: &str = "what took the place";
const DRAWS: &str = "what is paid out of collateral";
const RECORDS: &str = "every record can be read";
const LISTING: &str = "every member has the size";
const ARCHIVE: &str = "the archive is whole";

/// A cell of a table that says something else, and the rule that this breaks. Rows count from 1.
const CELLS: &[(&str, usize, &str, Edit, &str)] = &[
    ("obligations", 1, "amount", Edit::Grow, LEAVES),
    ("obligations", 1, "amount", Edit::Grow, STATEMENTS),
    ("obligations", 1, "amount", Edit::Grow, NETTING),
    ("obligations", 1, "user", Edit::Other, LEAVES),
    ("obligations", 1, "id", Edit::Other, LEAVES),
    ("obligations", 1, "operation", Edit::Other, SWAPS),
    ("obligations", 2, "booked_at", Edit::Set("2026-01-01T00:00:00Z"), LEAVES),
    ("obligations", 2, "booked_at", Edit::Set("2026-01-01T00:00:00.1234567Z"), RECORDS),
    ("obligations", 2, "writer", Edit::Set("99"), LEAVES),
    ("obligations", 2, "source", Edit::Set("fee"), LEAVES),
    ("obligations", 2, "window", Edit::Set("7"), RECORDS),
    ("obligations", 2, "amount", Edit::Set("0.000000"), RECORDS),
    ("obligations", 2, "amount", Edit::Set("9223372036854.775807"), NETTING),
    ("obligations", 2, "creditor", Edit::Other, RECORDS),
    ("leaves", 1, "root", Edit::Other, LEAVES),
    ("leaves", 1, "root", Edit::Other, SEALS),
    ("leaves", 1, "gross", Edit::Grow, LEAVES),
    ("leaves", 2, "obligation_count", Edit::Set("2"), LEAVES),
    ("leaves", 2, "obligation_count", Edit::Set("9223372036854775807"), LEAVES),
    ("leaves", 2, "writer", Edit::Set("99"), LEAVES),
    ("leaves", 2, "window", Edit::Set("3"), RECORDS),
    ("swaps", 1, "send_units", Edit::Set("1"), SWAPS),
    ("swaps", 1, "from_unit_value", Edit::Grow, SWAPS),
    ("swaps", 1, "value", Edit::Grow, SWAPS),
    ("swaps", 1, "to_vendor", Edit::Grow, SWAPS),
    ("swaps", 1, "house_fee", Edit::Set("0.000001"), SWAPS),
    ("swaps", 2, "user", Edit::Other, SWAPS),
    ("swaps", 2, "id", Edit::Other, SWAPS),
    ("swaps", 2, "receive_units", Edit::Set("0"), SWAPS),
    ("transfers", 1, "amount", Edit::Grow, TRANSFERS),
    ("transfers", 1, "payee", Edit::Set("AA"), TRANSFERS),
    ("transfers", 1, "payer", Edit::Set("HOUSE"), TRANSFERS),
    ("transfers", 1, "number", Edit::Set("2"), TRANSFERS),
    ("transfers", 1, "id", Edit::Other, TRANSFERS),
    ("transfers", 1, "state", Edit::Set("lost"), RECORDS),
    ("transfers", 1, "state", Edit::Set("sent"), HISTORIES),
    ("transfers", 1, "attempt", Edit::Set("2"), HISTORIES),
    ("transfers", 1, "disputed_from", Edit::Set("sent"), HISTORIES),
    ("carries", 1, "amount", Edit::Grow, TRANSFERS),
    ("carries", 1, "debtor", Edit::Set("HOUSE"), TRANSFERS),
    ("vendors", 1, "id", Edit::Other, RECORDS),
    ("vendors", 1, "code", Edit::Set("AB"), NETTING),
    ("vendors", 2, "code", Edit::Set("AA"), RECORDS),
    ("vendors", 2, "code", Edit::Set("HOUSE"), RECORDS),
];

/// The same for a run that is settled, as `settled_run` leaves it.
const SETTLED_CELLS: &[(&str, usize, &str, Edit, &str)] = &[
    ("holdings", 1, "amount", Edit::Grow, NETTING),
    ("holdings", 1, "amount", Edit::Grow, STATEMENTS),
    ("holdings", 1, "amount", Edit::Set("1000.000000"), NETTING),
    ("holdings", 1, "amount", Edit::Set("0.000000"), NETTING),
    ("holdings", 1, "creditor", Edit::Set("DD"), NETTING),
    ("holdings", 1, "debtor", Edit::Set("ZZ"), NETTING),
    ("transfers", 1, "state", Edit::Set("sent"), HISTORIES),
    ("transfers", 2, "state", Edit::Set("written_off"), HISTORIES),
    ("transfers", 3, "attempt", Edit::Set("1"), HISTORIES),
    ("transfers", 4, "disputed_from", Edit::Set("failed"), HISTORIES),
    ("transfer-steps", 1, "number", Edit::Set("9"), HISTORIES),
    ("transfer-steps", 1, "number", Edit::Set("0"), HISTORIES),
    ("transfer-steps", 1, "seq", Edit::Set("2"), HISTORIES),
    ("transfer-steps", 2, "seq", Edit::Set("1"), RECORDS),
    ("transfer-steps", 1, "from", Edit::Set("retried"), HISTORIES),
    ("transfer-steps", 2, "to", Edit::Set("rolled"), HISTORIES),
    ("transfer-steps", 2, "to", Edit::Set("paid"), RECORDS),
    ("transfer-steps", 1, "attempt", Edit::Set("2"), HISTORIES),
    ("transfer-steps", 1, "actor", Edit::Set("house"), HISTORIES),
    ("transfer-steps", 1, "actor", Edit::Other, HISTORIES),
    ("transfer-steps", 2, "stepped_at", Edit::Set("2026-01-01T00:00:00Z"), HISTORIES),
    ("transfer-steps", 3, "reason_code", Edit::Set(""), HISTORIES),
    ("transfer-steps", 3, "reason_code", Edit::Set("XX99"), HISTORIES),
    ("transfer-steps", 4, "reason", Edit::Set(""), HISTORIES),
    ("transfer-steps", 4, "reason", Edit::Set("=1+1"), RECORDS),
    ("transfer-steps", 4, "booked_on", Edit::Set("2026-11-31"), RECORDS),
    ("transfer-steps", 9, "confirmation", Edit::Other, CONFIRMATIONS),
    ("transfer-steps", 9, "stepped_at", Edit::Set("2036-01-01T00:00:00Z"), CONFIRMATIONS),
    ("confirmations", 1, "number", Edit::Set("1"), CONFIRMATIONS),
    ("confirmations", 1, "seq", Edit::Set("1"), CONFIRMATIONS),
    ("confirmations", 1, "confirmation", Edit::Other, CONFIRMATIONS),
    ("confirmations", 1, "said", Edit::Set("failed"), CONFIRMATIONS),
    ("confirmations", 1, "amount", Edit::Grow, CONFIRMATIONS),
    ("confirmations", 1, "applied_by", Edit::Other, CONFIRMATIONS),
    ("confirmations", 1, "applied_at", Edit::Set("2026-01-01T00:00:00Z"), CONFIRMATIONS),
];

/// The same for a run in which two vendors have defaulted, as `defaulted_run` leaves it.
const DEFAULTED_CELLS: &[(&str, usize, &str, Edit, &str)] = &[
    ("transfers", 1, "default", Edit::Set(""), DEFAULTS),
    ("transfers", 1, "default", Edit::Other, DEFAULTS),
    ("transfers", 1, "default", Edit::Set("yes"), RECORDS),
    ("transfer-steps", 2, "stepped_at", Edit::Set("2999-01-01T00:00:00Z"), DEFAULTS),
    ("transfer-steps", 2, "actor", Edit::Set("house"), DEFAULTS),
    ("defaults", 1, "id", Edit::Other, DEFAULTS),
    ("defaults", 1, "vendor", Edit::Set("AB"), DEFAULTS),
    ("defaults", 2, "vendor", Edit::Set("AA"), RECORDS),
    ("defaults", 1, "rule", Edit::Set("pro_rata"), REPLACEMENTS),
    ("defaults", 1, "rule", Edit::Set("carry_over"), REPLACEMENTS),
    ("defaults", 1, "rule", Edit::Set("nobody"), RECORDS),
    ("defaults", 2, "rule", Edit::Set("exclude_and_renet"), DEFAULTS),
    ("defaults", 1, "collateral", Edit::Set("49.000000"), REPLACEMENTS),
    ("defaults", 1, "collateral", Edit::Set("-1.000000"), REPLACEMENTS),
    ("defaults", 1, "collateral", Edit::Set("9223372036854.775807"), REPLACEMENTS),
    ("defaults", 1, "reason", Edit::Set(""), DEFAULTS),
    ("defaults", 1, "declared_by", Edit::Set("house"), DEFAULTS),
    ("defaults", 1, "declared_at", Edit::Set("2000-01-01T00:00:00Z"), DEFAULTS),
    ("default-debts", 1, "amount", Edit::Grow, REPLACEMENTS),
    ("default-debts", 1, "amount", Edit::Set("9223372036854.775807"), REPLACEMENTS),
    ("default-debts", 1, "creditor", Edit::Set("BB"), REPLACEMENTS),
    ("default-debts", 2, "debtor", Edit::Set("ZZ"), REPLACEMENTS),
    ("default-debts", 3, "vendor", Edit::Set("AA"), REPLACEMENTS),
    ("default-draws", 1, "amount", Edit::Grow, REPLACEMENTS),
    ("default-draws", 1, "amount", Edit::Set("39.990000"), REPLACEMENTS),
    ("default-draws", 1, "payee", Edit::Set("BB"), REPLACEMENTS),
    ("default-draws", 1, "vendor", Edit::Set("BB"), REPLACEMENTS),
    ("default-draws", 1, "number", Edit::Set("2"), REPLACEMENTS),
    ("default-draws", 1, "number", Edit::Set("3"), DRAWS),
    ("default-draws", 1, "reference", Edit::Set("SH-000000000000-D1"), DRAWS),
    ("default-draws", 1, "paid_at", Edit::Set(""), DRAWS),
    ("default-draws", 1, "paid_by", Edit::Set(""), DRAWS),
    ("default-draws", 1, "paid_by", Edit::Set("house"), DRAWS),
    ("default-draws", 1, "bank_reference", Edit::Set("B99"), DRAWS),
    ("default-draws", 1, "booked_on", Edit::Set("2020-02-02"), DRAWS),
    ("default-draws", 1, "booked_on", Edit::Set("2020-02-30"), RECORDS),
    ("default-draws", 2, "bank_reference", Edit::Set("B99"), DRAWS),
    ("draw-corrections", 1, "vendor", Edit::Set("BB"), DRAWS),
    ("draw-corrections", 1, "number", Edit::Set("9"), DRAWS),
    ("draw-corrections", 1, "seq", Edit::Set("2"), DRAWS),
    ("draw-corrections", 2, "seq", Edit::Set("1"), RECORDS),
    ("draw-corrections", 2, "bank_reference_before", Edit::Set("B99"), DRAWS),
    ("draw-corrections", 2, "bank_reference", Edit::Set("B99"), DRAWS),
    ("draw-corrections", 1, "booked_on", Edit::Set("2020-02-02"), DRAWS),
    ("draw-corrections", 1, "reason", Edit::Set(""), DRAWS),
    ("draw-corrections", 1, "corrected_by", Edit::Set("house"), DRAWS),
    ("draw-corrections", 2, "corrected_at", Edit::Set("2000-01-01T00:00:00Z"), DRAWS),
];

/// How a text becomes another.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Set(&'static str),
    /// By one millionth.
    Grow,
    /// Another id or hash, which is none that there is.
    Other,
}

impl Edit {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Set(other) => other.to_owned(),
            Self::Grow => {
                let micro = crate::support::micro(text) + 1;
                format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
            }
            Self::Other => {
                let last = if text.ends_with('0') { '1' } else { '0' };
                format!("{}{last}", &text[..text.len() - 1])
            }
        }
    }
}

/// Text of a member that says something else.
const TEXTS: &[(&str, &str, &str, &str)] = &[
    ("run.json", "\"format\": 3", "\"format\": 4", RECORDS),
    ("run.json", "\"strategy\": \"direct\"", "\"strategy\": \"gross\"", NETTING),
    ("run.json", "\"strategy\": \"direct\"", "\"strategy\": \"best\"", NETTING),
    ("run.json", "\"digits\": 2", "\"digits\": 3", NETTING),
    ("run.json", "\"digits\": 2", "\"digits\": -1", NETTING),
    ("run.json", "\"min_transfer\": \"0.000000\"", "\"min_transfer\": \"1.000000\"", MANIFEST),
    ("run.json", "\"algorithm_version\": ", "\"algorithm_version\": 9", NETTING),
    ("run.json", "\"slot\": \"manual:", "\"slot\": \"manual:x", RUN),
    ("run.json", "\"gross\": \"", "\"gross\": \"1", RUN),
    ("run.json", "\"bilateral\": \"", "\"bilateral\": \"1", RUN),
    ("run.json", "\"net\": \"", "\"net\": \"1", RUN),
    ("run.json", "\"remaining\": \"", "\"remaining\": \"1", RUN),
    ("run.json", "\"total\": \"", "\"total\": \"1", RUN),
    ("run.json", "\"transfer_count\": ", "\"transfer_count\": 1", RUN),
    ("run.json", "\"obligation_count\": ", "\"obligation_count\": 1", RUN),
    ("run.json", "\"computed_at\": \"2", "\"computed_at\": \"3", ARCHIVE),
    ("run.json", "\"number\": 2", "\"number\": 3", MANIFEST),
    ("run.json", "\"scheme\": \"EURO\"", "\"scheme\": \"EURA\"", MANIFEST),
    ("run.json", "\"currency\": \"EUR\"", "\"currency\": \"USD\"", STATEMENTS),
    ("run.json", "\"state\": \"exported\"", "\"state\": \"approved\"", STEPS),
    ("run.json", "\"state\": \"exported\"", "\"state\": \"paid\"", RECORDS),
    ("run.json", "{\n", "{\n  \"more\": 1,\n", RECORDS),
    ("windows.json", "\"version\": 2", "\"version\": 1", SEALS),
    ("windows.json", "\"version\": 2", "\"version\": 3", SEALS),
    ("windows.json", "\"number\": 1", "\"number\": 9", RECORDS),
    ("windows.json", "\"obligation_count\": ", "\"obligation_count\": 1", SEALS),
    ("windows.json", "\"gross\": \"", "\"gross\": \"1", SEALS),
    ("windows.json", "\"previous_seal\": \"00", "\"previous_seal\": \"01", SEALS),
    ("windows.json", "\"closed_at\": \"2", "\"closed_at\": \"3", RUN),
    ("windows.json", "\"opened_at\": \"2", "\"opened_at\": \"3", RUN),
    ("steps.json", "\"seq\": 1", "\"seq\": 2", STEPS),
    ("steps.json", "\"from\": \"computed\"", "\"from\": \"approved\"", STEPS),
    ("steps.json", "\"to\": \"proposed\"", "\"to\": \"exported\"", STEPS),
    ("steps.json", "\"to\": \"exported\"", "\"to\": \"voided\"", STEPS),
    ("steps.json", "\"actor\": \"operator:", "\"actor\": \"somebody:", RECORDS),
    ("steps.json", "\"stepped_at\": \"2", "\"stepped_at\": \"3", STEPS),
    ("steps.json", "\"reason\": null", "\"reason\": \"\"", STEPS),
    ("files/manifest.json", "\"gross\": \"", "\"gross\": \"1", MANIFEST),
    ("files/manifest.json", "\"slot\": \"manual:", "\"slot\": \"manual:x", MANIFEST),
    ("files/manifest.json", "\"name\":\"positions.csv\"", "\"name\":\"positions.txt\"", MANIFEST),
    ("files/manifest.json", "{", "[", MANIFEST),
    ("files/positions.csv", "AA,", "AA,1", POSITIONS),
    ("files/positions.csv", "CC,", "CD,", MANIFEST),
    ("files/transfers.csv", ",EUR,", ",USD,", TO_BE_PAID),
    ("files/transfers.csv", "1,SH-", "1,SX-", TO_BE_PAID),
    ("files/transfers.csv", "number,", "nummer,", TO_BE_PAID),
    ("files/statement-AA.csv", "opening_carry,,,,,,0", "opening_carry,,,,,,1", STATEMENTS),
    ("files/statement-AA.csv", "obligation,BB", "obligation,CC", STATEMENTS),
    ("files/statement-BB.csv", "net,,,,,,", "net,,,,,,1", STATEMENTS),
    ("files/statement-CC.csv", "closing_carry", "closing_carri", STATEMENTS),
];

/// The same for a run that is settled.
const SETTLED_TEXTS: &[(&str, &str, &str, &str)] = &[
    ("run.json", "\"state\": \"settled\"", "\"state\": \"settling\"", HISTORIES),
    ("run.json", "\"state\": \"settled\"", "\"state\": \"exported\"", HISTORIES),
    ("run.json", "\"min_transfer\": \"1.000000\"", "\"min_transfer\": \"0.000000\"", NETTING),
    ("files/manifest.json", "\"min_transfer\": \"1.000000\"", "\"min_transfer\": \"0.000000\"", MANIFEST),
    ("files/statement-AA.csv", "held_back,BB", "held_back,CC", STATEMENTS),
    ("files/statement-AA.csv", "set_off,BB", "set_off,CC", STATEMENTS),
    ("files/statement-BB.csv", "carry,DD,,,,,0.000000,0.5", "carry,DD,,,,,0.000000,0.6", STATEMENTS),
    ("files/statement-BB.csv", "rounding,,,,,,0", "rounding,,,,,,1", STATEMENTS),
];

#[test]
fn every_forgery_of_a_settled_run_breaks_its_rule() {
    audit(async |house| {
        let run = settled_run(house).await;
        let bundle = Unpacked::of(&download(&house.operator, &run).await.bytes);
        assert_eq!(broken(&bundle.pack()), []);
        all_are_found(&bundle, SETTLED_CELLS, SETTLED_TEXTS);
        what_is_left_out_is_missed(&bundle, &[("holdings", NETTING), ("transfer-steps", HISTORIES), ("confirmations", CONFIRMATIONS)]);
    });
}

#[test]
fn every_forgery_of_a_default_breaks_its_rule() {
    audit(async |house| {
        let run = defaulted_run(house).await;
        let bundle = Unpacked::of(&download(&house.operator, &run).await.bytes);
        assert_eq!(broken(&bundle.pack()), []);
        all_are_found(&bundle, DEFAULTED_CELLS, &[]);
        let tables =
            [("defaults", DEFAULTS), ("default-debts", REPLACEMENTS), ("default-draws", REPLACEMENTS), ("draw-corrections", DRAWS)];
        what_is_left_out_is_missed(&bundle, &tables);
        // A default with all that it left, of which only its transfers still know.
        let mut forged = bundle.clone();
        for (table, rows) in [("defaults", 1), ("default-debts", 1)] {
            (0..rows).for_each(|_| leave_out_last(&mut forged, table));
        }
        breaks(&bundle, forged, DEFAULTS, "the second default");
        // What is owed to one is owed to the other: every sum fits, but the rule.
        let mut forged = bundle.clone();
        forged.edit("default-debts-000001.csv", 1, "amount", |_| "30.000000".to_owned());
        forged.edit("default-draws-000001.csv", 1, "amount", |_| "30.000000".to_owned());
        breaks(&bundle, forged, REPLACEMENTS, "more owed and less paid");
    });
}

/// What nothing else in the bundle says of a default.
const PARTLY_PROVABLE: [&str; 10] = [
    "collateral",
    "reason",
    "paid_at",
    "paid_by",
    "bank_reference",
    "booked_on",
    "bank_reference_before",
    "booked_on_before",
    "corrected_by",
    "corrected_at",
];

#[test]
fn whatever_is_said_of_a_default_is_read_and_what_can_be_proven_is() {
    audit(async |house| {
        let run = defaulted_run(house).await;
        let bundle = Unpacked::of(&download(&house.operator, &run).await.bytes);
        let texts = [
            "",
            "0",
            "-1",
            "9223372036854775807",
            "9223372036854.775807",
            "-9223372036854.775808",
            "HOUSE",
            "AA",
            "DD",
            "pro_rata",
            "house",
            "00000000-0000-0000-0000-000000000000",
            "2999-12-31",
            "9999-12-30T22:00:00Z",
        ];
        for table in ["transfers", "defaults", "default-debts", "default-draws", "draw-corrections"] {
            let name = format!("{table}-000001.csv");
            let text = bundle.text(&name);
            for column in text.lines().next().unwrap().split(',') {
                for (row, text) in (1..text.lines().count()).flat_map(|row| texts.map(|text| (row, text))) {
                    let mut forged = bundle.clone();
                    forged.edit(&name, row, column, |_| text.to_owned());
                    let forges = forged.members != bundle.members && !PARTLY_PROVABLE.contains(&column);
                    forged.list_anew();
                    assert!(!broken(&forged.pack()).is_empty() || !forges, "{table} {row} {column} {text}");
                }
            }
        }
    });
}

#[track_caller]
fn what_is_left_out_is_missed(bundle: &Unpacked, tables: &[(&str, &str)]) {
    for (table, rule) in tables {
        let mut forged = bundle.clone();
        leave_out_last(&mut forged, table);
        breaks(bundle, forged, rule, &format!("{table} without its last row"));
    }
}

/// A table without its last row.
fn leave_out_last(bundle: &mut Unpacked, table: &str) {
    let name = format!("{table}-000001.csv");
    let text = bundle.text(&name);
    let without_last = text.trim_end().rsplit_once("\r\n").expect("it has a row").0;
    bundle.set(&name, format!("{without_last}\r\n").into_bytes());
}

#[test]
fn every_forgery_breaks_its_rule() {
    audit(async |house| {
        let run = rich_run(house, "direct").await;
        let bundle = Unpacked::of(&download(&house.operator, &run).await.bytes);
        assert_eq!(broken(&bundle.pack()), []);
        all_are_found(&bundle, CELLS, TEXTS);
    });
}

#[track_caller]
fn all_are_found(bundle: &Unpacked, cells: &[(&str, usize, &str, Edit, &str)], texts: &[(&str, &str, &str, &str)]) {
    for (table, row, column, edit, rule) in cells {
        let mut forged = bundle.clone();
        forged.edit(&format!("{table}-000001.csv"), *row, column, |text| edit.apply(text));
        breaks(bundle, forged, rule, &format!("{table} {row} {column} {edit:?}"));
    }
    for (member, from, to, rule) in texts {
        let mut forged = bundle.clone();
        forged.replace(member, from, to);
        breaks(bundle, forged, rule, &format!("{member}: {from} becomes {to}"));
    }
}

#[track_caller]
fn breaks(honest: &Unpacked, mut forged: Unpacked, rule: &str, what: &str) {
    assert!(forged.members != honest.members, "{what} forges nothing");
    forged.list_anew();
    let found = broken(&forged.pack());
    let (_, violations) = found.iter().find(|(name, _)| name.contains(rule)).unwrap_or_else(|| panic!("{what}: {found:?}"));
    assert!(violations.iter().all(|violation| !violation.starts_with("not proven: what it")), "{what}: {violations:?}");
    // Nobody fooled the list: it fits again.
    assert!(found.iter().all(|(name, violations)| !name.contains(LISTING) || violations[0].starts_with("not proven")), "{what}: {found:?}");
}

#[test]
fn whoever_approves_alone_is_found() {
    audit(async |house| {
        let run = rich_run(house, "direct").await;
        let mut bundle = Unpacked::of(&download(&house.operator, &run).await.bytes);
        let steps = bundle.text("steps.json");
        let actors: Vec<&str> = steps.split("\"actor\": \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let (proposer, approver) = (actors[0].to_owned(), actors[1].to_owned());

        bundle.replace("steps.json", &approver, &proposer);
        bundle.list_anew();

        let found = broken(&bundle.pack());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0.contains(STEPS) && found[0].1[0].contains("approves what the same person proposed"), "{found:?}");
    });
}

#[test]
fn files_that_change_places_or_are_left_out_are_found() {
    audit(async |house| {
        let run = rich_run(house, "direct").await;
        let bundle = Unpacked::of(&download(&house.operator, &run).await.bytes);
        let mut forged = bundle.clone();
        forged.set("files/statement-AA.csv", bundle.member("files/statement-BB.csv").to_vec());
        breaks(&bundle, forged, STATEMENTS, "a statement of another vendor");
        for (name, rule) in
            [("positions.csv", POSITIONS), ("transfers.csv", TO_BE_PAID), ("statement-CC.csv", STATEMENTS), ("manifest.json", MANIFEST)]
        {
            let mut forged = bundle.clone();
            forged.members.retain(|(member, _)| *member != format!("files/{name}"));
            breaks(&bundle, forged, rule, name);
        }
        let mut forged = bundle.clone();
        let place = forged.members.iter().position(|(name, _)| name == "files/transfers.csv").unwrap();
        forged.members.insert(place, ("files/statement-ZZ.csv".to_owned(), b"kind\r\n".to_vec()));
        breaks(&bundle, forged, STATEMENTS, "a statement of nobody");
    });
}

/// What an auditor would get from this database.
async fn take(database: &TestDatabase, run: &Value) -> Result<Vec<u8>, Broken> {
    let db = Db::connect(&database.server_url, 2).await.expect("the copy is fit to work on");
    let id = RunId::new(run["id"].as_str().unwrap().parse().unwrap());
    let mut bundle = Bundles::new(&db, 1).open(id).await.expect("it is begun");
    let mut bytes = Vec::new();
    while let Some(chunk) = bundle.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[test]
fn a_house_that_was_tampered_with_gives_bundles_that_say_so() {
    audit(async |house| {
        let run = rich_run(house, "direct").await;
        let of_run = format!("run_id = '{}'", run["id"].as_str().unwrap());
        let intact = house.database.copy().await;
        for (tampering, rule) in [
            ("UPDATE obligations SET amount_micro = amount_micro + 1 WHERE source = 'import'".to_owned(), LEAVES),
            ("UPDATE window_leaves SET root = sha256('x') WHERE writer = -1".to_owned(), SEALS),
            ("DELETE FROM swaps WHERE id = (SELECT id FROM swaps LIMIT 1)".to_owned(), SWAPS),
            ("UPDATE swaps SET to_vendor_micro = to_vendor_micro - 1, house_fee_micro = house_fee_micro + 1".to_owned(), SWAPS),
            (format!("UPDATE transfers SET payer_id = payee_id, payee_id = payer_id WHERE {of_run}"), TRANSFERS),
            (format!("UPDATE run_carries SET amount_micro = amount_micro + 1 WHERE {of_run}"), TRANSFERS),
            (
                format!(
                    "INSERT INTO run_holdings SELECT r.run_id, p.debtor_id, p.creditor_id, 1
                     FROM run_windows r JOIN positions p USING (window_id) WHERE r.{of_run} LIMIT 1"
                ),
                NETTING,
            ),
            (format!("UPDATE transfers SET state = 'sent' WHERE number = 1 AND {of_run}"), HISTORIES),
            ("UPDATE runs SET total_micro = total_micro + 1".to_owned(), RUN),
            (format!("UPDATE run_steps SET output_hash = sha256('x') WHERE {of_run}"), STEPS),
            (
                "UPDATE vendors SET code = CASE code WHEN 'AA' THEN 'BB' WHEN 'BB' THEN 'AB' ELSE code END WHERE code <> 'AA'".to_owned(),
                NETTING,
            ),
        ] {
            let copy = intact.copy().await;
            copy.db_admin().await.batch_execute(&tampering).await.unwrap_or_else(|error| panic!("{tampering}: {error:?}"));

            let found = broken(&take(&copy, &run).await.expect("it is written"));

            assert!(found.iter().any(|(name, _)| name.contains(rule)), "{tampering}: {found:?}");
            copy.drop().await;
        }
        // A file that is shorter than it says cannot be packed: the bundle has no end.
        let shorter =
            "UPDATE file_pieces SET bytes = substr(bytes, 2) WHERE file_id IN (SELECT id FROM files WHERE name = 'positions.csv')";
        intact.db_admin().await.batch_execute(shorter).await.unwrap();
        let broke_off = take(&intact, &run).await.expect_err("it breaks off");
        assert!(broke_off.to_string().contains("positions.csv"), "{broke_off}");
        intact.drop().await;
    });
}
