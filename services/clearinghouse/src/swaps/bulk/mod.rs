//! Many swaps in one request: each line is a swap of its own, with its own key and its own answer, and spoils no other.
//!
//! Shape: [`http`] reads the lines and writes the answers; [`Swaps::create_many`] looks up all whom the lines name in one go, turns each
//! line into an order, and hands all orders to the posting engine together. [`Orderer`] says whose tokens a caller may give;
//! [`BulkLimits`] how much of this there may be at a time.

mod error;
pub mod http;

use super::error::SwapRefusal;
use super::{NewSwap, Swap, Swaps};
use crate::directory::VendorFacts;
use crate::refusal::{Answer, refuse};
use error::BulkRefusal;
use ledger::{Claim, Fault};
use scrip::posting::Posting;
use scrip::{UserId, VendorId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// Who asks for many swaps, which says whose tokens may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orderer {
    /// The operator: any user's, of any vendor.
    Operator,
    /// A vendor: any user's, of its own.
    Vendor(VendorId),
    /// A user: their own.
    User(UserId),
}

impl Orderer {
    /// Whose idempotency keys the lines bear. Operators share theirs, so that a request can be repeated with a new key of an operator.
    pub fn actor(self) -> Uuid {
        match self {
            Self::Operator => Uuid::nil(),
            Self::Vendor(id) => id.uuid(),
            Self::User(id) => id.uuid(),
        }
    }

    fn check_token(self, from: &VendorFacts) -> Result<(), BulkRefusal> {
        match self {
            Self::Vendor(own) if own != from.id => Err(BulkRefusal::TokenNotYours { vendor: from.code.to_string() }),
            Self::Operator | Self::Vendor(_) | Self::User(_) => Ok(()),
        }
    }
}

/// What a bulk request may take, and how many there may be; clones share the places.
#[derive(Debug, Clone)]
pub struct BulkLimits {
    /// Lines of one request.
    pub lines_max: usize,
    /// The body of one request, in bytes.
    pub bytes_max: usize,
    places: Arc<Semaphore>,
}

impl BulkLimits {
    /// So many lines and bytes a request, so many requests at a time.
    pub fn new(lines_max: usize, bytes_max: usize, requests_max: usize) -> Self {
        Self { lines_max, bytes_max, places: Arc::new(Semaphore::new(requests_max.min(Semaphore::MAX_PERMITS))) }
    }

    /// A place for one request, until it is dropped; refuses rather than waits.
    fn take_place(&self) -> Result<OwnedSemaphorePermit, BulkRefusal> {
        self.places.clone().try_acquire_owned().map_err(|_| BulkRefusal::Overloaded)
    }
}

/// A line as it is asked for.
#[derive(Debug)]
pub struct NewLine {
    /// Whose tokens are given, by handle or id; none in a user's own session.
    pub user: Option<String>,
    /// The swap.
    pub swap: NewSwap,
}

impl Swaps {
    /// Makes the swap of each line that the rules allow; answers each line by itself, in their order.
    pub async fn create_many(&self, by: Orderer, lines: Vec<(Claim, Answer<NewLine>)>) -> Result<Vec<Answer<(Swap, bool)>>, Fault> {
        let readable = || lines.iter().filter_map(|(_, line)| line.as_ref().ok());
        let names = self.look_up(readable()).await?;
        let postings: Vec<Answer<Posting>> = readable().map(|line| names.posting(by, line)).collect();
        let mut postings = postings.into_iter();
        let mut wish = |line: Answer<NewLine>| line.and_then(|_| postings.next().expect("there is one for each line that can be read"));
        let wishes = lines.into_iter().map(|(claim, line)| (claim, wish(line))).collect();

        let mut answers = Vec::new();
        for posted in self.postings.post_many(by.actor(), wishes).await {
            answers.push(match posted {
                Ok(posted) => self.made(posted).await,
                Err(failure) => Err(failure),
            });
        }
        Ok(answers)
    }

    /// Everybody whom the lines name, found together: one by one would take as many looks as there are lines.
    async fn look_up<'a>(&self, lines: impl Iterator<Item = &'a NewLine> + Clone) -> Result<Names<'a>, Fault> {
        let users: HashSet<&str> = lines.clone().flat_map(|line| [&line.user, &line.swap.payee]).flatten().map(String::as_str).collect();
        let vendors = lines.flat_map(|line| [line.swap.from.as_str(), line.swap.to.as_str()]);
        Ok(Names { vendors: self.directory.named_many(vendors).await?, users: self.users.find_many(users.into_iter()).await? })
    }
}

/// Whom the lines name.
struct Names<'a> {
    vendors: HashMap<&'a str, VendorFacts>,
    users: HashMap<&'a str, UserId>,
}

impl Names<'_> {
    fn posting(&self, by: Orderer, NewLine { user, swap }: &NewLine) -> Answer<Posting> {
        let (from, to) = (self.vendor("from", &swap.from)?, self.vendor("to", &swap.to)?);
        by.check_token(from).map_err(refuse)?;
        let payer = match (by, user) {
            (Orderer::User(payer), None) => payer,
            (Orderer::User(_), Some(_)) => return Err(refuse(BulkRefusal::UserNotExpected)),
            (Orderer::Operator | Orderer::Vendor(_), Some(user)) => self.user("user", user)?,
            (Orderer::Operator | Orderer::Vendor(_), None) => return Err(refuse(BulkRefusal::UserRequired)),
        };
        let payee = swap.payee.as_ref().map_or(Ok(payer), |payee| self.user("payee", payee))?;
        swap.between((payer, payee), (from, to)).map(Posting::Swap)
    }

    fn vendor(&self, field: &'static str, code: &str) -> Answer<&VendorFacts> {
        self.vendors.get(code).ok_or_else(|| refuse(SwapRefusal::VendorNotFound { field, vendor: code.to_owned() }))
    }

    fn user(&self, field: &'static str, handle_or_id: &str) -> Answer<UserId> {
        self.users.get(handle_or_id).copied().ok_or_else(|| refuse(SwapRefusal::UserNotFound { field }))
    }
}
