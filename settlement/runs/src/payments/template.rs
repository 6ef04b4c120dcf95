//! How a bank wants payments as CSV: its columns, and how it writes amounts and days. Pure.

use super::{Payment, Side};
use crate::csv_text::{push_separated, safe_cell};
use crate::files::{Account, latin};
use jiff::civil::Date;

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
    Code(Side),
    Holder(Side),
    Iban(Side),
    Bic(Side),
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
    ("payer", Field::Code(Side::Payer)),
    ("payer_account_holder", Field::Holder(Side::Payer)),
    ("payer_iban", Field::Iban(Side::Payer)),
    ("payer_bic", Field::Bic(Side::Payer)),
    ("payee", Field::Code(Side::Payee)),
    ("payee_account_holder", Field::Holder(Side::Payee)),
    ("payee_iban", Field::Iban(Side::Payee)),
    ("payee_bic", Field::Bic(Side::Payee)),
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
pub struct Template(NewTemplate);

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
    pub fn parse(new: NewTemplate) -> Result<Self, TemplateMalformed> {
        one_of(&new.separator, &SEPARATORS).ok_or_else(|| malformed("separator", "it is a comma, a semicolon or a tab"))?;
        one_of(&new.decimal_sign, &DECIMAL_SIGNS).ok_or_else(|| malformed("decimal_sign", "it is a point or a comma"))?;
        if pattern(&new.day_format).is_none() {
            return Err(malformed("day_format", format!("it is one of {}", DAY_FORMATS.map(|(name, _)| name).join(", "))));
        }
        if !(1..=COLUMNS_MAX).contains(&new.columns.len()) {
            return Err(malformed("columns", format!("there are 1 to {COLUMNS_MAX}")));
        }
        new.columns.iter().enumerate().try_for_each(|(index, column)| check_column(index, column))?;
        Ok(Self(new))
    }

    /// As it was written.
    pub fn into_written(self) -> NewTemplate {
        self.0
    }

    /// What a file by this template is.
    pub(super) fn separator(&self) -> char {
        self.0.separator.chars().next().unwrap_or(',')
    }

    /// Whether its rows name accounts of this side.
    pub(super) fn needs_account(&self, side: Side) -> bool {
        let needs = |field: Field| field == Field::Holder(side) || field == Field::Iban(side);
        self.0.columns.iter().filter_map(|column| find_field(column.field.as_deref()?)).any(needs)
    }

    pub(super) fn push_header(&self, text: &mut Vec<u8>) {
        if self.0.has_header {
            push_separated(text, self.separator(), self.0.columns.iter().map(|column| self.letters(&column.header)));
        }
    }

    pub(super) fn push(&self, text: &mut Vec<u8>, payment: &Payment) {
        let cells = self.0.columns.iter().map(|column| match column.field.as_deref().and_then(find_field) {
            Some(field) => self.cell(field, payment),
            None => self.letters(column.text.as_deref().unwrap_or_default()),
        });
        push_separated(text, self.separator(), cells);
    }

    fn cell(&self, field: Field, payment: &Payment) -> String {
        let account = |side| payment.party(side).account.as_ref();
        let of_account = |side, part: fn(&Account) -> &str| account(side).map_or("", part).to_owned();
        match field {
            Field::Number => payment.number.to_string(),
            Field::Reference => payment.reference.clone(),
            Field::Remittance => self.letters(&payment.remittance),
            Field::Amount => payment.amount.replace('.', &self.0.decimal_sign),
            Field::Currency => payment.currency.clone(),
            Field::PayOn => self.day(payment.pay_on),
            Field::Scheme => self.letters(&payment.scheme),
            Field::Run => payment.run.to_string(),
            Field::Code(side) => self.letters(&payment.party(side).code),
            Field::Holder(side) => self.letters(&of_account(side, |account| &account.holder)),
            Field::Iban(side) => of_account(side, |account| &account.iban),
            Field::Bic(side) => of_account(side, |account| account.bic.as_deref().unwrap_or_default()),
        }
    }

    fn letters(&self, text: &str) -> String {
        if self.0.is_latin { safe_cell(&latin(text)).into_owned() } else { safe_cell(text).into_owned() }
    }

    fn day(&self, day: Date) -> String {
        pattern(&self.0.day_format).map_or_else(|| day.to_string(), |pattern| day.strftime(pattern).to_string())
    }
}

