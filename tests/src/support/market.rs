//! The smallest market that something can go wrong in.

use super::{House, User, Vendor};
use serde_json::json;
use std::collections::BTreeMap;

/// The scheme EURO with MILES, worth 0.01 each, and BEANS; alice holds MILES and has an empty account of BEANS.
pub(crate) struct Market {
    pub(crate) miles: Vendor,
    pub(crate) beans: Vendor,
    pub(crate) alice: User,
}

impl Market {
    /// With this value of one of the BEANS, and this many MILES for alice.
    pub(crate) async fn open(house: &House, beans_value: &str, miles_held: &str) -> Self {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let beans = house.operator.vendor("EURO", "BEANS", beans_value).await;
        let alice = house.user("alice").await;
        miles.endow(&alice, miles_held).await;
        alice.open(&beans).await;
        Self { miles, beans, alice }
    }
}

/// Vendors in the scheme EURO that owe each other, each debt by one swap of alice's.
pub(crate) struct Debts {
    pub(crate) vendors: BTreeMap<&'static str, Vendor>,
    /// The id of each swap, in the order of the debts.
    pub(crate) swaps: Vec<String>,
    pub(crate) alice: User,
}

/// A owes B 60 and C 40, B owes C 70, C owes D 50, and D owes A 20: the positions are -80, -10, 60 and 30.
pub(crate) const FIVE_DEBTS: [(&str, &str, &str); 5] =
    [("AA", "BB", "60"), ("AA", "CC", "40"), ("BB", "CC", "70"), ("CC", "DD", "50"), ("DD", "AA", "20")];

impl Debts {
    /// Debtor, creditor, and how many tokens are swapped, of which each is worth `unit_value`.
    pub(crate) async fn open(
        house: &House,
        strategy: &str,
        unit_value: &str,
        debts: &[(&'static str, &'static str, &'static str)],
    ) -> Self {
        let body = json!({"code": "EURO", "currency": "EUR", "strategy": strategy});
        house.operator.client.post("/v1/schemes", body).await.created();
        let alice = house.user("alice").await;
        let mut vendors = BTreeMap::new();
        for code in debts.iter().flat_map(|(debtor, creditor, _)| [*debtor, *creditor]) {
            if !vendors.contains_key(code) {
                let vendor = house.operator.vendor("EURO", code, unit_value).await;
                vendor.endow(&alice, "100000").await;
                vendors.insert(code, vendor);
            }
        }
        let mut swaps = Vec::new();
        for (debtor, creditor, amount) in debts {
            let swap = alice.convert(amount, &vendors[debtor], &vendors[creditor]).await.created();
            swaps.push(swap["id"].as_str().expect("a swap has an id").to_owned());
        }
        Self { vendors, swaps, alice }
    }
}
