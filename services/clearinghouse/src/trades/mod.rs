//! Trades: one user proposes exact amounts of two tokens to another, who accepts or declines.
//!
//! The proposer's tokens are held from the proposal on, so an acceptance cannot fail for want of them. Nothing is issued or
//! retired, so a trade leaves no obligation between vendors.

mod error;
pub mod http;
mod store;

use crate::amount::AmountText;
use crate::directory::{Directory, VendorFacts};
use crate::postings::Postings;
use crate::refusal::{Answer, of_any, refuse};
use crate::users::Users;
use error::TradeRefusal;
use jiff::SignedDuration;
use ledger::{Claim, Clock, Db, Engine, Failure, Fault, Posted, new_id};
use scrip::posting::{Leg, Posting, Receipt, Trade, TradeEnd, TradeStep};
use scrip::{TradeId, UserId};
pub use store::STATEMENTS;
use tokio::task::JoinSet;
use uuid::Uuid;

/// A proposal without a time of its own waits this long.
const EXPIRES_IN_SECONDS_DEFAULT: i64 = 7 * 24 * 3600;
const EXPIRES_IN_SECONDS_MAX: i64 = 30 * 24 * 3600;
/// Trades released in one beat; what is left waits for the next.
const EXPIRED_PER_BEAT_MAX: i64 = 500;

/// A trade as it is proposed: users by handle or id, vendors by code, amounts as text in whole tokens.
#[derive(Debug)]
pub struct NewTrade {
    /// Who may accept.
    pub with: String,
    /// What the proposer gives.
    pub give: NewLeg,
    /// What the proposer takes.
    pub take: NewLeg,
    /// How long the proposal stands; none: seven days.
    pub expires_in_seconds: Option<i64>,
}

/// An amount of one vendor's token, as text.
#[derive(Debug)]
pub struct NewLeg {
    /// The vendor's code.
    pub vendor: String,
    /// In whole tokens.
    pub amount: AmountText,
}

/// Where a trade stands, and the two vendors that it names.
#[derive(Debug)]
pub struct NamedTrade {
    /// As the ledger has it.
    pub step: TradeStep,
    /// Whose tokens the proposer gives.
    pub give: VendorFacts,
    /// Whose tokens the proposer takes.
    pub take: VendorFacts,
}

/// The trades of users.
#[derive(Debug, Clone)]
pub struct Trades {
    db: Db,
    clock: Clock,
    engine: Engine,
    postings: Postings,
    users: Users,
    directory: Directory,
}

/// What the other user, or the proposer, does with a proposal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reply {
    Accept,
    Decline,
    Cancel,
}

impl Trades {
    /// Trades in this database, booked through these postings; the engine itself releases what expired.
    pub fn new(db: Db, clock: Clock, engine: Engine, postings: Postings, users: Users, directory: Directory) -> Self {
        Self { db, clock, engine, postings, users, directory }
    }

    /// Proposes, holding what the proposer gives.
    pub async fn propose(&self, user: UserId, claim: Claim, new: Answer<NewTrade>) -> Answer<(NamedTrade, bool)> {
        let wish = self.wish(user, new).await.map(Posting::ProposeTrade);
        self.post(claim, wish).await
    }

    async fn wish(&self, proposer: UserId, new: Answer<NewTrade>) -> Answer<Trade> {
        let NewTrade { with, give, take, expires_in_seconds } = new?;
        let acceptor = self.users.find(&with).await?.ok_or_else(|| refuse(TradeRefusal::UserNotFound))?;
        let (give, take) = (self.leg(&give, "give").await?, self.leg(&take, "take").await?);
        let seconds = expires_in_seconds.unwrap_or(EXPIRES_IN_SECONDS_DEFAULT);
        let seconds = Some(seconds).filter(|seconds| (1..=EXPIRES_IN_SECONDS_MAX).contains(seconds));
        let expires_at = seconds.and_then(|seconds| self.clock.now().checked_add(SignedDuration::from_secs(seconds)).ok());
        let expires_at = expires_at.ok_or_else(|| refuse(TradeRefusal::ExpiryOutOfRange { max: EXPIRES_IN_SECONDS_MAX }))?;
        Ok(Trade { id: TradeId::new(new_id()), proposer, acceptor, give, take, expires_at })
    }

