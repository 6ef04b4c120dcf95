//! Schemes: who settles with whom, in which currency, and how what they owe is netted.
//!
//! Shape: [`Schemes::create`] makes a scheme with its first members and its window 1; members are added, never removed, because their
//! obligations stay. Windows and runs are the `runs` crate's.

mod error;
pub mod http;
mod store;

use crate::directory::Directory;
pub use error::SchemeRefusal;
use jiff::Timestamp;
use ledger::{Db, Failure, Fault, TermsChange, Tx, change_terms, new_id, read_time};
use netting::Strategy;
use netting::clearing::Rule;
use runs::Approval;
use scrip::money::MICRO_SCALE;
use scrip::{Code, Micro, Scale, SchemeId, VendorId};
use std::collections::HashSet;
pub use store::STATEMENTS;

/// One request resolves this many codes, one look-up each.
const MEMBERS_AT_ONCE_MAX: usize = store::MEMBERS_SHOWN_MAX;

/// The longest time in which a run may be disputed, or a transfer that failed be tried again: a year.
const HOURS_MAX: i64 = 8_784;

/// A scheme and its open window.
#[derive(Debug, Clone)]
pub struct Scheme {
    /// Its id.
    pub id: SchemeId,
    /// What people call it.
    pub code: Code,
    /// ISO 4217.
    pub currency: String,
    /// The decimals that payments have.
    pub digits: Scale,
    /// How obligations become transfers.
    pub strategy: Strategy,
    /// No transfer is smaller; zero: every one is made.
    pub min_transfer: Micro,
    /// Who agrees to a run's result.
    pub approval: Approval,
    /// How long after its cut-off a run may be disputed; 0: not at all.
    pub dispute_hours: i32,
    /// How long a transfer that failed may be tried again before the house carries out the failure rule by itself; none: for ever.
    pub grace_hours: Option<i32>,
    /// It settles off its schedules once a vendor owes more than this, on balance, in the open window.
    pub settle_threshold: Option<Micro>,
    /// Who bears it when a vendor does not pay.
    pub failure_rule: Rule,
    /// Begins at 1 and grows with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// The open window.
    pub window_number: i64,
    /// Since when that one takes obligations.
    pub window_opened_at: Timestamp,
    /// How many vendors settle in it.
    pub member_count: i64,
    /// The first of them by code.
    pub members: Vec<String>,
}

/// A vendor that settles in a scheme.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its code.
    pub vendor: String,
    /// What the house holds of the vendor's, for when it does not pay.
    pub collateral: Micro,
    /// Of the collateral; grows with each change.
    pub version: i64,
    /// Since when.
    pub joined_at: Timestamp,
}

/// A scheme to be.
#[derive(Debug)]
pub struct NewScheme {
    /// What people call it, for ever.
    pub code: Code,
    /// ISO 4217.
    pub currency: String,
    /// The decimals that payments have.
    pub digits: Scale,
    /// How obligations become transfers.
    pub strategy: Strategy,
    /// No transfer is smaller; zero: every one is made.
    pub min_transfer: Micro,
    /// Who agrees to a run's result.
    pub approval: Approval,
    /// How long after its cut-off a run may be disputed; 0: not at all.
    pub dispute_hours: i32,
    /// How long a transfer that failed may be tried again before the house carries out the failure rule by itself; none: for ever.
    pub grace_hours: Option<i32>,
    /// It settles off its schedules once a vendor owes more than this, on balance, in the open window.
    pub settle_threshold: Option<Micro>,
    /// Who bears it when a vendor does not pay.
    pub failure_rule: Rule,
    /// The codes of its first members.
    pub members: Vec<String>,
}

/// What is changed of a scheme; what is not named stays. Runs that are there already stay as they are.
#[derive(Debug, Default)]
pub struct Change {
    /// How obligations become transfers.
    pub strategy: Option<Strategy>,
    /// No transfer is smaller; zero: every one is made.
    pub min_transfer: Option<Micro>,
    /// Who agrees to a run's result.
    pub approval: Option<Approval>,
    /// How long after its cut-off a run may be disputed; 0: not at all.
    pub dispute_hours: Option<i32>,
    /// How long a transfer that failed may be tried again before the house carries out the failure rule by itself; none: for ever.
    pub grace_hours: Option<Option<i32>>,
    /// It settles off its schedules once a vendor owes more than this, on balance, in the open window.
    pub settle_threshold: Option<Option<Micro>>,
    /// Who bears it when a vendor does not pay.
    pub failure_rule: Option<Rule>,
}

/// The schemes of the house.
#[derive(Debug, Clone)]
pub struct Schemes {
    db: Db,
    directory: Directory,
}

type Answer<T> = Result<T, Failure<SchemeRefusal>>;

impl Schemes {
    /// Schemes in this database.
    pub fn new(db: Db, directory: Directory) -> Self {
        Self { db, directory }
    }

    /// Makes the scheme, its first members and its window 1: all or nothing.
    pub async fn create(&self, new: NewScheme) -> Answer<Scheme> {
        let mut members = Vec::new();
        for code in &new.members {
            members.push((self.resolve(code).await?, code));
        }
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let now = read_time(&tx).await?;
        let id = SchemeId::new(new_id());
        if !store::insert_scheme(&tx, id, &new, now).await? {
            return Err(Failure::Refused(SchemeRefusal::CodeTaken { code: new.code.to_string() }));
        }
        runs::windows::open_first(&tx, id, now).await?;
        let change_of_terms = change_terms(&tx).await?;
        join(&change_of_terms, id, &members, now).await?;
        let scheme = get_scheme(&tx, &new.code).await?;
        tx.commit().await?;
        Ok(scheme)
    }

