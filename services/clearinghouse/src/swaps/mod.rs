//! Swaps: a user converts one vendor's tokens into another's, or sends them to another user in the other token.
//!
//! Shape: [`Swaps::create`] turns what was asked into an order; the posting rules decide and the engine books it, with the
//! obligation that it leaves. Reads run as the user: payer and payee both see the swap. [`bulk`] is many swaps in one request.

pub mod bulk;
mod error;
pub mod http;
mod store;

use crate::amount::AmountText;
use crate::directory::{Directory, VendorFacts};
use crate::postings::Postings;
use crate::refusal::{Answer, refuse};
use crate::users::Users;
use error::SwapRefusal;
use ledger::{Claim, Db, Failure, Fault, Posted, new_id};
use scrip::posting::{Posting, Receipt, SwapOrder, Swapped};
use scrip::swap::Side;
use scrip::{OperationId, Tokens, UserId};
pub use store::STATEMENTS;
use uuid::Uuid;

/// One token for another, as it is asked for: vendors by code, users by handle or id, amounts as text in whole tokens.
#[derive(Debug)]
pub struct NewSwap {
    /// Whose tokens are given.
    pub from: String,
    /// Whose tokens are received.
    pub to: String,
    /// The most that is taken; or
    pub send: Option<AmountText>,
    /// exactly what is received.
    pub receive: Option<AmountText>,
    /// Who receives; none: the payer.
    pub payee: Option<String>,
    /// Refuse rather than receive less.
    pub min_receive: Option<AmountText>,
    /// Refuse rather than send more.
    pub max_send: Option<AmountText>,
}

impl NewSwap {
    /// The order of this payer and payee between the two vendors that it names.
    fn between(&self, (payer, payee): (UserId, UserId), (from, to): (&VendorFacts, &VendorFacts)) -> Answer<SwapOrder> {
        let side = match (&self.send, &self.receive) {
            (Some(send), None) => Side::Send(send.tokens("send", from.scale).map_err(refuse)?),
            (None, Some(receive)) => Side::Receive(receive.tokens("receive", to.scale).map_err(refuse)?),
            (Some(_), Some(_)) | (None, None) => return Err(refuse(SwapRefusal::OneSideFixed)),
        };
        Ok(SwapOrder {
            operation: OperationId::new(new_id()),
            payer,
            payee,
            from: from.id,
            to: to.id,
            side,
            min_receive: limit(self.min_receive.as_ref(), "min_receive", to)?,
            max_send: limit(self.max_send.as_ref(), "max_send", from)?,
        })
    }
}

/// A swap and the two vendors that it names.
#[derive(Debug)]
pub struct Swap {
    /// As the ledger has it.
    pub swapped: Swapped,
    /// Whose tokens were retired.
    pub from: VendorFacts,
    /// Whose tokens were issued.
    pub to: VendorFacts,
}

/// The swaps of users.
#[derive(Debug, Clone)]
pub struct Swaps {
    db: Db,
    postings: Postings,
    users: Users,
    directory: Directory,
}

impl Swaps {
    /// Swaps in this database, booked through these postings.
    pub fn new(db: Db, postings: Postings, users: Users, directory: Directory) -> Self {
        Self { db, postings, users, directory }
    }

    /// Converts or sends; answers the first answer again where the key was used before.
    pub async fn create(&self, user: UserId, claim: Claim, new: Answer<NewSwap>) -> Answer<(Swap, bool)> {
        let posted = self.postings.post(claim, self.wish(user, new).await).await?;
        self.made(posted).await
    }

    /// What the swap would come to if it were made now, or why it would not be.
    pub async fn preview(&self, user: UserId, new: NewSwap) -> Answer<Swap> {
        self.named(self.postings.preview_swap(self.order(user, new).await?).await?).await
    }

    /// The swap that was posted, and whether it had been before.
    async fn made(&self, posted: Posted) -> Answer<(Swap, bool)> {
        let Receipt::Swapped(swapped) = posted.receipt else { return Err(Fault::Unreadable("a swap's answer".to_owned()).into()) };
        Ok((self.named(*swapped).await?, posted.replayed))
    }

    async fn named(&self, swapped: Swapped) -> Answer<Swap> {
        let (from, to) = (self.directory.get(swapped.from).await?, self.directory.get(swapped.to).await?);
        Ok(Swap { swapped, from, to })
    }

    async fn wish(&self, payer: UserId, new: Answer<NewSwap>) -> Answer<Posting> {
        self.order(payer, new?).await.map(Posting::Swap)
    }

    async fn order(&self, payer: UserId, new: NewSwap) -> Answer<SwapOrder> {
        let (from, to) = (self.vendor(&new.from, "from").await?, self.vendor(&new.to, "to").await?);
        let payee = match &new.payee {
            Some(payee) => self.users.find(payee).await?.ok_or_else(|| refuse(SwapRefusal::UserNotFound { field: "payee" }))?,
            None => payer,
        };
        new.between((payer, payee), (&from, &to))
    }

    async fn vendor(&self, code: &str, field: &'static str) -> Answer<VendorFacts> {
        self.directory.named(code).await?.ok_or_else(|| refuse(SwapRefusal::VendorNotFound { field, vendor: code.to_owned() }))
    }

    /// The user's swaps, as payer or payee, newest first.
    pub async fn list(&self, user: UserId, before: Option<Uuid>, limit: i64) -> Result<Vec<Swap>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        store::list_swaps(&tx, user, before, limit).await
    }

    /// One of the user's swaps.
    pub async fn get(&self, user: UserId, id: Uuid) -> Result<Swap, Failure<SwapRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        store::find_swap(&tx, user, id).await?.ok_or(Failure::Refused(SwapRefusal::SwapNotFound))
    }
}

fn limit(amount: Option<&AmountText>, field: &'static str, vendor: &VendorFacts) -> Answer<Option<Tokens>> {
    amount.map(|a| a.tokens(field, vendor.scale)).transpose().map_err(refuse)
}
