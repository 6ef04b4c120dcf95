//! `POST /v1/swaps`: a user's own swap, under the user's session.

use super::{Driver, Tally, next_key};
use crate::market::{self, SEND, Wish};
use crate::{BenchError, client};
use std::time::Instant;

impl Driver {
    /// Sends until the turn is over.
    pub(super) async fn singles(mut self) -> Result<Tally, BenchError> {
        while Instant::now() < self.shared.end {
            self.keep_pace().await;
            let Wish { user, from, to } = self.market().draw(&mut self.rng, self.shared.draw);
            let (from, to) = (market::vendor_code(from), market::vendor_code(to));
            let body = format!(r#"{{"from":"{from}","to":"{to}","send":"{SEND}"}}"#);
            let request = client::post("/v1/swaps", &market::session(user), Some(&next_key()), "application/json", body);
            let sent = Instant::now();
            let answer = self.send(request).await?;
            self.count(sent, [(answer.status, 1)]);
            if !self.expects(answer.status) {
                return Err(answer.unexpected(format!("a swap of user {user} from {from} to {to}")));
            }
        }
        Ok(self.tally)
    }
}
