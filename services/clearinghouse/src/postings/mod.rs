//! What issues, swaps and trades have in common: a wish goes to the posting engine, and its answer comes back in the words of the API.
//!
//! The idempotency key is resolved before anything is judged: a wish that could not even be read is still answered with the first
//! answer of its key, if there is one.

mod error;

use crate::directory::Directory;
use crate::refusal::{Answer, refuse};
use ledger::{Claim, Engine, Failure, Posted};
use scrip::posting::Posting;

/// The way into the posting engine.
#[derive(Debug, Clone)]
pub struct Postings {
    engine: Engine,
    directory: Directory,
}

impl Postings {
    /// Posts through this engine; the directory knows the names that refusals mention.
    pub fn new(engine: Engine, directory: Directory) -> Self {
        Self { engine, directory }
    }

    /// Posts the wish, or refuses it for what is wrong with it, after its key was resolved.
    pub async fn post(&self, claim: Claim, wish: Answer<Posting>) -> Answer<Posted> {
        let posted = match wish {
            Ok(posting) => self.engine.post(claim, posting).await,
            Err(refused) => match self.engine.recall(&claim).await {
                Ok(None) => return Err(refused),
                Ok(Some(first)) => Ok(first),
                Err(failure) => Err(failure),
            },
        };
        match posted {
            Ok(posted) => Ok(posted),
            Err(Failure::Fault(fault)) => Err(fault.into()),
            Err(Failure::Refused(refusal)) => Err(refuse(error::name(refusal, &self.directory).await?)),
        }
    }
}
