//! What a writer remembers of the terms of its last batches, to forecast what the next one will change.
//!
//! It need not be right: a forecast decides nothing, and where it was wrong it is corrected before the commit.

use super::Request;
use super::store::Forecast as Changes;
use scrip::posting::{Terms, forecast};

/// More remembered pairs than this, and the memory begins anew.
const RATES_MAX: usize = 100_000;

/// The newest terms of everything that the writer has met.
#[derive(Debug, Default)]
pub(super) struct Memory {
    terms: Option<Terms>,
}

/// What a batch is expected to change.
pub(super) struct Forecast {
    /// Every account of the batch; without a guess, each unchanged.
    pub(super) changes: Changes,
    /// Whether anything may change.
    pub(super) is_guess: bool,
}

impl Memory {
    /// Remembers the terms of a batch. A rate is never taken away, only superseded: what is newer takes its place.
    pub(super) fn keep(&mut self, terms: Terms) {
        match &mut self.terms {
            Some(known) if known.rates.len() < RATES_MAX => {
                known.vendors.extend(terms.vendors);
                known.rates.extend(terms.rates);
                known.windows.extend(terms.windows);
                (known.booked_at, known.now) = (terms.booked_at, terms.now);
            }
            Some(_) | None => self.terms = Some(Terms { window_totals: Default::default(), ..terms }),
        }
    }

    /// What the requests would change by these terms.
    pub(super) fn forecast(&self, requests: &[Request]) -> Forecast {
        let postings = requests.iter().map(|request| &request.posting);
        match &self.terms {
            Some(terms) => Forecast { changes: forecast(postings, terms), is_guess: true },
            None => {
                let keys = postings.flat_map(|posting| posting.accounts());
                Forecast { changes: keys.map(|key| (key, Default::default())).collect(), is_guess: false }
            }
        }
    }
}
