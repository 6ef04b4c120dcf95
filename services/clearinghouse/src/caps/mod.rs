//! Caps: how much a vendor may owe, and how much of that is left.
//!
//! Shape: the operator sets a vendor's net debit cap, a creditor sets what it accepts of each debtor; the posting rules hold every swap
//! against both. A cap changes while nobody posts into the scheme's window and as a change of terms, so from its commit on no swap is
//! decided on the old one, in whichever process. What is owed is the ledger's to sum up.

mod error;
pub mod http;
mod store;

use crate::directory::{Directory, VendorFacts};
use crate::settlement::Viewer;
pub use error::CapRefusal;
use ledger::{Db, Failure, Fault, Tx, change_terms, lock_scheme_exclusive, read_exposures, read_time, set_debit_cap};
use scrip::posting::{Exposure, ExposureKey};
use scrip::{Micro, SchemeId, VendorId};
pub use store::STATEMENTS;

/// A vendor's net debit cap.
#[derive(Debug)]
pub struct DebitCap {
    /// Whose.
    pub vendor: VendorFacts,
    /// Where it settles.
    pub scheme: Option<Scheme>,
    /// The most that it may owe less what it is owed; none: no cap.
    pub cap: Option<Micro>,
    /// Grows with each change.
    pub version: i64,
}

/// What a debt is settled in.
#[derive(Debug)]
pub struct Scheme {
    /// Whose windows it falls into.
    pub id: SchemeId,
    /// The currency of every figure.
    pub currency: String,
}

/// A vendor's net debit cap, and what it owes.
#[derive(Debug)]
pub struct Headroom {
    /// The cap.
    pub cap: DebitCap,
    /// To and by everybody.
    pub exposure: Exposure,
}

/// What a creditor accepts of a debtor's debt.
#[derive(Debug)]
pub struct BilateralCap {
    /// Who owes.
    pub debtor: VendorFacts,
    /// Who accepts it.
    pub creditor: VendorFacts,
    /// Net of what the creditor owes; none: no cap.
    pub cap: Option<Micro>,
    /// Grows with each change.
    pub version: i64,
}

/// A bilateral cap, and what is owed.
#[derive(Debug)]
pub struct BilateralHeadroom {
    /// The cap.
    pub cap: BilateralCap,
    /// What the debtor owes the creditor, and is owed by it.
    pub exposure: Exposure,
}

/// The caps of the house.
#[derive(Debug, Clone)]
pub struct Caps {
    db: Db,
    directory: Directory,
}

type Answer<T> = Result<T, Failure<CapRefusal>>;

impl Caps {
    /// Caps in this database.
    pub fn new(db: Db, directory: Directory) -> Self {
        Self { db, directory }
    }

    /// The net debit cap of the vendor of that code.
    pub async fn get_debit_cap(&self, code: &str) -> Answer<DebitCap> {
        let vendor = self.named(code).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(store::find_debit_cap(&tx, vendor).await?)
    }

    /// Sets the net debit cap, or takes it away, if it is still at the version that the change was made for.
    pub async fn update_debit_cap(&self, code: &str, is_expected: impl Fn(i64) -> bool, cap: Option<Micro>) -> Answer<DebitCap> {
        let vendor = self.named(code).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let scheme = store::find_debit_cap(&tx, vendor.clone()).await?.scheme;
        let scheme = scheme.ok_or_else(|| Failure::Refused(CapRefusal::NoScheme { vendor: code.to_owned() }))?;
        lock_scheme_exclusive(&tx, scheme.id).await?;
        let change_of_terms = change_terms(&tx).await?;
        let DebitCap { version, .. } = store::find_debit_cap(&tx, vendor.clone()).await?;
        expect(version, is_expected)?;
        set_debit_cap(&change_of_terms, vendor.id, cap, read_time(&tx).await?).await?;
        let changed = store::find_debit_cap(&tx, vendor).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// What the vendor owes under its own cap, and, by the creditors' codes, under the caps that creditors have set for it.
    pub async fn get_headroom(
        &self,
        viewer: Viewer,
        vendor: VendorFacts,
        after: Option<String>,
        limit: i64,
    ) -> Result<(Headroom, Vec<BilateralHeadroom>), Fault> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        let key = ExposureKey::of(vendor.id);
        let creditors = store::list_creditors(&tx, vendor.id, after.as_deref(), limit).await?;
        let cap = store::find_debit_cap(&tx, vendor).await?;
        let exposure = read_exposures(&tx, [key]).await?.get(key);
        Ok((Headroom { cap, exposure }, with_exposures(&tx, creditors).await?))
    }

