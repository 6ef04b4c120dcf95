//! Typed identifiers: a vendor's id can never be passed where a user's is meant.
//!
//! Ids are made outside this crate (uuid v7, which needs a clock); here they only have a type and an order.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        // The order of its bytes, as the database has it, compared as numbers: a batch looks ids up all the time.
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.as_u128().cmp(&other.0.as_u128())
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl $name {
            /// Wraps an id that was read or made elsewhere.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare uuid, for the database and for files.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A vendor.
    VendorId
);
id!(
    /// A user.
    UserId
);
id!(
    /// A settlement scheme.
    SchemeId
);
id!(
    /// A window of a scheme.
    WindowId
);
id!(
    /// A netting run.
    RunId
);
id!(
    /// A proposed trade.
    TradeId
);
id!(
    /// What moved tokens or made an obligation: an issue, a swap, a step of a trade, an import, a run that carried.
    OperationId
);
