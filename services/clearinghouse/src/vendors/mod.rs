//! Vendors: onboarding, what everybody may know of them, and what each changes of its own.
//!
//! Shape: [`Vendors::onboard`] makes a vendor with all it needs in one tx; [`Directory`] remembers what never changes; the vendor's own
//! view and its changes run as the vendor, under row security; a change is for one version of a vendor, whoever makes it. Rates and unit values are `crate::rates`', keys `crate::access`'.

mod error;
pub mod http;
mod payout;
mod store;

use crate::access::{self, NewKey, Scope};
use crate::directory::{Directory, VendorFacts};
use crate::names::is_name;
use crate::{rates, schemes};
pub use error::VendorRefusal;
use ledger::{Clock, Db, Failure, Fault, Tx, change_terms, new_id};
pub use payout::Payout;
use scrip::{Code, Scale, UnitValue, VendorId};
use serde::{Deserialize, Serialize};
pub use store::STATEMENTS;
use utoipa::ToSchema;

/// A vendor as everybody may see it.
#[derive(Debug, Clone)]
pub struct Vendor {
    /// What never changes.
    pub facts: VendorFacts,
    /// Its name.
    pub name: String,
    /// Whether it takes part at all.
    pub status: Status,
    /// What it allows.
    pub switches: Switches,
    /// Grows with each change.
    pub version: i64,
    /// The value of its token's smallest unit, in force now.
    pub unit_value: Option<UnitValue>,
    /// The scheme in which it settles.
    pub scheme: Option<Code>,
    /// The decimals of that scheme's currency.
    pub digits: Option<Scale>,
}

/// Whether a vendor takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It does.
    Active,
    /// The operator stopped it: nothing is issued or swapped in its token.
    Suspended,
}

impl Status {
    /// As it is written in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    fn find(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended].into_iter().find(|status| status.as_str() == name)
    }
}

/// What a vendor allows for its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Switches {
    /// New tokens to users.
    pub issue: bool,
    /// Spending with the vendor.
    pub spend: bool,
    /// Swaps out of its token.
    pub convert_out: bool,
    /// Swaps into its token.
    pub convert_in: bool,
}

/// How many of a vendor's tokens came into being and ceased since it began, in smallest units. They only grow, so they may be larger
/// than any amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supply {
    /// Came into being.
    pub issued: i128,
    /// Ceased.
    pub retired: i128,
}

/// A vendor to be.
#[derive(Debug)]
pub struct NewVendor {
    /// Its code, for ever.
    pub code: Code,
    /// Its name.
    pub name: String,
    /// The decimals of its token, for ever.
    pub scale: Scale,
    /// The value of the token's smallest unit.
    pub unit_value: Option<UnitValue>,
    /// The code of the scheme in which it settles.
    pub scheme: Option<String>,
    /// Where it is paid.
    pub payout: Option<Payout>,
}

/// What a vendor changes of itself; what is not named stays.
#[derive(Debug, Default)]
pub struct Change {
    /// A new name.
    pub name: Option<String>,
    /// Whether tokens are issued.
    pub issue: Option<bool>,
    /// Whether tokens are spent.
    pub spend: Option<bool>,
    /// Whether tokens are swapped away.
    pub convert_out: Option<bool>,
    /// Whether tokens are swapped in.
    pub convert_in: Option<bool>,
    /// New bank details, replacing the old ones whole.
    pub payout: Option<Payout>,
}

/// The vendors of the house.
#[derive(Debug, Clone)]
pub struct Vendors {
    db: Db,
    clock: Clock,
    directory: Directory,
}

type Answer<T> = Result<T, Failure<VendorRefusal>>;

impl Vendors {
    /// Vendors in this database.
    pub fn new(db: Db, clock: Clock, directory: Directory) -> Self {
        Self { db, clock, directory }
    }

