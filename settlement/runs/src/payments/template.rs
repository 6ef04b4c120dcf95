//! How a bank wants payments as CSV: its columns, and how it writes amounts and days. Pure.

use super::{End, Waiting};
use crate::csv_text::{push_separated, safe_cell};
use crate::files::{Account, latin};
use scrip::text::is_invisible;

/// The most columns of a template.
pub const COLUMNS_MAX: usize = 50;
/// The most characters of a header, or of a text that every row has.
pub const TEXT_CHARS_MAX: usize = 70;

const SEPARATORS: [char; 3] = [',', ';', '\t'];
const DECIMAL_SIGNS: [char; 2] = ['.', ','];
/// As people write it, and as it is written.
const DAY_FORMATS: [(&str, &str); 5] = [
    ("YYYY-MM-DD", "%Y-%m-%d"),
    ("YYYYMMDD", "%Y%m%d"),
    ("DD.MM.YYYY", "%d.%m.%Y"),
    ("DD/MM/YYYY", "%d/%m/%Y"),
    ("MM/DD/YYYY", "%m/%d/%Y"),
];

/// What a cell may say of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Number,
    Reference,
    Remittance,
    Amount,
    Currency,
    PayOn,
    Scheme,
    Run,
    Code(End),
    Holder(End),
    Iban(End),
    Bic(End),
}

/// What a column has in each row.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Field(Field),
    Text(String),
}

const FIELDS: [(&str, Field); 16] = [
    ("number", Field::Number),
    ("reference", Field::Reference),
    ("remittance", Field::Remittance),
    ("amount", Field::Amount),
    ("currency", Field::Currency),
    ("pay_on", Field::PayOn),
    ("scheme", Field::Scheme),
    ("run", Field::Run),
    ("payer", Field::Code(End::Payer)),
    ("payer_account_holder", Field::Holder(End::Payer)),
    ("payer_iban", Field::Iban(End::Payer)),
    ("payer_bic", Field::Bic(End::Payer)),
    ("payee", Field::Code(End::Payee)),
    ("payee_account_holder", Field::Holder(End::Payee)),
    ("payee_iban", Field::Iban(End::Payee)),
    ("payee_bic", Field::Bic(End::Payee)),
];

/// A column as it is written: `field` names what a payment has, `text` is the same in every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewColumn {
    /// What stands above it.
    pub header: String,
    /// One of these two, and not both.
    pub field: Option<String>,
    /// May be empty.
    pub text: Option<String>,
}

/// A template as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTemplate {
    /// Between two cells: `,`, `;` or a tab.
    pub separator: String,
    /// Before an amount's decimals: `.` or `,`.
    pub decimal_sign: String,
    /// Such as `DD.MM.YYYY`.
    pub day_format: String,
    /// Whether the first row names the columns.
    pub has_header: bool,
    /// Whether text is written in the letters that SEPA takes.
    pub is_latin: bool,
    /// At least one.
    pub columns: Vec<NewColumn>,
}

