//! A vendor issues its tokens to a user's account.

mod error;
pub mod http;

use crate::http::idempotency::Keyed;
use crate::http::problem::ApiError;
use crate::postings::Postings;
use crate::users::Users;
use crate::vendors::Directory;
use error::IssueRefusal;
use http::{CreateIssue, IssueView};
use ledger::{Fault, new_id};
use scrip::posting::{Issue, Posting, Receipt};
use scrip::{OperationId, VendorId};

/// Issuing tokens.
#[derive(Debug, Clone)]
pub struct Issues {
    postings: Postings,
    users: Users,
    directory: Directory,
}

impl Issues {
    /// Issues through these postings, to these users.
    pub fn new(postings: Postings, users: Users, directory: Directory) -> Self {
        Self { postings, users, directory }
    }

    /// Issues; answers the first answer again where the key was used before.
    pub async fn issue(&self, vendor: VendorId, request: Keyed<CreateIssue>) -> Result<(IssueView, bool), ApiError> {
        let claim = request.claim(vendor.uuid());
        let posted = self.postings.post(claim, self.wish(vendor, request.body).await).await?;
        let Receipt::Issued(issued) = posted.receipt else { return Err(Fault::Unreadable("an issue's answer".to_owned()).into()) };
        let facts = self.directory.get(issued.vendor).await?;
        Ok((IssueView::new(&issued, &facts), posted.replayed))
    }

    async fn wish(&self, vendor: VendorId, body: Result<CreateIssue, ApiError>) -> Result<Posting, ApiError> {
        let CreateIssue { user, amount } = body?;
        let amount = amount.tokens("amount", self.directory.get(vendor).await?.scale)?;
        let user = self.users.find(&user).await?.ok_or(IssueRefusal::UserNotFound)?;
        Ok(Posting::Issue(Issue { operation: OperationId::new(new_id()), vendor, user, amount }))
    }
}
