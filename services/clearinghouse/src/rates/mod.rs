//! Unit values and rates: what a token is worth to its vendor, and what a vendor gives for another's tokens.
//!
//! A vendor sets the rates *into* its own token, because it is compensated in full for what it gives. Without one the unit values
//! cross. Nothing is ever edited: a new version begins at an instant, now or later, and the newest that has begun is in force.
//! The rate shown here is indicative; the one that counts is read by the posting engine in the swap's own tx.

mod error;
pub mod http;
mod kind;
mod store;
pub mod unit_value;

use crate::amount::AmountText;
use crate::directory::{Directory, VendorFacts};
pub use error::{NamedIn, RateRefusal, StartRefusal, UnitValueRefusal};
use jiff::Timestamp;
pub use kind::Kind;
use ledger::{Db, Failure, Fault, TermsChange, change_terms, new_id, read_time};
use rust_decimal::Decimal;
use scrip::rate::{self, RateVersion};
use scrip::{Code, Scale, UnitValue, VendorId};
pub use store::STATEMENTS;
use store::{Pair, RateRow, UnitValueRow};
use uuid::Uuid;

/// What a token shall be worth, as it is asked for.
#[derive(Debug)]
pub struct NewUnitValue {
    /// Of one whole token, in the scheme's currency.
    pub unit_value: AmountText,
    /// None: at once.
    pub starts_at: Option<Timestamp>,
}

/// A version of a vendor's unit value.
#[derive(Debug)]
pub struct UnitValueVersion {
    /// In force from then on.
    pub starts_at: Timestamp,
    /// Of the smallest unit.
    pub value: UnitValue,
    /// When it was said.
    pub created_at: Timestamp,
    /// The decimals of the token.
    pub scale: Scale,
    /// The decimals of the scheme's currency; none without a scheme.
    pub digits: Option<Scale>,
}

/// What a vendor shall give for another's tokens, as it is asked for.
#[derive(Debug)]
pub struct NewRate {
    /// The other vendor's code.
    pub from: String,
    /// How it comes about.
    pub kind: Kind,
    /// With `fixed`: so many of their whole tokens ...
    pub send: Option<AmountText>,
    /// ... buy so many of the vendor's own.
    pub receive: Option<AmountText>,
    /// In hundredths of a percent; none: nothing.
    pub margin_bps: Option<i64>,
    /// None: at once.
    pub starts_at: Option<Timestamp>,
}

/// A version of what a vendor gives for another's tokens.
#[derive(Debug)]
pub struct Rate {
    /// Its id and what was configured.
    pub version: RateVersion,
    /// The other vendor.
    pub from: VendorFacts,
    /// The decimals of the vendor's own token.
    pub to_scale: Scale,
    /// In force from then on.
    pub starts_at: Timestamp,
    /// When it was said.
    pub created_at: Timestamp,
}

