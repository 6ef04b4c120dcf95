//! Tables for people: settlement.xlsx and the files for Excel say what the CSV files say, and nothing in them runs.

use crate::support::{House, audit, micro};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};
use std::io::{Cursor, Read};

/// A cell as it stands in the sheet: its text, or the digits of its number.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Text(String),
    Number(String),
}

fn part(workbook: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).expect("a workbook is a zip archive");
    let mut text = String::new();
    archive.by_name(name).expect("the workbook has the part").read_to_string(&mut text).expect("it is text");
    text
}

/// The rows of a sheet, each cell with the place of its column. A formula, or a text that stands elsewhere, fails.
fn sheet(workbook: &[u8], number: u8) -> Vec<Vec<(usize, Cell)>> {
    let xml = part(workbook, &format!("xl/worksheets/sheet{number}.xml"));
    let mut reader = Reader::from_str(&xml);
    let (mut rows, mut place, mut is_text, mut value) = (Vec::<Vec<(usize, Cell)>>::new(), 0, false, None::<String>);
    loop {
        match reader.read_event().expect("it is well-formed") {
            Event::Start(start) => match start.name().as_ref() {
                b"row" => rows.push(Vec::new()),
                b"c" => {
                    let kind = start.try_get_attribute("t").unwrap().map(|kind| kind.value.into_owned());
                    assert!(kind.is_none() || kind.as_deref() == Some(b"inlineStr"), "{kind:?}");
                    is_text = kind.is_some();
                    place = usize::from(start.try_get_attribute("r").unwrap().unwrap().value[0] - b'A');
                }
                b"v" | b"t" => value = Some(String::new()),
                b"f" => panic!("a formula: {xml}"),
                _ => {}
            },
            Event::Text(text) => value.iter_mut().for_each(|value| value.push_str(&text.decode().unwrap())),
            Event::GeneralRef(name) => {
                let name = format!("&{};", name.decode().unwrap());
                value.iter_mut().for_each(|value| value.push_str(&quick_xml::escape::unescape(&name).unwrap()));
            }
            Event::End(end) if matches!(end.name().as_ref(), b"v" | b"t") => {
                let value = value.take().unwrap();
                rows.last_mut().unwrap().push((place, if is_text { Cell::Text(value) } else { Cell::Number(value) }));
            }
            Event::Eof => return rows,
            _ => {}
        }
    }
}

/// Vendors whose codes and bank details a spreadsheet would misread: TRUE is paid by 1E5 and 3-4.
async fn settled(house: &House, unit_value: &str) -> Value {
    house.operator.scheme("EURO").await;
    let alice = house.user("alice").await;
    let payout = json!({"account_holder": "=HYPERLINK(\"http://x\";\"<&>\")", "iban": "DE89370400440532013000"});
    let mut vendors = Vec::new();
    for (code, payout) in [("1E5", Value::Null), ("3-4", Value::Null), ("TRUE", payout)] {
        let body = json!({"code": code, "name": code, "scale": 2, "unit_value": unit_value, "scheme": "EURO", "payout": payout});
        let vendor = house.operator.vendor_with(body).await;
        vendor.endow(&alice, "1000").await;
        vendors.push(vendor);
    }
    alice.convert("12.5", &vendors[0], &vendors[2]).await.created();
    alice.convert("7", &vendors[1], &vendors[2]).await.created();
    house.operator.settle("EURO").await
}

