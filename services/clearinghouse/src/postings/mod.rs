//! What issues, swaps and trades have in common: a wish goes to the posting engine, and its answer comes back in the words of the API.
//!
//! The idempotency key is resolved before anything is judged: a wish that could not even be read is still answered with the first
//! answer of its key, if there is one.

mod error;
mod store;

use crate::directory::Directory;
use crate::refusal::{Answer, AnyRefusal, refuse};
use ledger::{Claim, Db, Engine, Failure, Fault, PostRefusal, Posted};
use scrip::posting::{Posting, SwapOrder, Swapped};
use std::collections::HashSet;
use std::sync::Arc;
pub(crate) use store::STATEMENTS;
use uuid::Uuid;

/// The way into the posting engine.
#[derive(Debug, Clone)]
pub struct Postings {
    db: Db,
    engine: Engine,
    directory: Directory,
}

impl Postings {
    /// Posts through this engine; the directory knows the names that refusals mention.
    pub fn new(db: Db, engine: Engine, directory: Directory) -> Self {
        Self { db, engine, directory }
    }

    /// Posts the wish, or refuses it for what is wrong with it, after its key was resolved.
    pub async fn post(&self, claim: Claim, wish: Answer<Posting>) -> Answer<Posted> {
        match wish {
            Ok(posting) => self.worded(self.engine.post(claim, posting).await).await,
            Err(refused) => self.recall(&claim).await?.ok_or(refused),
        }
    }

    /// What the swap would come to now; nothing is posted.
    pub async fn preview_swap(&self, order: SwapOrder) -> Answer<Swapped> {
        self.worded(self.engine.preview_swap(order).await).await
    }

    /// The same for many of one actor: each is answered by itself, in their order. All that can be posted go to the engine together.
    pub async fn post_many(&self, actor: Uuid, wishes: Vec<(Claim, Answer<Posting>)>) -> Vec<Answer<Posted>> {
        let (mut places, mut postings, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for (place, (claim, wish)) in wishes.into_iter().enumerate() {
            match wish {
                Ok(posting) => {
                    places.push(place);
                    postings.push((claim, posting));
                }
                Err(refusal) => refused.push((place, claim, refusal)),
            }
        }
        let mut answers = self.refuse_many(actor, refused).await;
        for (place, outcome) in places.into_iter().zip(self.engine.post_many(postings).await) {
            answers.push((place, self.worded(outcome).await));
        }
        answers.sort_unstable_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// Answers what cannot be posted; only keys that were used before are looked at one by one.
    async fn refuse_many(&self, actor: Uuid, refused: Vec<(usize, Claim, Failure<AnyRefusal>)>) -> Vec<(usize, Answer<Posted>)> {
        let used = match self.find_used_keys(actor, &refused).await {
            Ok(used) => used,
            Err(fault) => {
                let fault = Arc::new(fault);
                return refused.into_iter().map(|(place, ..)| (place, Err(Fault::Batch(fault.clone()).into()))).collect();
            }
        };
        let mut answers = Vec::with_capacity(refused.len());
        for (place, claim, refusal) in refused {
            let first = if used.contains(&claim.key) { self.recall(&claim).await } else { Ok(None) };
            answers.push((place, first.and_then(|first| first.ok_or(refusal))));
        }
        answers
    }

    async fn find_used_keys(&self, actor: Uuid, refused: &[(usize, Claim, Failure<AnyRefusal>)]) -> Result<HashSet<String>, Fault> {
        if refused.is_empty() {
            return Ok(HashSet::new());
        }
        let keys: Vec<&str> = refused.iter().map(|(_, claim, _)| claim.key.as_str()).collect();
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        store::find_used_keys(&tx, actor, &keys).await
    }

    /// The first answer of the key, if it was used for this request; a refusal, if for another.
    async fn recall(&self, claim: &Claim) -> Answer<Option<Posted>> {
        match self.engine.recall(claim).await {
            Ok(first) => Ok(first),
            Err(failure) => self.worded::<Posted>(Err(failure)).await.map(Some),
        }
    }

    /// The engine's answer in the words of the API.
    async fn worded<T>(&self, outcome: Result<T, Failure<PostRefusal>>) -> Answer<T> {
        match outcome {
            Ok(done) => Ok(done),
            Err(Failure::Fault(fault)) => Err(fault.into()),
            Err(Failure::Refused(refusal)) => Err(refuse(error::name(refusal, &self.directory).await?)),
        }
    }
}