    /// All schemes, in the order of their codes' bytes.
    pub async fn list(&self, after: Option<String>, limit: i64) -> Result<Vec<Scheme>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        store::list_schemes(&tx, after.as_deref(), limit).await
    }

    /// The scheme of that code.
    pub async fn get(&self, code: &str) -> Answer<Scheme> {
        let code = Code::parse(code).map_err(|_| Failure::Refused(SchemeRefusal::SchemeNotFound))?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        get_scheme(&tx, &code).await
    }

    /// Changes how the scheme's next runs are made, if it is still at the version that the change was made for.
    pub async fn update(&self, code: &str, is_expected: impl Fn(i64) -> bool, change: &Change) -> Answer<Scheme> {
        let scheme = self.get(code).await?;
        if let Some(Some(threshold)) = change.settle_threshold {
            check_threshold(threshold, scheme.digits).map_err(Failure::Refused)?;
        }
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let version = store::lock_version(&tx, scheme.id).await?.ok_or(Failure::Refused(SchemeRefusal::SchemeNotFound))?;
        if !is_expected(version) {
            return Err(Failure::Refused(SchemeRefusal::VersionMismatch { version }));
        }
        store::update_scheme(&tx, scheme.id, change).await?;
        let scheme = get_scheme(&tx, &scheme.code).await?;
        tx.commit().await?;
        Ok(scheme)
    }

    /// Adds a vendor, which from now on settles in this scheme.
    pub async fn add_member(&self, code: &str, vendor: &str) -> Answer<Scheme> {
        let scheme = self.get(code).await?;
        let member = self.resolve(vendor).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let change_of_terms = change_terms(&tx).await?;
        let now = read_time(&tx).await?;
        join(&change_of_terms, scheme.id, &[(member, vendor)], now).await?;
        let scheme = get_scheme(&tx, &scheme.code).await?;
        tx.commit().await?;
        Ok(scheme)
    }

    /// The scheme's members with a code above `after`, in the order of their bytes.
    pub async fn list_members(&self, code: &str, after: Option<String>, limit: i64) -> Answer<Vec<Member>> {
        let scheme = self.get(code).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(store::list_members(&tx, scheme.id, after.as_deref().unwrap_or_default(), limit).await?)
    }

    /// Says what the house holds of a member's, if that is still at the version that the change was made for.
    pub async fn set_collateral(&self, code: &str, vendor: &str, is_expected: impl Fn(i64) -> bool, amount: Micro) -> Answer<Member> {
        let scheme = self.get(code).await?;
        let vendor = Code::parse(vendor).map_err(|_| Failure::Refused(SchemeRefusal::NotMember))?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let version = store::lock_collateral(&tx, scheme.id, &vendor).await?.ok_or(Failure::Refused(SchemeRefusal::NotMember))?;
        if !is_expected(version) {
            return Err(Failure::Refused(SchemeRefusal::CollateralChanged { version }));
        }
        let member = store::update_collateral(&tx, scheme.id, &vendor, amount).await?;
        tx.commit().await?;
        Ok(member)
    }

    async fn resolve(&self, vendor: &str) -> Answer<VendorId> {
        let facts = self.directory.named(vendor).await?;
        facts.map(|facts| facts.id).ok_or_else(|| Failure::Refused(SchemeRefusal::VendorNotFound { vendor: vendor.to_owned() }))
    }
}

/// Not below the smallest payment: less could never be settled.
fn check_threshold(threshold: Micro, digits: Scale) -> Result<(), SchemeRefusal> {
    let parts = digits.units_per_whole();
    let min = Micro::new(MICRO_SCALE.units_per_whole().checked_div(parts).unwrap_or(i64::MAX));
    if threshold >= min { Ok(()) } else { Err(SchemeRefusal::ThresholdTooSmall { min: min.display(MICRO_SCALE).to_string() }) }
}

/// All of them join, or the first that cannot is named.
async fn join(tx: &TermsChange<'_, '_>, scheme: SchemeId, members: &[(VendorId, impl AsRef<str>)], at: Timestamp) -> Answer<()> {
    let ids: Vec<VendorId> = members.iter().map(|(id, _)| *id).collect();
    let joined: HashSet<VendorId> = store::insert_members(tx, scheme, &ids, at).await?.into_iter().collect();
    match members.iter().find(|(id, _)| !joined.contains(id)) {
        Some((_, code)) => Err(Failure::Refused(SchemeRefusal::AlreadyMember { vendor: code.as_ref().to_owned() })),
        None => Ok(()),
    }
}

async fn get_scheme(tx: &Tx<'_>, code: &Code) -> Answer<Scheme> {
    store::find_scheme(tx, code).await?.ok_or(Failure::Refused(SchemeRefusal::SchemeNotFound))
}

/// The id of the scheme of that name, as somebody wrote it; none if it is no code at all.
pub async fn find_scheme_id(tx: &Tx<'_>, code: &str) -> Result<Option<SchemeId>, Fault> {
    match Code::parse(code) {
        Ok(code) => store::find_scheme_id(tx, &code).await,
        Err(_) => Ok(None),
    }
}

/// The scheme that the vendor settles in.
pub(crate) async fn find_scheme_of(tx: &Tx<'_>, vendor: VendorId) -> Result<Option<SchemeId>, Fault> {
    store::find_scheme_of(tx, vendor).await
}

/// Members of a scheme, within the tx that makes them.
pub(crate) async fn insert_members(tx: &TermsChange<'_, '_>, scheme: SchemeId, vendors: &[VendorId], at: Timestamp) -> Result<(), Fault> {
    store::insert_members(tx, scheme, vendors, at).await?;
    Ok(())
}
