//! The smallest market that something can go wrong in.

use super::{House, User, Vendor};

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
