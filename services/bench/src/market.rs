//! The market that is measured: who is in it, and who swaps what. Everything follows from numbers, so that the load generator, pgbench's
//! script and the seeding statements agree without telling each other.
//!
//! User `n` has accounts with the vendors `n + k * k` (modulo the number of vendors) for `k` from 0 to 9, so that there are some 16,000
//! pairs of vendors. Behind them stand the users of the hot pair: each has accounts with the first two vendors only.

use crate::plan::Part;
use fastrand::Rng;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How many vendors there are: always as many, so that a small market has short tables and not fewer pairs.
pub(crate) const VENDORS: u32 = 200;
/// Accounts of one user.
pub(crate) const ACCOUNTS: u32 = 10;
/// The scheme in which all vendors settle.
pub(crate) const SCHEME: &str = "BENCH";
/// What one swap sends: whole in every pair, whatever the two tokens are worth.
pub(crate) const SEND: &str = "4.00";
/// What every account is issued, in smallest units: enough for a random walk of millions of swaps.
pub(crate) const ISSUED: i64 = 100_000_000;
/// What whole tokens are worth, in turn.
const UNIT_VALUES: [&str; 4] = ["0.50", "1", "2", "4"];
/// One of this many swaps is the hot user's.
const HOT_SHARE: u32 = 5;

/// A market of this many users; as many again stand behind the hot pair, but at most as many as that takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Market {
    pub(crate) users: u32,
}

/// Who swaps with whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draw {
    /// Any user, any two of the accounts.
    Uniform,
    /// Any user of the hot pair, in either direction.
    HotPair,
    /// The same, but a fifth is one user's.
    HotAccount,
}

impl Draw {
    /// What a part draws.
    pub(crate) fn of(part: Part) -> Self {
        match part {
            Part::HotPair => Self::HotPair,
            Part::HotAccount => Self::HotAccount,
            Part::Tpcb
            | Part::Naive
            | Part::Singles
            | Part::Bulk
            | Part::Growth
            | Part::Processes
            | Part::Settlement
            | Part::Netting
            | Part::Overload => Self::Uniform,
        }
    }
}

/// One swap to be made: numbers of the user and of the two vendors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) user: u32,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

impl Market {
    /// The users of the hot pair: half as many again.
    pub(crate) fn hot_users(self) -> u32 {
        (self.users / 2).max(1)
    }

    /// Everybody.
    pub(crate) fn all_users(self) -> u32 {
        self.users + self.hot_users()
    }

    /// The next swap.
    pub(crate) fn draw(self, rng: &mut Rng, draw: Draw) -> Wish {
        match draw {
            Draw::HotAccount if rng.u32(..HOT_SHARE) == 0 => any_two(rng, 0),
            Draw::Uniform | Draw::HotAccount => {
                let user = rng.u32(..self.users);
                any_two(rng, user)
            }
            Draw::HotPair => {
                let from = rng.u32(..2);
                Wish { user: self.users + rng.u32(..self.hot_users()), from, to: 1 - from }
            }
        }
    }
}

fn any_two(rng: &mut Rng, user: u32) -> Wish {
    let first = rng.u32(..ACCOUNTS);
    let second = (first + rng.u32(1..ACCOUNTS)) % ACCOUNTS;
    Wish { user, from: vendor_of(user, first), to: vendor_of(user, second) }
}

/// The vendor of a user's account.
pub(crate) fn vendor_of(user: u32, account: u32) -> u32 {
    (user + account * account) % VENDORS
}

/// A vendor's code.
pub(crate) fn vendor_code(vendor: u32) -> String {
    format!("V{vendor:03}")
}

/// What one whole token of the vendor is worth.
pub(crate) fn unit_value(vendor: u32) -> &'static str {
    let place = usize::try_from(vendor).unwrap_or_default() % UNIT_VALUES.len();
    UNIT_VALUES.get(place).copied().unwrap_or_default()
}

/// Ids in the order of their numbers, as those that a server makes are in the order of time.
const USERS_FROM: u128 = 0x0000_0000_0000_7000_8000_0000_0000_0000;

/// A user's id.
pub(crate) fn user_id(user: u32) -> Uuid {
    Uuid::from_u128(USERS_FROM + u128::from(user))
}

/// The session's text: the secret is the hash of the number, the database keeps the hash of that.
pub(crate) fn session(user: u32) -> String {
    format!("us_{}_{}", user_id(user).simple(), hex::encode(Sha256::digest(user.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_users_accounts_are_with_different_vendors() {
        for user in 0..VENDORS {
            let vendors: BTreeSet<u32> = (0..ACCOUNTS).map(|account| vendor_of(user, account)).collect();
            assert_eq!(vendors.len(), 10);
        }
    }

    #[test]
    fn a_wish_names_two_accounts_that_its_user_has() {
        let (market, mut rng) = (Market { users: 300 }, Rng::with_seed(1));
        let mut hot = 0;
        for _ in 0..10_000 {
            let Wish { user, from, to } = market.draw(&mut rng, Draw::HotAccount);
            let vendors: Vec<u32> = (0..ACCOUNTS).map(|account| vendor_of(user, account)).collect();
            assert!(from != to && vendors.contains(&from) && vendors.contains(&to));
            hot += u32::from(user == 0);
            let pair = market.draw(&mut rng, Draw::HotPair);
            assert!(pair.user >= 300 && pair.user < market.all_users() && pair.from + pair.to == 1);
        }
        assert!((1_800..2_300).contains(&hot), "{hot} of 10,000 swaps are the hot user's");
    }
}