/// A template that can be written by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    written: NewTemplate,
    separator: char,
    day_pattern: &'static str,
    cells: Vec<Cell>,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct TemplateMalformed {
    /// Which part of it, such as `columns[2].field`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

fn malformed(field: impl Into<String>, problem: impl Into<String>) -> TemplateMalformed {
    TemplateMalformed { field: field.into(), problem: problem.into() }
}

/// The one character that the text is, if it is one of these.
fn one_of(text: &str, characters: &[char]) -> Option<char> {
    characters.iter().copied().find(|character| text.chars().eq([*character]))
}

impl Template {
    /// A template of these.
    ///
    /// # Errors
    /// The first part that no file can be written by.
    pub fn parse(written: NewTemplate) -> Result<Self, TemplateMalformed> {
        let separator = one_of(&written.separator, &SEPARATORS);
        let separator = separator.ok_or_else(|| malformed("separator", "it is a comma, a semicolon or a tab"))?;
        one_of(&written.decimal_sign, &DECIMAL_SIGNS).ok_or_else(|| malformed("decimal_sign", "it is a point or a comma"))?;
        let day_pattern = find(&DAY_FORMATS, &written.day_format).ok_or_else(|| malformed("day_format", one_of_names(&DAY_FORMATS)))?;
        if !(1..=COLUMNS_MAX).contains(&written.columns.len()) {
            return Err(malformed("columns", format!("there are 1 to {COLUMNS_MAX}")));
        }
        let cells = written.columns.iter().enumerate().map(|(index, column)| read_column(index, column)).collect::<Result<_, _>>()?;
        Ok(Self { written, separator, day_pattern, cells })
    }

    /// As it was written.
    pub fn as_written(&self) -> &NewTemplate {
        &self.written
    }

    /// Whether its rows name the account of this end.
    pub(super) fn needs_account(&self, end: End) -> bool {
        self.cells.contains(&Cell::Field(Field::Holder(end))) || self.cells.contains(&Cell::Field(Field::Iban(end)))
    }

    pub(super) fn push_header(&self, text: &mut Vec<u8>) {
        if self.written.has_header {
            push_separated(text, self.separator, self.written.columns.iter().map(|column| column.header.as_str()));
        }
    }

    pub(super) fn push(&self, text: &mut Vec<u8>, waiting: &Waiting) {
        let cells = self.cells.iter().map(|cell| match cell {
            Cell::Field(field) => self.field(*field, waiting),
            Cell::Text(text) => text.clone(),
        });
        push_separated(text, self.separator, cells);
    }

    fn field(&self, field: Field, waiting: &Waiting) -> String {
        let of_account = |end, part: fn(&Account) -> &str| waiting.at(end).account.as_ref().map_or("", part).to_owned();
        match field {
            Field::Number => waiting.number.to_string(),
            Field::Reference => waiting.reference.clone(),
            Field::Remittance => self.letters(&waiting.remittance),
            Field::Amount => waiting.amount.replace('.', &self.written.decimal_sign),
            Field::Currency => waiting.currency.clone(),
            Field::PayOn => waiting.pay_on.strftime(self.day_pattern).to_string(),
            Field::Scheme => self.letters(&waiting.scheme),
            Field::Run => waiting.run.to_string(),
            Field::Code(end) => self.letters(&waiting.at(end).code),
            Field::Holder(end) => self.letters(&of_account(end, |account| &account.holder)),
            Field::Iban(end) => of_account(end, |account| &account.iban),
            Field::Bic(end) => of_account(end, |account| account.bic.as_deref().unwrap_or_default()),
        }
    }

    /// Somebody's words, as the bank takes them. A spreadsheet runs none of them; in Latin letters without a mark that a bank would not take.
    fn letters(&self, text: &str) -> String {
        if !self.written.is_latin {
            return safe_cell(text).into_owned();
        }
        let latin = latin(text);
        let after = std::iter::once(',').chain(latin.chars());
        latin.chars().zip(after).map(|(letter, before)| if before == ',' && matches!(letter, '+' | '-') { '.' } else { letter }).collect()
    }
}

fn read_column(index: usize, column: &NewColumn) -> Result<Cell, TemplateMalformed> {
    let part = |name: &str| format!("columns[{index}].{name}");
    for (name, text) in [("header", Some(&column.header)), ("text", column.text.as_ref())] {
        if text.is_some_and(|text| text.chars().nth(TEXT_CHARS_MAX).is_some() || text.chars().any(|c| c.is_control() || is_invisible(c))) {
            return Err(malformed(part(name), format!("it is one line of at most {TEXT_CHARS_MAX} characters that can be seen")));
        }
    }
    match (&column.field, &column.text) {
        (Some(field), None) => find(&FIELDS, field).map(Cell::Field).ok_or_else(|| malformed(part("field"), one_of_names(&FIELDS))),
        (None, Some(text)) => Ok(Cell::Text(text.clone())),
        (Some(_), Some(_)) | (None, None) => Err(malformed(part("field"), "a column has either a field or a text")),
    }
}

fn find<T: Copy>(named: &[(&str, T)], name: &str) -> Option<T> {
    named.iter().find_map(|(known, value)| (*known == name).then_some(*value))
}

fn one_of_names<T>(named: &[(&str, T)]) -> String {
    let names: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
    format!("it is one of {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::Party;
    use super::*;
    use jiff::civil::date;
    use uuid::Uuid;

    fn column(header: &str, field: &str) -> NewColumn {
        NewColumn { header: header.to_owned(), field: Some(field.to_owned()), text: None }
    }

    fn new(columns: Vec<NewColumn>) -> NewTemplate {
        let [separator, decimal_sign, day_format] = [";", ",", "DD.MM.YYYY"].map(str::to_owned);
        NewTemplate { separator, decimal_sign, day_format, has_header: true, is_latin: true, columns }
    }

    fn party(code: &str, holder: &str) -> Party {
        let account = Account { holder: holder.to_owned(), iban: "DE89370400440532013000".to_owned(), bic: None };
        Party { code: code.to_owned(), account: Some(account) }
    }

    fn waiting() -> Waiting {
        Waiting {
            number: 7,
            reference: "SH-0123456789ab-7".to_owned(),
            remittance: "SH-0123456789ab-7 settlement EURO".to_owned(),
            amount: "1234.50".to_owned(),
            currency: "EUR".to_owned(),
            pay_on: date(2026, 11, 27),
            scheme: "EURO".to_owned(),
            run: Uuid::nil(),
            payer: party("MILES", "& Müller; Söhne"),
            payee: party("BEANS", "Bean Counter"),
        }
    }

    #[test]
    fn a_payment_is_written_as_the_bank_wants_it() {
        let mut columns: Vec<NewColumn> =
            [("Betrag", "amount"), ("Datum", "pay_on"), ("Von", "payer_account_holder"), ("An", "payee_iban")]
                .into_iter()
                .map(|(header, field)| column(header, field))
                .collect();
        columns.push(NewColumn { header: "Art".to_owned(), field: None, text: Some("SEPA".to_owned()) });
        columns.push(column("BIC", "payee_bic"));
        let template = Template::parse(new(columns)).unwrap();
        let mut text = Vec::new();

        template.push_header(&mut text);
        template.push(&mut text, &waiting());

        let expected = "Betrag;Datum;Von;An;Art;BIC\r\n1234,50;27.11.2026;. Muller. Sohne;DE89370400440532013000;SEPA;\r\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn every_field_writes_something() {
        for (name, _) in FIELDS.into_iter().filter(|(name, _)| !name.ends_with("_bic")) {
            let template = Template::parse(NewTemplate {
                has_header: false,
                is_latin: false,
                separator: "\t".to_owned(),
                ..new(vec![column("", name)])
            });
            let mut text = Vec::new();
            template.unwrap().push(&mut text, &waiting());
            assert!(text.len() > 2, "{name}");
        }
    }

    #[test]
    fn an_account_is_needed_where_a_column_names_it() {
        for (field, payer, payee) in
            [("amount", false, false), ("payer_bic", false, false), ("payer_iban", true, false), ("payee_account_holder", false, true)]
        {
            let template = Template::parse(new(vec![column("", field)])).unwrap();
            assert_eq!((template.needs_account(End::Payer), template.needs_account(End::Payee)), (payer, payee), "{field}");
        }
    }

    #[test]
    fn what_no_file_can_be_written_by_is_named() {
        let good = new(vec![column("Amount", "amount")]);
        let with = |change: fn(&mut NewTemplate)| {
            let mut changed = good.clone();
            change(&mut changed);
            Template::parse(changed)
        };
        type Change = fn(&mut NewTemplate);
        let rows: [(Change, &str); 13] = [
            (|t| t.separator = "|".to_owned(), "separator"),
            (|t| t.separator = ",,".to_owned(), "separator"),
            (|t| t.separator = String::new(), "separator"),
            (|t| t.decimal_sign = "'".to_owned(), "decimal_sign"),
            (|t| t.day_format = "%d".to_owned(), "day_format"),
            (|t| t.columns.clear(), "columns"),
            (|t| t.columns = vec![t.columns[0].clone(); COLUMNS_MAX + 1], "columns"),
            (|t| t.columns[0].header = "x".repeat(71), "columns[0].header"),
            (|t| t.columns[0].header = "a\nb".to_owned(), "columns[0].header"),
            (|t| t.columns[0].header = "\u{feff}=1+1".to_owned(), "columns[0].header"),
            (|t| t.columns[0].field = Some("sum".to_owned()), "columns[0].field"),
            (|t| t.columns[0].text = Some(String::new()), "columns[0].field"),
            (|t| t.columns[0].field = None, "columns[0].field"),
        ];
        for (change, field) in rows {
            assert_eq!(with(change).unwrap_err().field, field);
        }
        assert!(with(|t| t.columns = vec![t.columns[0].clone(); COLUMNS_MAX]).is_ok());
    }
}
