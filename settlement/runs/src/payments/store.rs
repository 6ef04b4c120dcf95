//! The rows of bank templates, and those of the transfers that wait for their payer.

use super::{BankTemplate, NewColumn, NewTemplate, PAYMENTS_MAX, Party, Template, Wanted};
use crate::files::Account;
use ledger::{Fault, Tx};
use scrip::code::HOUSE;
use scrip::{Code, Micro, RunId, VendorId};
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[LOCK_VERSION, INSERT, UPDATE, FIND, LIST, IS_PAYER, LIST_WAITING];

const LOCK_VERSION: &str = "
    SELECT version
    FROM bank_templates
    WHERE code = $1
    FOR UPDATE";

const INSERT: &str = "
    INSERT INTO bank_templates (code, separator, decimal_sign, day_format, has_header, is_latin, headers, fields, texts, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT DO NOTHING";

const UPDATE: &str = "
    UPDATE bank_templates
    SET separator = $2, decimal_sign = $3, day_format = $4, has_header = $5, is_latin = $6, headers = $7, fields = $8, texts = $9, version = $10
    WHERE code = $1";

const FIND: &str = "
    SELECT code, separator, decimal_sign, day_format, has_header, is_latin, headers, fields, texts, version
    FROM bank_templates
    WHERE code = $1";

const LIST: &str = "
    SELECT code, separator, decimal_sign, day_format, has_header, is_latin, headers, fields, texts, version
    FROM bank_templates
    WHERE code > $1
    ORDER BY code
    LIMIT $2";

const IS_PAYER: &str = "
    SELECT EXISTS (SELECT FROM transfers t LEFT JOIN vendors payer ON payer.id = t.payer_id
                   WHERE t.run_id = $1 AND ($2::uuid IS NULL OR t.payer_id = $2) AND coalesce(payer.code, $4) = $3)";

// A party without an id is the house.
const LIST_WAITING: &str = "
    SELECT t.number, t.amount_micro,
           coalesce(payer.code, $4), CASE WHEN t.payer_id IS NULL THEN h.account_holder ELSE payer_at.account_holder END,
           CASE WHEN t.payer_id IS NULL THEN h.iban ELSE payer_at.iban END, CASE WHEN t.payer_id IS NULL THEN h.bic ELSE payer_at.bic END,
           coalesce(payee.code, $4), CASE WHEN t.payee_id IS NULL THEN h.account_holder ELSE payee_at.account_holder END,
           CASE WHEN t.payee_id IS NULL THEN h.iban ELSE payee_at.iban END, CASE WHEN t.payee_id IS NULL THEN h.bic ELSE payee_at.bic END
    FROM transfers t
    JOIN house_account h ON h.single
    LEFT JOIN vendors payer ON payer.id = t.payer_id
    LEFT JOIN payouts payer_at ON payer_at.vendor_id = t.payer_id
    LEFT JOIN vendors payee ON payee.id = t.payee_id
    LEFT JOIN payouts payee_at ON payee_at.vendor_id = t.payee_id
    WHERE t.run_id = $1 AND t.state IN ('instructed', 'retried')
      AND EXISTS (SELECT FROM runs r WHERE r.id = t.run_id AND r.state IN ('exported', 'settling'))
      AND ($2::uuid IS NULL OR t.payer_id = $2) AND ($3::text IS NULL OR coalesce(payer.code, $4) = $3)
    ORDER BY t.number
    LIMIT $5";

pub(super) async fn lock_version(tx: &Tx<'_>, code: &Code) -> Result<Option<i64>, Fault> {
    Ok(tx.query_opt(LOCK_VERSION, &[&code.as_str()]).await?.map(|row| row.try_get(0)).transpose()?)
}

/// Whether it was not there.
pub(super) async fn insert(tx: &Tx<'_>, template: &BankTemplate) -> Result<bool, Fault> {
    Ok(set(tx, INSERT, template).await? == 1)
}

pub(super) async fn update(tx: &Tx<'_>, template: &BankTemplate) -> Result<(), Fault> {
    set(tx, UPDATE, template).await.map(|_| ())
}

/// Both statements take the same values.
async fn set(tx: &Tx<'_>, statement: &str, BankTemplate { code, template, version }: &BankTemplate) -> Result<u64, Fault> {
    let NewTemplate { separator, decimal_sign, day_format, has_header, is_latin, columns } = template.as_written();
    let headers: Vec<&str> = columns.iter().map(|column| column.header.as_str()).collect();
    let fields: Vec<Option<&str>> = columns.iter().map(|column| column.field.as_deref()).collect();
    let texts: Vec<Option<&str>> = columns.iter().map(|column| column.text.as_deref()).collect();
    let written = tx
        .execute(
            statement,
            &[&code.as_str(), separator, decimal_sign, day_format, has_header, is_latin, &headers, &fields, &texts, version],
        )
        .await?;
    Ok(written)
}

pub(super) async fn find(tx: &Tx<'_>, code: &Code) -> Result<Option<BankTemplate>, Fault> {
    tx.query_opt(FIND, &[&code.as_str()]).await?.map(|row| to_template(&row)).transpose()
}

pub(super) async fn list(tx: &Tx<'_>, after: &str, limit: i64) -> Result<Vec<BankTemplate>, Fault> {
    tx.query(LIST, &[&after, &limit]).await?.iter().map(to_template).collect()
}

fn to_template(row: &Row) -> Result<BankTemplate, Fault> {
    let (headers, fields, texts): (Vec<String>, Vec<Option<String>>, Vec<Option<String>>) =
        (row.try_get(6)?, row.try_get(7)?, row.try_get(8)?);
    let columns = headers.into_iter().zip(fields).zip(texts).map(|((header, field), text)| NewColumn { header, field, text }).collect();
    let written = NewTemplate {
        separator: row.try_get(1)?,
        decimal_sign: row.try_get(2)?,
        day_format: row.try_get(3)?,
        has_header: row.try_get(4)?,
        is_latin: row.try_get(5)?,
        columns,
    };
    Ok(BankTemplate {
        code: Code::parse(row.try_get(0)?).map_err(|_| Fault::Unreadable("a bank template's code".to_owned()))?,
        template: Template::parse(written).map_err(|e| Fault::Unreadable(format!("a bank template: {e}")))?,
        version: row.try_get(9)?,
    })
}

/// Whether the one whose payments are wanted has any in the run, however they stand.
pub(super) async fn is_payer(tx: &Tx<'_>, run: RunId, wanted: &Wanted<'_>, payer: &str) -> Result<bool, Fault> {
    // PostgreSQL takes no NUL, and no code has one.
    let vendor: Option<Uuid> = wanted.vendor.map(VendorId::uuid);
    Ok(!payer.contains('\0') && tx.query_one(IS_PAYER, &[&run.uuid(), &vendor, &payer, &HOUSE]).await?.try_get(0)?)
}

/// A transfer that its payer has not sent.
pub(super) struct Transfer {
    pub(super) number: i64,
    pub(super) amount: Micro,
    pub(super) payer: Party,
    pub(super) payee: Party,
}

/// By number; one more than there may be.
pub(super) async fn list_waiting(tx: &Tx<'_>, run: RunId, wanted: &Wanted<'_>) -> Result<Vec<Transfer>, Fault> {
    let limit = i64::try_from(PAYMENTS_MAX.strict_add(1)).expect("the most payments are few");
    let vendor: Option<Uuid> = wanted.vendor.map(VendorId::uuid);
    tx.query(LIST_WAITING, &[&run.uuid(), &vendor, &wanted.payer, &HOUSE, &limit]).await?.iter().map(to_transfer).collect()
}

fn to_transfer(row: &Row) -> Result<Transfer, Fault> {
    Ok(Transfer { number: row.try_get(0)?, amount: Micro::new(row.try_get(1)?), payer: to_party(row, 2)?, payee: to_party(row, 6)? })
}

/// Its code, and the three parts of its account behind it.
fn to_party(row: &Row, at: usize) -> Result<Party, Fault> {
    let [holder, iban, bic] = [1, 2, 3].map(|part| row.try_get::<_, Option<String>>(at.strict_add(part)));
    let bic = bic?;
    Ok(Party { code: row.try_get(at)?, account: holder?.zip(iban?).map(|(holder, iban)| Account { holder, iban, bic }) })
}