    /// Makes the vendor, its unit value, its membership, its bank details and its first key, which may do everything: all or nothing.
    /// Returns the key's text, once.
    pub async fn onboard(&self, new: NewVendor) -> Answer<(Vendor, String)> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let scheme = match &new.scheme {
            Some(code) => Some(schemes::find_scheme_id(&tx, code).await?.ok_or_else(|| refuse_scheme(code))?),
            None => None,
        };
        let now = self.clock.now();
        let id = VendorId::new(new_id());
        if !store::insert_vendor(&tx, id, &new, now).await? {
            return Err(Failure::Refused(VendorRefusal::CodeTaken { code: new.code.to_string() }));
        }
        // Not before: whoever makes a vendor of this code at the same time, maybe in a long import, is waited for above.
        let change_of_terms = change_terms(&tx).await?;
        if let Some(value) = new.unit_value {
            rates::insert_first_unit_value(&change_of_terms, id, value).await?;
        }
        if let Some(scheme) = scheme {
            schemes::insert_members(&change_of_terms, scheme, &[id], now).await?;
        }
        if let Some(payout) = &new.payout {
            store::upsert_payout(&tx, id, payout).await?;
        }
        let first_key = NewKey { name: "first key".to_owned(), scopes: Scope::ALL.to_vec(), expires_at: None };
        let (_, api_key) = access::insert_key(&tx, &self.clock, Some(id), &first_key).await?;
        let vendor = get_vendor(&tx, id).await?;
        tx.commit().await?;
        Ok((vendor, api_key))
    }

    /// All vendors, in the order of their codes' bytes.
    pub async fn list(&self, after: Option<String>, limit: i64) -> Result<Vec<Vendor>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        store::list_vendors(&tx, after.as_deref(), limit).await
    }

    /// The vendor of that code.
    pub async fn get_by_code(&self, code: &str) -> Answer<Vendor> {
        let facts = self.named(code).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(get_vendor(&tx, facts.id).await?)
    }

    async fn named(&self, code: &str) -> Answer<VendorFacts> {
        let found = self.directory.named(code).await?;
        found.ok_or_else(|| Failure::Refused(VendorRefusal::VendorNotFound { vendor: code.to_owned() }))
    }

    /// A vendor as it sees itself.
    pub async fn get_own(&self, vendor: VendorId) -> Result<(Vendor, Option<Payout>), Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        Ok((get_vendor(&tx, vendor).await?, store::find_payout(&tx, vendor).await?))
    }

    /// Changes a vendor, if it is still at the version that the change was made for.
    pub async fn update(&self, vendor: VendorId, is_expected: impl Fn(i64) -> bool, change: Change) -> Answer<(Vendor, Option<Payout>)> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let change_of_terms = change_terms(&tx).await?;
        lock_expected(&tx, vendor, is_expected).await?;
        store::update_vendor(&change_of_terms, vendor, &change).await?;
        if let Some(payout) = &change.payout {
            store::upsert_payout(&tx, vendor, payout).await?;
        }
        let changed = (get_vendor(&tx, vendor).await?, store::find_payout(&tx, vendor).await?);
        tx.commit().await?;
        Ok(changed)
    }

    /// Stops a vendor or lets it take part again, if it is still at the version that the change was made for.
    pub async fn update_status(&self, code: &str, is_expected: impl Fn(i64) -> bool, status: Status) -> Answer<Vendor> {
        let facts = self.named(code).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let change_of_terms = change_terms(&tx).await?;
        lock_expected(&tx, facts.id, is_expected).await?;
        store::update_status(&change_of_terms, facts.id, status).await?;
        let vendor = get_vendor(&tx, facts.id).await?;
        tx.commit().await?;
        Ok(vendor)
    }

    /// How many of its tokens there are.
    pub async fn supply(&self, vendor: VendorId) -> Result<Supply, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        store::get_supply(&tx, vendor).await
    }
}

/// Whether the text may be a vendor's name.
fn check_name(name: &str) -> Result<(), VendorRefusal> {
    if is_name(name, 200) { Ok(()) } else { Err(VendorRefusal::NameMalformed) }
}

/// Holds the vendor at its version until the tx ends; refuses if that is not the expected one.
async fn lock_expected(tx: &Tx<'_>, vendor: VendorId, is_expected: impl Fn(i64) -> bool) -> Answer<()> {
    let version = store::lock_version(tx, vendor).await?.ok_or_else(|| missing(vendor))?;
    if is_expected(version) { Ok(()) } else { Err(Failure::Refused(VendorRefusal::VersionMismatch { version })) }
}

async fn get_vendor(tx: &Tx<'_>, id: VendorId) -> Result<Vendor, Fault> {
    store::find_vendor(tx, id).await?.ok_or_else(|| missing(id))
}

fn missing(id: VendorId) -> Fault {
    Fault::Unreadable(format!("vendor {id} is referred to and missing"))
}

fn refuse_scheme(code: &str) -> Failure<VendorRefusal> {
    Failure::Refused(VendorRefusal::SchemeNotFound { scheme: code.to_owned() })
}
