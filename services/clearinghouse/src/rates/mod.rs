//! Unit values and rates: what a token is worth to its vendor, and what a vendor gives for another's tokens.
//!
//! A vendor sets the rates *into* its own token, because it is compensated in full for what it gives. Without one the unit values
//! cross. Nothing is ever edited: a new version begins at an instant, now or later, and the newest that has begun is in force.
//! The rate shown here is indicative; the one that counts is read by the posting engine in the swap's own tx.

mod error;
pub mod http;
mod store;
pub mod unit_value;

use crate::vendors::{Directory, VendorFacts};
pub use error::{NamedIn, RateRefusal, StartRefusal, UnitValueRefusal};
use http::{CreateRate, CreateUnitValue, IndicativeRate, RateView, UnitValueView};
use jiff::Timestamp;
use ledger::{Db, Failure, Fault, Tx, new_id};
use scrip::rate::{self, RateVersion};
use scrip::{UnitValue, VendorId};
pub use store::STATEMENTS;
use store::{Pair, RateRow};
use uuid::Uuid;

/// The unit values and rates of vendors.
#[derive(Debug, Clone)]
pub struct Rates {
    db: Db,
    directory: Directory,
}

impl Rates {
    /// Rates in this database.
    pub fn new(db: Db, directory: Directory) -> Self {
        Self { db, directory }
    }

    /// Sets what the vendor's token is worth from an instant on.
    pub async fn create_unit_value(&self, vendor: VendorId, body: &CreateUnitValue) -> Result<UnitValueView, Failure<UnitValueRefusal>> {
        let scale = self.directory.get(vendor).await?.scale;
        let value = unit_value::read(&body.unit_value, scale).map_err(Failure::Refused)?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let now = store::read_time(&tx).await?;
        let starts_at = start(body.starts_at, now).map_err(|refused| Failure::Refused(refused.into()))?;
        let row = store::insert_unit_value(&tx, vendor, starts_at, value, now).await?;
        let row = row.ok_or(Failure::Refused(StartRefusal::StartsAtTaken.into()))?;
        let digits = store::find_terms(&tx, vendor, now).await?.digits;
        tx.commit().await?;
        Ok(UnitValueView::new(&row, scale, digits))
    }

    /// The versions of the vendor's unit value, latest start first.
    pub async fn list_unit_values(&self, vendor: VendorId, before: Option<Timestamp>, limit: i64) -> Result<Vec<UnitValueView>, Fault> {
        let scale = self.directory.get(vendor).await?.scale;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let now = store::read_time(&tx).await?;
        let digits = store::find_terms(&tx, vendor, now).await?.digits;
        let rows = store::list_unit_values(&tx, vendor, before, limit).await?;
        Ok(rows.iter().map(|row| UnitValueView::new(row, scale, digits)).collect())
    }

    /// Sets what the vendor gives for another's tokens from an instant on.
    pub async fn create_rate(&self, vendor: VendorId, body: &CreateRate) -> Result<RateView, Failure<RateRefusal>> {
        let to = self.directory.get(vendor).await?;
        let from = self.vendor(&body.from, NamedIn::Body("from")).await?;
        if from.id == to.id {
            return Err(Failure::Refused(RateRefusal::SameVendor));
        }
        let version = RateVersion { id: new_id(), rate: body.pair_rate(from.scale, to.scale).map_err(Failure::Refused)? };
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let now = store::read_time(&tx).await?;
        let starts_at = start(body.starts_at, now).map_err(|refused| Failure::Refused(refused.into()))?;
        let starts_at = store::insert_rate(&tx, Pair { from: from.id, to: to.id }, version, starts_at, now).await?;
        let starts_at = starts_at.ok_or(Failure::Refused(StartRefusal::StartsAtTaken.into()))?;
        tx.commit().await?;
        let row = RateRow { version, from: from.code, from_scale: from.scale, starts_at, created_at: now };
        Ok(RateView::new(&row, to.scale))
    }

    /// The rates into the vendor's token, every version, last made first.
    pub async fn list_rates(&self, vendor: VendorId, before: Option<Uuid>, limit: i64) -> Result<Vec<RateView>, Fault> {
        let scale = self.directory.get(vendor).await?.scale;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let rows = store::list_rates(&tx, vendor, before, limit).await?;
        Ok(rows.iter().map(|row| RateView::new(row, scale)).collect())
    }

    /// What a swap would be made at just now.
    pub async fn indicate(&self, from: &str, to: &str) -> Result<IndicativeRate, Failure<RateRefusal>> {
        let from = self.vendor(from, NamedIn::Url("from")).await?;
        let to = self.vendor(to, NamedIn::Url("to")).await?;
        if from.id == to.id {
            return Err(Failure::Refused(RateRefusal::SameVendor));
        }
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let at = store::read_time(&tx).await?;
        let (source, destination) = (store::find_terms(&tx, from.id, at).await?, store::find_terms(&tx, to.id, at).await?);
        let version = store::find_rate(&tx, Pair { from: from.id, to: to.id }, at).await?;
        let no_rate = || Failure::Refused(RateRefusal::NoRate);
        let values = source.unit_value.zip(destination.unit_value).ok_or_else(no_rate)?;
        let ratio = rate::ratio(values.0, values.1, version.map(|v| v.rate)).ok_or_else(no_rate)?;
        if source.scheme.is_none() || source.scheme != destination.scheme {
            return Err(Failure::Refused(RateRefusal::NoCommonScheme));
        }
        let wholes = ratio.per_whole(from.scale, to.scale).ok_or_else(no_rate)?;
        Ok(IndicativeRate::new(from.code, to.code, wholes, version, at))
    }

    async fn vendor(&self, code: &str, named_in: NamedIn) -> Result<VendorFacts, Failure<RateRefusal>> {
        let found = self.directory.named(code).await?;
        found.ok_or_else(|| Failure::Refused(RateRefusal::VendorNotFound { code: code.to_owned(), named_in }))
    }
}

/// The unit value of a vendor that is just being made.
pub async fn insert_first_unit_value(tx: &Tx<'_>, vendor: VendorId, value: UnitValue) -> Result<(), Fault> {
    let now = store::read_time(tx).await?;
    store::insert_unit_value(tx, vendor, now, value, now).await?;
    Ok(())
}

/// When something begins: at once, or at an instant that has not passed.
fn start(starts_at: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, StartRefusal> {
    match starts_at {
        Some(at) if at < now => Err(StartRefusal::StartsInThePast { now }),
        Some(at) => Ok(at),
        None => Ok(now),
    }
}
