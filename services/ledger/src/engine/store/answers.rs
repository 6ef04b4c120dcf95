//! The answers of used idempotency keys. What a swap answers stands in `swaps`; every other answer is kept as JSON beside its key.

use crate::pipeline::{Pipeline, Step, step};
use crate::{Claim, Fault};
use jiff::Timestamp;
use scrip::posting::{Receipt, Swapped};
use scrip::swap::Figures;
use scrip::{Micro, OperationId, Tokens, UnitValue, UserId, VendorId, WindowId};
use std::collections::HashMap;
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file.
pub(super) const STATEMENTS: &[&str] = &[FIND_ANSWERS, INSERT_ANSWERS];

pub(super) const FIND_ANSWERS: &str = "
    SELECT i.actor_id, i.key, i.request_hash, i.answer,
           s.id, s.user_id, s.payee_id, s.from_vendor_id, s.to_vendor_id, s.send_units, s.receive_units, s.from_unit_value, s.to_unit_value,
           s.rate_id, s.value_micro, s.to_vendor_micro, s.house_fee_micro, s.source_margin_micro, s.rounding_micro, s.window_id, s.booked_at
    FROM unnest($1::uuid[], $2::text[]) AS k(actor_id, key)
    JOIN idempotency i ON i.actor_id = k.actor_id AND i.key = k.key
    LEFT JOIN swaps s ON s.user_id = i.swap_user_id AND s.id = i.swap_id";

pub(super) const INSERT_ANSWERS: &str = "
    INSERT INTO idempotency (actor_id, key, request_hash, answer, swap_user_id, swap_id, created_at)
    SELECT ($1::uuid[])[n], key, request_hash, answer, swap_user_id, swap_id, $7
    FROM unnest($2::text[], $3::bytea[], $4::text[], $5::uuid[], $6::uuid[])
         WITH ORDINALITY AS u(key, request_hash, answer, swap_user_id, swap_id, n)";

/// The answer that a used key has.
#[derive(Debug)]
pub(in super::super) struct StoredAnswer {
    pub(in super::super) request_hash: Vec<u8>,
    pub(in super::super) receipt: Receipt,
}

/// Answers by actor and key.
#[derive(Debug, Default)]
pub(in super::super) struct Answers(HashMap<Uuid, HashMap<String, StoredAnswer>>);

impl Answers {
    /// The answer that the claim's key has, whatever it was used for.
    pub(in super::super) fn get(&self, claim: &Claim) -> Option<&StoredAnswer> {
        self.0.get(&claim.actor)?.get(&claim.key)
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The answers of those of the keys that were used before.
pub(in super::super) async fn find_answers<'c>(tx: &Pipeline<'_>, claims: impl Iterator<Item = &'c Claim>) -> Result<Answers, Fault> {
    let (actors, keys): (Vec<Uuid>, Vec<&str>) = claims.map(|c| (c.actor, c.key.as_str())).unzip();
    let mut answers = Answers::default();
    if keys.is_empty() {
        return Ok(answers);
    }
    let statement = tx.prepare_cached(FIND_ANSWERS).await?;
    for row in tx.query(&statement, &[&actors, &keys]).await? {
        let stored = StoredAnswer { request_hash: row.try_get(2)?, receipt: receipt(&row)? };
        answers.0.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?, stored);
    }
    Ok(answers)
}

fn receipt(row: &Row) -> Result<Receipt, Fault> {
    match row.try_get::<_, Option<&str>>(3)? {
        Some(text) => serde_json::from_str(text).map_err(|e| Fault::Unreadable(format!("an idempotent answer: {e}"))),
        None => Ok(Receipt::Swapped(Box::new(swapped(row)?))),
    }
}

fn swapped(row: &Row) -> Result<Swapped, Fault> {
    let micro = |column| row.try_get(column).map(Micro::new);
    let unit_value =
        |column: usize| UnitValue::try_new(row.try_get(column)?).ok_or_else(|| Fault::Unreadable("a swap's unit value".to_owned()));
    Ok(Swapped {
        id: OperationId::new(row.try_get(4)?),
        payer: UserId::new(row.try_get(5)?),
        payee: UserId::new(row.try_get(6)?),
        from: VendorId::new(row.try_get(7)?),
        to: VendorId::new(row.try_get(8)?),
        send: Tokens::new(row.try_get(9)?),
        receive: Tokens::new(row.try_get(10)?),
        from_unit_value: unit_value(11)?,
        to_unit_value: unit_value(12)?,
        rate_id: row.try_get(13)?,
        figures: Figures {
            value: micro(14)?,
            to_vendor: micro(15)?,
            house_fee: micro(16)?,
            source_margin: micro(17)?,
            rounding: micro(18)?,
        },
        window: WindowId::new(row.try_get(19)?),
        booked_at: row.try_get(20)?,
    })
}

/// One row per granted request.
pub(super) fn insert_answers<'a>(granted: impl Iterator<Item = (&'a Claim, &'a Receipt)>, booked_at: Timestamp) -> Result<Step<'a>, Fault> {
    let (mut actors, mut keys, mut hashes, mut answers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut swap_users, mut swaps) = (Vec::new(), Vec::new());
    for (claim, receipt) in granted {
        let (answer, swap_user, swap) = match receipt {
            Receipt::Swapped(swapped) => (None, Some(swapped.payer.uuid()), Some(swapped.id.uuid())),
            Receipt::Issued(_) | Receipt::Traded(_) => {
                (Some(serde_json::to_string(receipt).map_err(|e| Fault::Unreadable(format!("a receipt: {e}")))?), None, None)
            }
        };
        actors.push(claim.actor);
        keys.push(claim.key.as_str());
        hashes.push(claim.request_hash.as_slice());
        answers.push(answer);
        swap_users.push(swap_user);
        swaps.push(swap);
    }
    Ok(step!(INSERT_ANSWERS, actors, keys, hashes, answers, swap_users, swaps, booked_at))
}
