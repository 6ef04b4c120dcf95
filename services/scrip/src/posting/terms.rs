//! What was in force when a batch was decided.

use super::{Caps, ExposureKey, Posting, Refusal, Switch};
use crate::money::{Micro, UnitValue};
use crate::rate::RateVersion;
use crate::{SchemeId, VendorId, WindowId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Rates, switches, caps, windows and the time, as the batch found them.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The database's time: what the books say.
    pub booked_at: Timestamp,
    /// The program's time: what people's offers expire by.
    pub now: Timestamp,
    /// The vendors of the batch, and maybe others.
    pub vendors: BTreeMap<VendorId, VendorTerms>,
    /// The configured rate in force for a pair; absent where the unit values cross.
    pub rates: BTreeMap<(VendorId, VendorId), RateVersion>,
    /// The caps of the batch's vendors and pairs, and maybe of others.
    pub caps: Caps,
    /// The open window of each scheme of the batch, and maybe earlier ones of others.
    pub windows: BTreeMap<SchemeId, WindowId>,
    /// What this writer has put into each of those windows before the batch; absent: nothing.
    pub window_totals: BTreeMap<WindowId, Micro>,
}

/// What a vendor does at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorTerms {
    /// Not suspended by the operator.
    pub active: bool,
    /// What the vendor itself switched on.
    pub switches: Switches,
    /// The value of its smallest unit; none before the first one starts.
    pub unit_value: Option<UnitValue>,
    /// Where it settles.
    pub scheme: Option<SchemeId>,
}

/// The directions that are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// May issue.
    pub issue: bool,
    /// Its tokens may be swapped away.
    pub convert_out: bool,
    /// Its tokens may be swapped for.
    pub convert_in: bool,
}

/// The most that one writer puts into one window. All writers together (16 engines and the imports) stay below what a run can sum.
pub const WINDOW_MAX: Micro = Micro::new(250_000_000_000_000_000);

impl Terms {
    pub(super) fn allows(&self, vendor: VendorId, switch: Switch) -> Result<(), Refusal> {
        let Some(terms) = self.vendors.get(&vendor).filter(|v| v.active) else {
            return Err(Refusal::VendorSuspended { vendor });
        };
        let on = match switch {
            Switch::Issue => terms.switches.issue,
            Switch::ConvertOut => terms.switches.convert_out,
            Switch::ConvertIn => terms.switches.convert_in,
        };
        if on { Ok(()) } else { Err(Refusal::SwitchedOff { vendor, switch }) }
    }

    /// What the caps limit that the swaps among these postings are held against.
    pub fn caps_of<'p>(&self, postings: impl Iterator<Item = &'p Posting>) -> BTreeSet<ExposureKey> {
        if self.caps.is_empty() {
            return BTreeSet::new();
        }
        let keys = postings.filter_map(Posting::pair).flat_map(|(from, to)| [ExposureKey::of(from), ExposureKey::towards(from, to)]);
        keys.filter(|key| self.caps.contains_key(key)).collect()
    }

    pub(super) fn unit_value(&self, vendor: VendorId) -> Option<UnitValue> {
        self.vendors.get(&vendor).and_then(|v| v.unit_value)
    }

    pub(super) fn common_window(&self, from: VendorId, to: VendorId) -> Result<WindowId, Refusal> {
        let scheme_of = |vendor| self.vendors.get(&vendor).and_then(|v| v.scheme);
        let common = scheme_of(from).filter(|scheme| scheme_of(to) == Some(*scheme));
        common.and_then(|scheme| self.windows.get(&scheme)).copied().ok_or(Refusal::NoCommonScheme { from, to })
    }
}
