//! What of the obligations that no run settles could settle at once, if vendors paid from what the house holds of theirs.
//!
//! The queue is every obligation of those windows, the open one included, in the order in which they were booked; a vendor's balance is its
//! collateral, and its floor is zero. The arithmetic is [`netting::gridlock`]. Disputes and exclusions are not looked at.

use super::{Answer, ExplanationRefusal, store};
use crate::files;
use crate::runs::{NettedWindow, find_scheme, list_not_netted, widen};
use jiff::Timestamp;
use ledger::{Failure, Fault, Tx};
use netting::gridlock::{Balance, Funds, Queued, Resolution, resolve};
use scrip::{Micro, Scale, SchemeId, VendorId};
use std::collections::HashMap;
use uuid::Uuid;

/// What of a scheme's unsettled obligations could settle at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gridlock {
    /// The numbers of the windows that no run settles, the open one last.
    pub windows: Vec<i64>,
    /// The currency of every figure.
    pub currency: String,
    /// The decimals that transfers have.
    pub digits: Scale,
    /// What settles.
    pub settles: Tally,
    /// What waits.
    pub waits: Tally,
    /// The scheme's vendors that owe, are owed or have collateral, by code.
    pub vendors: Vec<QueuedVendor>,
}

/// How many obligations, and what they sum to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: usize,
    /// Their sum.
    pub amount: Micro,
}

/// One vendor's own queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedVendor {
    /// Its code.
    pub vendor: String,
    /// What it has before.
    pub collateral: Micro,
    /// What it would have then.
    pub after: Micro,
    /// What it owes and would pay.
    pub settles: Tally,
    /// What it owes and could not pay yet.
    pub waits: Tally,
}

/// What is stored of a queue.
pub(super) struct Queue {
    windows: Vec<i64>,
    currency: String,
    digits: Scale,
    /// Code and collateral of each member.
    members: Vec<(String, Micro)>,
    /// In the order in which they were booked; vendors by their place among the members.
    obligations: Vec<Booked>,
}

/// An obligation in the order of booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Booked {
    at: Timestamp,
    id: Uuid,
    debtor: usize,
    creditor: usize,
    amount: Micro,
}

impl Queue {
    pub(super) async fn read(tx: &Tx<'_>, scheme: SchemeId, obligations_max: i64) -> Answer<Self> {
        let terms = find_scheme(tx, scheme).await?.ok_or_else(|| Fault::Unreadable(format!("no scheme {scheme}")))?;
        let windows = list_not_netted(tx, scheme, i64::MAX).await?;
        let count = store::count_obligations(tx, &windows).await?;
        if count > obligations_max {
            return Err(Failure::Refused(ExplanationRefusal::TooManyObligations { count, max: obligations_max }));
        }
        let (ids, members): (Vec<VendorId>, Vec<_>) =
            store::list_members(tx, scheme).await?.into_iter().map(|(id, code, collateral)| (id, (code, collateral))).unzip();
        let obligations = read_obligations(tx, &windows, &ids).await?;
        let windows = windows.into_iter().map(|window| window.number).collect();
        Ok(Self { windows, currency: terms.currency, digits: terms.digits, members, obligations })
    }

    /// Takes a second or two for a million obligations.
    pub(super) fn resolve(mut self) -> Result<Gridlock, Fault> {
        self.obligations.sort_unstable();
        let code = |member: usize| self.members[member].0.as_str();
        let funds = self.members.iter().map(|(code, collateral)| Funds { party: code, balance: *collateral, floor: Micro::ZERO });
        let queued = self.obligations.iter().map(|o| Queued { debtor: code(o.debtor), creditor: code(o.creditor), amount: o.amount });
        let resolution = resolve(funds, queued).map_err(|e| Fault::Unreadable(e.to_string()))?;

        let Resolution { settles, waits, settled: _, balances } = resolution;
        let vendor = |Balance { party, before, after, floor: _ }: &Balance| QueuedVendor {
            vendor: party.to_string(),
            collateral: *before,
            after: *after,
            settles: Tally::default(),
            waits: Tally::default(),
        };
        // Balances and members are both in byte order of their codes, and every party is a member.
        let mut vendors: Vec<QueuedVendor> = balances.iter().map(vendor).collect();
        let (mut all_settles, mut all_waits) = (Tally::default(), Tally::default());
        for place in settles {
            let Booked { debtor, amount, .. } = self.obligations[place];
            vendors[debtor].settles.add(amount);
            all_settles.add(amount);
        }
        for place in waits {
            let Booked { debtor, amount, .. } = self.obligations[place];
            vendors[debtor].waits.add(amount);
            all_waits.add(amount);
        }
        let Self { windows, currency, digits, .. } = self;
        Ok(Gridlock { windows, currency, digits, settles: all_settles, waits: all_waits, vendors })
    }
}

impl Tally {
    fn add(&mut self, amount: Micro) {
        self.count = self.count.strict_add(1);
        self.amount = self.amount.checked_add(amount).expect("a queue sums to no more than can be netted");
    }
}

async fn read_obligations(tx: &Tx<'_>, windows: &[NettedWindow], members: &[VendorId]) -> Result<Vec<Booked>, Fault> {
    widen(tx).await?;
    let numbers: HashMap<VendorId, usize> = members.iter().copied().zip(0..).collect();
    let number = |vendor: VendorId| numbers.get(&vendor).copied().ok_or_else(|| Fault::Unreadable(format!("vendor {vendor} is no member")));
    let mut booked = Vec::new();
    for window in windows {
        let mut obligations = files::read_obligations(tx, window.id).await?;
        while let Some(o) = obligations.next().await? {
            booked.push(Booked { at: o.booked_at, id: o.id, debtor: number(o.debtor)?, creditor: number(o.creditor)?, amount: o.amount });
        }
    }
    Ok(booked)
}