/// What a swap would be made at just now.
#[derive(Debug)]
pub struct Indication {
    /// Whose tokens would be given.
    pub from: Code,
    /// Whose tokens would be received.
    pub to: Code,
    /// Whole tokens of `to` for one of `from`.
    pub rate: Decimal,
    /// The configured version; none where the unit values cross.
    pub version: Option<RateVersion>,
    /// When this was so.
    pub at: Timestamp,
}

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
    pub async fn create_unit_value(&self, vendor: VendorId, new: NewUnitValue) -> Result<UnitValueVersion, Failure<UnitValueRefusal>> {
        let scale = self.directory.get(vendor).await?.scale;
        let value = unit_value::read(&new.unit_value, scale).map_err(Failure::Refused)?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let change_of_terms = change_terms(&tx).await?;
        let now = read_time(&tx).await?;
        let starts_at = start(new.starts_at, now).map_err(|refused| Failure::Refused(refused.into()))?;
        let row = store::insert_unit_value(&change_of_terms, vendor, starts_at, value, now).await?;
        let row = row.ok_or(Failure::Refused(StartRefusal::StartsAtTaken.into()))?;
        let digits = store::find_terms(&tx, vendor, now).await?.digits;
        tx.commit().await?;
        Ok(row.version(scale, digits))
    }

    /// The versions of the vendor's unit value, latest start first.
    pub async fn list_unit_values(&self, vendor: VendorId, before: Option<Timestamp>, limit: i64) -> Result<Vec<UnitValueVersion>, Fault> {
        // Nothing was said before there were computers, and the database's calendar is shorter than this one.
        if before.is_some_and(|at| at < Timestamp::UNIX_EPOCH) {
            return Ok(Vec::new());
        }
        let scale = self.directory.get(vendor).await?.scale;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let now = read_time(&tx).await?;
        let digits = store::find_terms(&tx, vendor, now).await?.digits;
        let rows = store::list_unit_values(&tx, vendor, before, limit).await?;
        Ok(rows.into_iter().map(|row| row.version(scale, digits)).collect())
    }

    /// Sets what the vendor gives for another's tokens from an instant on.
    pub async fn create_rate(&self, vendor: VendorId, new: NewRate) -> Result<Rate, Failure<RateRefusal>> {
        let to = self.directory.get(vendor).await?;
        let from = self.vendor(&new.from, NamedIn::Body("from")).await?;
        if from.id == to.id {
            return Err(Failure::Refused(RateRefusal::SameVendor));
        }
        let version = RateVersion { id: new_id(), rate: new.pair_rate(from.scale, to.scale).map_err(Failure::Refused)? };
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let change_of_terms = change_terms(&tx).await?;
        let now = read_time(&tx).await?;
        let starts_at = start(new.starts_at, now).map_err(|refused| Failure::Refused(refused.into()))?;
        let starts_at = store::insert_rate(&change_of_terms, Pair { from: from.id, to: to.id }, version, starts_at, now).await?;
        let starts_at = starts_at.ok_or(Failure::Refused(StartRefusal::StartsAtTaken.into()))?;
        tx.commit().await?;
        Ok(Rate { version, from, to_scale: to.scale, starts_at, created_at: now })
    }

    /// The rates into the vendor's token, every version, last made first.
    pub async fn list_rates(&self, vendor: VendorId, before: Option<Uuid>, limit: i64) -> Result<Vec<Rate>, Fault> {
        let scale = self.directory.get(vendor).await?.scale;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let rows = store::list_rates(&tx, vendor, before, limit).await?;
        Ok(rows.into_iter().map(|row| row.rate(scale)).collect())
    }

    /// What a swap would be made at just now.
    pub async fn indicate(&self, from: &str, to: &str) -> Result<Indication, Failure<RateRefusal>> {
        let from = self.vendor(from, NamedIn::Url("from")).await?;
        let to = self.vendor(to, NamedIn::Url("to")).await?;
        if from.id == to.id {
            return Err(Failure::Refused(RateRefusal::SameVendor));
        }
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let at = read_time(&tx).await?;
        let (source, destination) = (store::find_terms(&tx, from.id, at).await?, store::find_terms(&tx, to.id, at).await?);
        let version = store::find_rate(&tx, Pair { from: from.id, to: to.id }, at).await?;
        let no_rate = || Failure::Refused(RateRefusal::NoRate);
        let values = source.unit_value.zip(destination.unit_value).ok_or_else(no_rate)?;
        let ratio = rate::ratio(values.0, values.1, version.map(|v| v.rate)).ok_or_else(no_rate)?;
        if source.scheme.is_none() || source.scheme != destination.scheme {
            return Err(Failure::Refused(RateRefusal::NoCommonScheme));
        }
        let wholes = ratio.per_whole(from.scale, to.scale).ok_or_else(no_rate)?;
        Ok(Indication { from: from.code, to: to.code, rate: wholes, version, at })
    }

    async fn vendor(&self, code: &str, named_in: NamedIn) -> Result<VendorFacts, Failure<RateRefusal>> {
        let found = self.directory.named(code).await?;
        found.ok_or_else(|| Failure::Refused(RateRefusal::VendorNotFound { code: code.to_owned(), named_in }))
    }
}

impl UnitValueRow {
    fn version(self, scale: Scale, digits: Option<Scale>) -> UnitValueVersion {
        let Self { starts_at, value, created_at } = self;
        UnitValueVersion { starts_at, value, created_at, scale, digits }
    }
}

impl RateRow {
    fn rate(self, to_scale: Scale) -> Rate {
        let Self { version, from, starts_at, created_at } = self;
        Rate { version, from, to_scale, starts_at, created_at }
    }
}

/// The unit value of a vendor that is just being made.
pub async fn insert_first_unit_value(tx: &TermsChange<'_, '_>, vendor: VendorId, value: UnitValue) -> Result<(), Fault> {
    let now = read_time(tx).await?;
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