fn records(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.expect("a well-formed row").iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_workbook_says_what_the_tables_say() {
    audit(async |house| {
        let run = settled(house, "1.5").await;

        let workbook = house.operator.file(&run, "settlement.xlsx").await.bytes;

        for (number, name) in [(1, "transfers.csv"), (2, "positions.csv")] {
            let expected = records(&house.operator.file(&run, name).await.text(), b',');
            let shown = sheet(&workbook, number);
            assert_eq!(shown.len(), expected.len(), "{name}");
            for (row, (shown, values)) in shown.iter().zip(&expected).enumerate() {
                assert_eq!(shown.len(), values.iter().filter(|value| !value.is_empty()).count(), "{name}: an empty value is no cell");
                for (place, cell) in shown {
                    let (header, value) = (expected[0][*place].as_str(), values[*place].as_str());
                    let is_figure = row > 0 && ["number", "amount", "owed", "owes", "net", "settled", "carry"].contains(&header);
                    match cell {
                        Cell::Number(digits) => assert!(is_figure && micro(digits) == micro(value), "{name}: {digits} for {value}"),
                        Cell::Text(text) => assert!(!is_figure && text == value.trim_start_matches('\''), "{name}: {text} for {value}"),
                    }
                }
            }
            let xml = part(&workbook, &format!("xl/worksheets/sheet{number}.xml"));
            assert!(xml.contains("state=\"frozen\""), "the header stays in sight");
        }
        let codes: Vec<Cell> = sheet(&workbook, 2).into_iter().skip(1).map(|row| row[0].1.clone()).collect();
        assert_eq!(codes, ["1E5", "3-4", "TRUE"].map(|code| Cell::Text(code.to_owned())));
    });
}

#[test]
fn a_figure_of_more_digits_than_a_cell_keeps_is_text() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let alice = house.user("alice").await;
        let mut vendors = Vec::new();
        for code in ["AA", "BB"] {
            let body = json!({"code": code, "name": code, "scale": 0, "unit_value": "100000000.123456", "scheme": "EURO"});
            let vendor = house.operator.vendor_with(body).await;
            vendor.endow(&alice, "20").await;
            vendors.push(vendor);
        }
        // Each is worth a figure of fifteen digits, together they are one of sixteen.
        for _ in 0..12 {
            alice.convert("1", &vendors[0], &vendors[1]).await.created();
        }
        let run = house.operator.settle("EURO").await;

        let workbook = house.operator.file(&run, "settlement.xlsx").await.bytes;

        let [transfers, positions] = [sheet(&workbook, 1), sheet(&workbook, 2)];
        assert_eq!(transfers[1][4].1, Cell::Number("1200000001.48".to_owned()));
        let figures: Vec<&Cell> = positions[1].iter().map(|(_, cell)| cell).collect();
        let [text, number] = [|text: &str| Cell::Text(text.to_owned()), |number: &str| Cell::Number(number.to_owned())];
        let expected = [
            text("AA"),
            number("0"),
            text("1200000001.481472"),
            text("-1200000001.481472"),
            number("-1200000001.48"),
            number("-0.001472"),
            text("EUR"),
        ];
        assert_eq!(figures, expected.iter().collect::<Vec<_>>());
    });
}

#[test]
fn a_workbook_bears_no_instant_but_that_of_the_run() {
    audit(async |house| {
        let run = settled(house, "1.5").await;

        let workbook = house.operator.file(&run, "settlement.xlsx").await.bytes;

        let at: jiff::Timestamp = run["computed_at"].as_str().unwrap().parse().unwrap();
        let core = part(&workbook, "docProps/core.xml");
        assert_eq!(core.matches(&at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).count(), 2, "{core}");
        let mut archive = zip::ZipArchive::new(Cursor::new(&workbook)).unwrap();
        for index in 0..archive.len() {
            let part = archive.by_index(index).unwrap();
            assert_eq!(part.last_modified().unwrap().to_string(), "1980-01-01 00:00:00");
        }
    });
}

#[test]
fn the_files_for_excel_say_the_same_with_semicolons_and_decimal_commas() {
    audit(async |house| {
        let run = settled(house, "1.5").await;
        for (name, excel) in [("transfers.csv", "transfers-excel.csv"), ("positions.csv", "positions-excel.csv")] {
            let expected = records(&house.operator.file(&run, name).await.text(), b',');
            let text = house.operator.file(&run, excel).await.text();
            let rows = records(text.strip_prefix('\u{feff}').expect("it begins with a byte order mark"), b';');
            assert_eq!(rows[0], expected[0]);
            for (row, expected) in rows.iter().zip(&expected).skip(1) {
                for ((value, expected), header) in row.iter().zip(expected).zip(&rows[0]) {
                    let is_amount = ["amount", "owed", "owes", "net", "settled", "carry"].contains(&header.as_str());
                    assert_eq!(*value, if is_amount { expected.replace('.', ",") } else { expected.clone() });
                }
            }
            assert_eq!(rows.len(), expected.len());
        }
    });
}
