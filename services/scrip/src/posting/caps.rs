//! Caps: the most that a vendor may owe, and what the capped vendors of a batch owe while it is decided.
//!
//! A cap limits what a vendor owes less what it is owed, over everything that is not settled yet: towards everybody (its net debit cap),
//! or towards one creditor (a bilateral cap). It is held against a swap that makes its debtor owe more, and against nothing else: what
//! makes a vendor owe less is always allowed, also where a cap was set below what was owed already. Sums are exact, in micro-units of
//! the scheme's currency.

use super::Refusal;
use crate::VendorId;
use crate::money::Micro;
use std::collections::BTreeMap;

/// Names what a cap limits; ordered by debtor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExposureKey {
    /// Who owes.
    pub debtor: VendorId,
    /// Towards whom; none: towards everybody.
    pub creditor: Option<VendorId>,
}

impl ExposureKey {
    /// What the vendor owes to everybody.
    pub const fn of(debtor: VendorId) -> Self {
        Self { debtor, creditor: None }
    }

    /// What the vendor owes to one other.
    pub const fn towards(debtor: VendorId, creditor: VendorId) -> Self {
        Self { debtor, creditor: Some(creditor) }
    }
}

/// The caps in force; what has none is not capped.
pub type Caps = BTreeMap<ExposureKey, Micro>;

/// What a vendor owes and is owed, in micro-units: gross in windows that no run has netted, on balance in runs; either may be less than nothing by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exposure {
    /// What it owes.
    pub owes: i128,
    /// What it is owed.
    pub owed: i128,
}

impl Exposure {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { owes: self.owes.saturating_add(other.owes), owed: self.owed.saturating_add(other.owed) }
    }

    /// What it owes less what it is owed; negative: it is owed more.
    pub fn net_debit(self) -> i128 {
        self.owes.saturating_sub(self.owed)
    }

    /// How much more it may owe under this cap; nothing, where it owes more than that already.
    pub fn headroom(self, cap: Micro) -> i128 {
        i128::from(cap.units()).saturating_sub(self.net_debit()).max(0)
    }

    /// How much of the cap is used, in thousandths, rounded down; of a cap of nothing, all or nothing.
    pub fn used_per_mille(self, cap: Micro) -> i128 {
        let (used, cap) = (self.net_debit(), i128::from(cap.units()));
        match used.max(0).saturating_mul(1_000).checked_div(cap) {
            Some(per_mille) => per_mille,
            None if used < 0 => 0,
            None => 1_000,
        }
    }

    /// How near it is to this cap.
    pub fn level(self, cap: Micro) -> Level {
        let (used, cap) = (self.net_debit(), i128::from(cap.units()));
        let uses_percent = |percent: i128| used.saturating_mul(100) >= cap.saturating_mul(percent);
        if used >= cap {
            Level::Full
        } else if uses_percent(90) {
            Level::Warning90
        } else if uses_percent(70) {
            Level::Warning70
        } else {
            Level::Ok
        }
    }
}

/// How near a vendor is to a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Less than 70 % of it is used.
    Ok,
    /// At least 70 %.
    Warning70,
    /// At least 90 %.
    Warning90,
    /// All of it, or more: the cap may have been set lower than what was owed.
    Full,
}

impl Level {
    /// As shown and logged.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning70 => "warning_70",
            Self::Warning90 => "warning_90",
            Self::Full => "full",
        }
    }
}

/// How near each of several is to its cap.
pub type Levels = BTreeMap<ExposureKey, Level>;

/// What the capped vendors of a batch owe, as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposures(BTreeMap<ExposureKey, Exposure>);

impl FromIterator<(ExposureKey, Exposure)> for Exposures {
    fn from_iter<I: IntoIterator<Item = (ExposureKey, Exposure)>>(exposures: I) -> Self {
        Self(exposures.into_iter().collect())
    }
}

impl Exposures {
    /// What was read of this; nothing is owed where nothing was.
    pub fn get(&self, key: ExposureKey) -> Exposure {
        self.0.get(&key).copied().unwrap_or_default()
    }

    /// How near each is to its cap.
    pub fn levels(&self, caps: &Caps) -> Levels {
        self.0.iter().filter_map(|(key, exposure)| Some((*key, exposure.level(*caps.get(key)?)))).collect()
    }

    /// What has come nearer to its cap than it was `before`, and how near: to 70 or 90 % of it, or all.
    pub fn crossings(&self, caps: &Caps, before: &Levels) -> Levels {
        let mut levels = self.levels(caps);
        levels.retain(|key, level| before.get(key).is_some_and(|before| before < level));
        levels
    }

    /// Whether the debtor may owe the creditor so much more. First its own cap is asked, then the creditor's.
    pub(super) fn check(&self, caps: &Caps, debtor: VendorId, creditor: VendorId, needed: Micro) -> Result<(), Refusal> {
        if caps.is_empty() {
            return Ok(());
        }
        for key in [ExposureKey::of(debtor), ExposureKey::towards(debtor, creditor)] {
            let Some(cap) = caps.get(&key).copied() else { continue };
            let exposure = self.0.get(&key).expect("what a capped vendor owes is read before it is decided on");
            let headroom = exposure.headroom(cap);
            if i128::from(needed.units()) > headroom {
                // It fits: it is less than what is needed.
                let headroom = Micro::new(i64::try_from(headroom).unwrap_or(i64::MAX));
                return Err(match key.creditor {
                    None => Refusal::DebitCapExceeded { vendor: debtor, cap, headroom, needed },
                    Some(to) => Refusal::BilateralCapExceeded { from: debtor, to, cap, headroom, needed },
                });
            }
        }
        Ok(())
    }

    /// From now on the debtor owes the creditor so much more.
    pub(super) fn oblige(&mut self, debtor: VendorId, creditor: VendorId, amount: Micro) {
        if self.0.is_empty() {
            return;
        }
        let amount = i128::from(amount.units());
        let (owes, owed) = (Exposure { owes: amount, owed: 0 }, Exposure { owes: 0, owed: amount });
        for (key, more) in [
            (ExposureKey::of(debtor), owes),
            (ExposureKey::towards(debtor, creditor), owes),
            (ExposureKey::of(creditor), owed),
            (ExposureKey::towards(creditor, debtor), owed),
        ] {
            if let Some(exposure) = self.0.get_mut(&key) {
                *exposure = exposure.plus(more);
            }
        }
    }
}