fn check_column(index: usize, column: &NewColumn) -> Result<(), TemplateMalformed> {
    let part = |name: &str| format!("columns[{index}].{name}");
    for (name, text) in [("header", Some(&column.header)), ("text", column.text.as_ref())] {
        if text.is_some_and(|text| text.chars().nth(TEXT_CHARS_MAX).is_some() || text.chars().any(char::is_control)) {
            return Err(malformed(part(name), format!("it is one line of at most {TEXT_CHARS_MAX} characters")));
        }
    }
    match (&column.field, &column.text) {
        (Some(field), None) if find_field(field).is_none() => {
            Err(malformed(part("field"), format!("it is one of {}", FIELDS.map(|(name, _)| name).join(", "))))
        }
        (Some(_), None) | (None, Some(_)) => Ok(()),
        (Some(_), Some(_)) | (None, None) => Err(malformed(part("field"), "a column has either a field or a text")),
    }
}

fn find_field(name: &str) -> Option<Field> {
    FIELDS.into_iter().find_map(|(known, field)| (known == name).then_some(field))
}

fn pattern(day_format: &str) -> Option<&'static str> {
    DAY_FORMATS.into_iter().find_map(|(known, pattern)| (known == day_format).then_some(pattern))
}

#[cfg(test)]
mod tests {
    use super::super::PaymentParty;
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

    fn party(code: &str, holder: &str) -> PaymentParty {
        let account = Account { holder: holder.to_owned(), iban: "DE89370400440532013000".to_owned(), bic: None };
        PaymentParty { code: code.to_owned(), account: Some(account) }
    }

    fn payment() -> Payment {
        Payment {
            number: 7,
            reference: "SH-0123456789ab-7".to_owned(),
            remittance: "SH-0123456789ab-7 settlement EURO".to_owned(),
            amount: "1234.50".to_owned(),
            currency: "EUR".to_owned(),
            pay_on: date(2026, 11, 27),
            scheme: "EURO".to_owned(),
            run: Uuid::nil(),
            payer: party("MILES", "=Müller; Söhne"),
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
        template.push(&mut text, &payment());

        let expected = "Betrag;Datum;Von;An;Art;BIC\r\n1234,50;27.11.2026;.Muller. Sohne;DE89370400440532013000;SEPA;\r\n";
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
            template.unwrap().push(&mut text, &payment());
            assert!(text.len() > 2, "{name}");
        }
    }

    #[test]
    fn an_account_is_needed_where_a_column_names_it() {
        for (field, payer, payee) in
            [("amount", false, false), ("payer_bic", false, false), ("payer_iban", true, false), ("payee_account_holder", false, true)]
        {
            let template = Template::parse(new(vec![column("", field)])).unwrap();
            assert_eq!((template.needs_account(Side::Payer), template.needs_account(Side::Payee)), (payer, payee), "{field}");
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
        let rows: [(Change, &str); 12] = [
            (|t| t.separator = "|".to_owned(), "separator"),
            (|t| t.separator = ",,".to_owned(), "separator"),
            (|t| t.separator = String::new(), "separator"),
            (|t| t.decimal_sign = "'".to_owned(), "decimal_sign"),
            (|t| t.day_format = "%d".to_owned(), "day_format"),
            (|t| t.columns.clear(), "columns"),
            (|t| t.columns = vec![t.columns[0].clone(); COLUMNS_MAX + 1], "columns"),
            (|t| t.columns[0].header = "x".repeat(71), "columns[0].header"),
            (|t| t.columns[0].header = "a\nb".to_owned(), "columns[0].header"),
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