    /// What the vendor accepts of its debtors' debts, by their codes.
    pub async fn list_debtors(
        &self,
        viewer: Viewer,
        vendor: VendorId,
        after: Option<String>,
        limit: i64,
    ) -> Result<Vec<BilateralHeadroom>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        let debtors = store::list_debtors(&tx, vendor, after.as_deref(), limit).await?;
        with_exposures(&tx, debtors).await
    }

    /// What the vendor accepts of one debtor's debt.
    pub async fn get_bilateral_cap(&self, creditor: VendorId, debtor: &str) -> Answer<BilateralHeadroom> {
        let pair = self.pair(creditor, debtor).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(creditor).await?;
        get_bilateral_headroom(&tx, pair).await
    }

    /// Sets what the vendor accepts, or takes the cap away, if it is still at the version that the change was made for.
    pub async fn update_bilateral_cap(
        &self,
        creditor: VendorId,
        debtor: &str,
        is_expected: impl Fn(i64) -> bool,
        cap: Option<Micro>,
    ) -> Answer<BilateralHeadroom> {
        let pair = self.pair(creditor, debtor).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(creditor).await?;
        let scheme = store::find_common_scheme(&tx, &pair).await?;
        let scheme = scheme.ok_or_else(|| Failure::Refused(no_common_scheme(&pair)))?;
        lock_scheme_exclusive(&tx, scheme).await?;
        let change_of_terms = change_terms(&tx).await?;
        let BilateralCap { version, .. } = store::find_bilateral_cap(&tx, pair.clone()).await?;
        expect(version, is_expected)?;
        store::upsert_bilateral_cap(&change_of_terms, &pair, cap, read_time(&tx).await?).await?;
        let changed = get_bilateral_headroom(&tx, pair).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// The vendor of that code.
    pub async fn named(&self, code: &str) -> Answer<VendorFacts> {
        let found = self.directory.named(code).await?;
        found.ok_or_else(|| Failure::Refused(CapRefusal::VendorNotFound { vendor: code.to_owned() }))
    }

    /// The creditor and the debtor of that code, which are two.
    async fn pair(&self, creditor: VendorId, debtor: &str) -> Answer<Pair> {
        let debtor = self.named(debtor).await?;
        if debtor.id == creditor {
            return Err(Failure::Refused(CapRefusal::SameVendor { vendor: debtor.code.to_string() }));
        }
        Ok(Pair { creditor: self.directory.get(creditor).await?, debtor })
    }
}

/// Two vendors, one of which may owe the other.
#[derive(Debug, Clone)]
struct Pair {
    creditor: VendorFacts,
    debtor: VendorFacts,
}

fn expect(version: i64, is_expected: impl Fn(i64) -> bool) -> Answer<()> {
    if is_expected(version) { Ok(()) } else { Err(Failure::Refused(CapRefusal::VersionMismatch { version })) }
}

fn no_common_scheme(pair: &Pair) -> CapRefusal {
    CapRefusal::NoCommonScheme { debtor: pair.debtor.code.to_string(), creditor: pair.creditor.code.to_string() }
}

async fn get_bilateral_headroom(tx: &Tx<'_>, pair: Pair) -> Answer<BilateralHeadroom> {
    let key = ExposureKey::towards(pair.debtor.id, pair.creditor.id);
    let cap = store::find_bilateral_cap(tx, pair).await?;
    Ok(BilateralHeadroom { cap, exposure: read_exposures(tx, [key]).await?.get(key) })
}

async fn with_exposures(tx: &Tx<'_>, caps: Vec<BilateralCap>) -> Result<Vec<BilateralHeadroom>, Fault> {
    let key = |cap: &BilateralCap| ExposureKey::towards(cap.debtor.id, cap.creditor.id);
    let exposures = read_exposures(tx, caps.iter().map(key)).await?;
    Ok(caps.into_iter().map(|cap| BilateralHeadroom { exposure: exposures.get(key(&cap)), cap }).collect())
}
