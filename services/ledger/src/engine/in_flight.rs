//! The idempotency keys that are being worked on in this process.

use crate::Claim;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

type Keys = Arc<Mutex<HashSet<(Uuid, String)>>>;

#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Keys);

/// A key in flight; leaves when dropped.
#[derive(Debug)]
pub(super) struct InFlightKey {
    keys: Keys,
    key: (Uuid, String),
}

impl InFlight {
    /// None if a request with this key is being worked on.
    pub(super) fn enter(&self, claim: &Claim) -> Option<InFlightKey> {
        let key = (claim.actor, claim.key.clone());
        let entered = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        entered.then(|| InFlightKey { keys: Arc::clone(&self.0), key })
    }
}

impl Drop for InFlightKey {
    fn drop(&mut self) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