    async fn leg(&self, leg: &NewLeg, field: &'static str) -> Answer<Leg> {
        let vendor = self
            .directory
            .named(&leg.vendor)
            .await?
            .ok_or_else(|| refuse(TradeRefusal::VendorNotFound { field, vendor: leg.vendor.clone() }))?;
        Ok(Leg { vendor: vendor.id, amount: leg.amount.tokens(field, vendor.scale).map_err(refuse)? })
    }

    /// Accepts or declines as the acceptor, cancels as the proposer.
    pub(crate) async fn reply(&self, user: UserId, id: Uuid, claim: Claim, reply: Answer<Reply>) -> Answer<(NamedTrade, bool)> {
        let wish = self.reply_wish(user, id, reply).await;
        self.post(claim, wish).await
    }

    async fn reply_wish(&self, user: UserId, id: Uuid, reply: Answer<Reply>) -> Answer<Posting> {
        let reply = reply?;
        let trade = self.find(user, id).await.map_err(of_any)?.trade;
        let (may, posting) = match reply {
            Reply::Accept => (trade.acceptor, Posting::AcceptTrade(trade)),
            Reply::Decline => (trade.acceptor, Posting::EndTrade(trade, TradeEnd::Declined)),
            Reply::Cancel => (trade.proposer, Posting::EndTrade(trade, TradeEnd::Cancelled)),
        };
        if may == user { Ok(posting) } else { Err(refuse(TradeRefusal::NotYours)) }
    }

    async fn post(&self, claim: Claim, wish: Answer<Posting>) -> Answer<(NamedTrade, bool)> {
        let Posted { receipt, replayed } = self.postings.post(claim, wish).await?;
        let Receipt::Traded(step) = receipt else { return Err(Fault::Unreadable("a trade's answer".to_owned()).into()) };
        Ok((self.name(step).await?, replayed))
    }

    async fn name(&self, step: TradeStep) -> Result<NamedTrade, Fault> {
        let give = self.directory.get(step.trade.give.vendor).await?;
        let take = self.directory.get(step.trade.take.vendor).await?;
        Ok(NamedTrade { step, give, take })
    }

    async fn find(&self, user: UserId, id: Uuid) -> Result<TradeStep, Failure<TradeRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        store::find_trade(&tx, user, id).await?.ok_or(Failure::Refused(TradeRefusal::TradeNotFound))
    }

    /// One of the user's trades, as proposer or acceptor.
    pub async fn get(&self, user: UserId, id: Uuid) -> Result<NamedTrade, Failure<TradeRefusal>> {
        let step = self.find(user, id).await?;
        Ok(self.name(step).await?)
    }

    /// The user's trades, as proposer or acceptor, newest first.
    pub async fn list(&self, user: UserId, before: Option<Uuid>, limit: i64) -> Result<Vec<NamedTrade>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        let steps = store::list_trades(&tx, user, before, limit).await?;
        let mut named = Vec::with_capacity(steps.len());
        for step in steps {
            named.push(self.name(step).await?);
        }
        Ok(named)
    }

    /// Gives back what is held for proposals whose time is up; answers how many.
    pub async fn expire(&self) -> Result<usize, Fault> {
        // All at once, so that the engine commits them together.
        let mut releases = JoinSet::new();
        for trade in self.expired().await? {
            let engine = self.engine.clone();
            let claim = Claim { actor: trade.id.uuid(), key: "expire".to_owned(), request_hash: [0; 32] };
            releases.spawn(async move { engine.post(claim, Posting::EndTrade(trade, TradeEnd::Expired)).await });
        }
        let mut released = 0_usize;
        for outcome in releases.join_all().await {
            match outcome {
                Ok(_) => released = released.saturating_add(1),
                // Somebody was faster, or the engine is busy: the next beat sees what is left.
                Err(Failure::Refused(refusal)) => tracing::debug!(%refusal, "not released"),
                Err(Failure::Fault(fault)) => return Err(fault),
            }
        }
        Ok(released)
    }

    async fn expired(&self) -> Result<Vec<Trade>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        store::list_expired(&tx, self.clock.now(), EXPIRED_PER_BEAT_MAX).await
    }
}
