//! Exclusions: a vendor that the scheme's runs leave out, with all that it owes and is owed, until the operator lifts that. The operator says so, or a
//! default of the vendor does.
//!
//! What is left out is not forgiven: each run holds it back and carries it, so it stands in the vendor's position and waits in the next
//! window. This is also how a run is netted again without a vendor that does not pay: void it, exclude the vendor, settle.

mod store;

use crate::steps::{Actor, check_reason};
use jiff::Timestamp;
use ledger::{Failure, Tx, new_id};
use scrip::{SchemeId, VendorId};
pub(crate) use store::list_vendors;
pub use store::{STATEMENTS, list};

/// A vendor that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// The vendor's code.
    pub vendor: String,
    /// Why.
    pub reason: String,
    /// By whom.
    pub excluded_by: Actor,
    /// Since when.
    pub excluded_at: Timestamp,
}

/// Why nobody is excluded or let in again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExclusionRefusal {
    /// No vendor of that code settles in the scheme.
    #[error("no vendor of that code settles in this scheme")]
    NotMember,
    /// It takes part.
    #[error("the vendor is not excluded")]
    NotExcluded,
    /// As for every reason.
    #[error("a reason has 1 to {} characters, none of them a control character", crate::steps::REASON_LENGTH_MAX)]
    ReasonMalformed,
}

/// Leaves the vendor out of the scheme's next runs. A vendor that is left out already stays so, for the first reason.
pub(crate) async fn exclude(
    tx: &Tx<'_>,
    scheme: SchemeId,
    vendor: &str,
    reason: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Failure<ExclusionRefusal>> {
    check_reason(reason).map_err(|_refused| Failure::Refused(ExclusionRefusal::ReasonMalformed))?;
    let member = get_member(tx, scheme, vendor).await?;
    store::insert(tx, new_id(), scheme, member, reason, actor, now).await?;
    Ok(())
}

/// Lets the vendor take part in the scheme's next run again.
pub(crate) async fn lift(
    tx: &Tx<'_>,
    scheme: SchemeId,
    vendor: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Failure<ExclusionRefusal>> {
    let member = get_member(tx, scheme, vendor).await?;
    if store::lift(tx, scheme, member, actor, now).await? { Ok(()) } else { Err(Failure::Refused(ExclusionRefusal::NotExcluded)) }
}

async fn get_member(tx: &Tx<'_>, scheme: SchemeId, vendor: &str) -> Result<VendorId, Failure<ExclusionRefusal>> {
    store::find_member(tx, scheme, vendor).await?.ok_or(Failure::Refused(ExclusionRefusal::NotMember))
}
