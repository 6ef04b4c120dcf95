//! Swaps: a user converts one vendor's tokens into another's, or sends them to another user in the other token.
//!
//! Shape: [`Swaps::create`] turns what was asked into an order; the posting rules decide and the engine books it, with the
//! obligation that it leaves. Reads run as the user: payer and payee both see the swap.

mod error;
pub mod http;
mod store;

use crate::http::body::AmountText;
use crate::http::idempotency::Keyed;
use crate::http::page::{Page, Paged};
use crate::http::problem::ApiError;
use crate::postings::Postings;
use crate::users::Users;
use crate::vendors::{Directory, VendorFacts};
use error::SwapRefusal;
use http::{CreateSwap, SwapView};
use ledger::{Db, Failure, Fault, new_id};
use scrip::posting::{Posting, Receipt, SwapOrder};
use scrip::swap::Side;
use scrip::{OperationId, Tokens, UserId};
pub use store::STATEMENTS;
use uuid::Uuid;

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
    pub async fn create(&self, user: UserId, request: Keyed<CreateSwap>) -> Result<(SwapView, bool), ApiError> {
        let claim = request.claim(user.uuid());
        let posted = self.postings.post(claim, self.wish(user, request.body).await).await?;
        let Receipt::Swapped(swapped) = posted.receipt else { return Err(Fault::Unreadable("a swap's answer".to_owned()).into()) };
        let (from, to) = (self.directory.get(swapped.from).await?, self.directory.get(swapped.to).await?);
        Ok((SwapView::new(&swapped, &from, &to), posted.replayed))
    }

    async fn wish(&self, payer: UserId, body: Result<CreateSwap, ApiError>) -> Result<Posting, ApiError> {
        let CreateSwap { from, to, send, receive, payee, min_receive, max_send } = body?;
        let (from, to) = (self.vendor(&from, "from").await?, self.vendor(&to, "to").await?);
        let side = match (send, receive) {
            (Some(send), None) => Side::Send(send.tokens("send", from.scale)?),
            (None, Some(receive)) => Side::Receive(receive.tokens("receive", to.scale)?),
            (Some(_), Some(_)) | (None, None) => return Err(SwapRefusal::OneSideFixed.into()),
        };
        let payee = match payee {
            Some(payee) => self.users.find(&payee).await?.ok_or(SwapRefusal::UserNotFound)?,
            None => payer,
        };
        Ok(Posting::Swap(SwapOrder {
            operation: OperationId::new(new_id()),
            payer,
            payee,
            from: from.id,
            to: to.id,
            side,
            min_receive: limit(min_receive.as_ref(), "min_receive", &to)?,
            max_send: limit(max_send.as_ref(), "max_send", &from)?,
        }))
    }

    async fn vendor(&self, code: &str, field: &'static str) -> Result<VendorFacts, ApiError> {
        Ok(self.directory.named(code).await?.ok_or(SwapRefusal::VendorNotFound { field })?)
    }

    /// The user's swaps, as payer or payee, newest first.
    pub async fn list(&self, user: UserId, page: &Page, before: Option<Uuid>) -> Result<Paged<SwapView>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        let rows = store::list_swaps(&tx, user, before, page.limit_plus_one()).await?;
        Ok(page.of(rows, |row| row.swap.id))
    }

    /// One of the user's swaps.
    pub async fn get(&self, user: UserId, id: Uuid) -> Result<SwapView, Failure<SwapRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        let row = store::find_swap(&tx, user, id).await?;
        row.map(SwapView::from).ok_or(Failure::Refused(SwapRefusal::SwapNotFound))
    }
}

fn limit(amount: Option<&AmountText>, field: &'static str, vendor: &VendorFacts) -> Result<Option<Tokens>, ApiError> {
    Ok(amount.map(|a| a.tokens(field, vendor.scale)).transpose()?)
}
