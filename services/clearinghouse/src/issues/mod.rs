//! A vendor issues its tokens to a user's account.

mod error;
pub mod http;

use crate::amount::AmountText;
use crate::directory::{Directory, VendorFacts};
use crate::postings::Postings;
use crate::refusal::{Answer, refuse};
use crate::users::Users;
use error::IssueRefusal;
use ledger::{Claim, Fault, new_id};
use scrip::posting::{Issue, Issued, Posting, Receipt};
use scrip::{OperationId, VendorId};

/// Tokens for a user, as they are asked for.
#[derive(Debug)]
pub struct NewIssue {
    /// The user's handle or id.
    pub user: String,
    /// In whole tokens.
    pub amount: AmountText,
}

/// Issuing tokens.
#[derive(Debug, Clone)]
pub struct Issues {
    postings: Postings,
    users: Users,
    directory: Directory,
}

/// What was issued, now or when the key was first used.
#[derive(Debug)]
pub struct IssueMade {
    /// What the ledger says of it.
    pub issued: Issued,
    /// Whose token.
    pub vendor: VendorFacts,
    /// The key had been used for it before.
    pub replayed: bool,
}

impl Issues {
    /// Issues through these postings, to these users.
    pub fn new(postings: Postings, users: Users, directory: Directory) -> Self {
        Self { postings, users, directory }
    }

    /// Issues; answers the first answer again where the key was used before.
    pub async fn issue(&self, vendor: VendorId, claim: Claim, new: Answer<NewIssue>) -> Answer<IssueMade> {
        let posted = self.postings.post(claim, self.wish(vendor, new).await).await?;
        let Receipt::Issued(issued) = posted.receipt else { return Err(Fault::Unreadable("an issue's answer".to_owned()).into()) };
        let vendor = self.directory.get(issued.vendor).await?;
        Ok(IssueMade { issued, vendor, replayed: posted.replayed })
    }

    async fn wish(&self, vendor: VendorId, new: Answer<NewIssue>) -> Answer<Posting> {
        let NewIssue { user, amount } = new?;
        let amount = amount.tokens("amount", self.directory.get(vendor).await?.scale).map_err(refuse)?;
        let user = self.users.find(&user).await?.ok_or_else(|| refuse(IssueRefusal::UserNotFound))?;
        Ok(Posting::Issue(Issue { operation: OperationId::new(new_id()), vendor, user, amount }))
    }
}
