//! Fills a house: vendors over HTTP as their operator does it, people by SQL, tokens through the posting engine, so that the books prove.

use crate::client::{self, Connection};
use crate::market::{self, ACCOUNTS, ISSUED, Market, SCHEME, VENDORS};
use crate::server::Server;
use crate::{BenchError, Logins, Place, Tell, store};
use ledger::{Claim, Clock, Db, Engine, EngineLimits, Failure, PostRefusal, new_id};
use scrip::posting::{Issue, Posting};
use scrip::{OperationId, Tokens, UserId, VendorId};
use serde_json::json;
use uuid::Uuid;

/// Issues that wait at the same time: some batches' worth.
const ISSUES_AT_ONCE: usize = 16_000;

/// A house that is full, and how its operator signs in.
#[derive(Debug, Clone)]
pub(crate) struct House {
    pub(crate) logins: Logins,
    pub(crate) market: Market,
    pub(crate) operator_key: String,
    /// By their numbers.
    pub(crate) vendors: Vec<Uuid>,
}

/// Fills a migrated, empty database.
pub(crate) async fn fill(place: &Place, logins: Logins, market: Market, tell: Tell<'_>) -> Result<House, BenchError> {
    tell("onboarding vendors");
    let operator_key = onboard(place, &logins).await?;
    tell("opening accounts");
    let admin = store::connect(&logins.admin_url).await?;
    store::insert_people(&admin, market).await?;
    let vendors = store::list_vendors(&admin).await?;
    issue(&logins, market, &vendors, tell).await?;
    tell("settling down");
    store::settle_down(&admin).await?;
    Ok(House { logins, market, operator_key, vendors })
}

/// One scheme and all vendors, through a server of its own that ends again.
async fn onboard(place: &Place, logins: &Logins) -> Result<String, BenchError> {
    let server = Server::start(place, &logins.server_url, &[]).await?;
    let keyless = || BenchError::Unreadable("the server printed no operator's key".to_owned());
    let key = server.operator_key.clone().ok_or_else(keyless)?;
    let mut connection = Connection::open(server.address).await?;
    let scheme = json!({"code": SCHEME, "currency": "EUR", "strategy": "direct"});
    connection.call(client::post("/v1/schemes", &key, None, "application/json", scheme.to_string())).await?;
    for vendor in 0..VENDORS {
        let code = market::vendor_code(vendor);
        let body = json!({"code": code, "name": code, "scale": 2, "unit_value": market::unit_value(vendor), "scheme": SCHEME});
        connection.call(client::post("/v1/vendors", &key, None, "application/json", body.to_string())).await?;
    }
    drop(connection);
    server.stop().await?;
    Ok(key)
}

/// Every account gets its tokens.
async fn issue(logins: &Logins, market: Market, vendors: &[Uuid], tell: Tell<'_>) -> Result<(), BenchError> {
    let clock = Clock::system();
    let db = Db::connect(&logins.server_url, 4).await?;
    let engine = Engine::start(&db, clock, EngineLimits { queue_max: ISSUES_AT_ONCE, batch_max: 4_000, writers: 2 });
    let of_users = (0..market.users).flat_map(|user| (0..ACCOUNTS).map(move |account| (user, market::vendor_of(user, account))));
    let of_hot_users = (market.users..market.all_users()).flat_map(|user| [(user, 0), (user, 1)]);
    let all: Vec<(u32, u32)> = of_users.chain(of_hot_users).collect();
    for (number, chunk) in all.chunks(ISSUES_AT_ONCE).enumerate() {
        tell(&format!("issuing tokens: account {} of {}", number * ISSUES_AT_ONCE, all.len()));
        let mut postings = Vec::new();
        for (user, vendor) in chunk {
            let vendor = usize::try_from(*vendor).ok().and_then(|place| vendors.get(place)).copied();
            let vendor = vendor.ok_or_else(|| BenchError::Unreadable("a vendor is missing".to_owned()))?;
            postings.push((claim(vendor, *user), issue_to(*user, vendor)));
        }
        for outcome in engine.post_many(postings).await {
            outcome.map_err(unissued)?;
        }
    }
    Ok(())
}

fn unissued(failure: Failure<PostRefusal>) -> BenchError {
    match failure {
        Failure::Fault(fault) => fault.into(),
        Failure::Refused(refusal) => BenchError::Unreadable(format!("an issue was refused: {refusal}")),
    }
}

fn claim(vendor: Uuid, user: u32) -> Claim {
    Claim { actor: vendor, key: format!("first tokens of {user}"), request_hash: [0; 32] }
}

fn issue_to(user: u32, vendor: Uuid) -> Posting {
    Posting::Issue(Issue {
        operation: OperationId::new(new_id()),
        vendor: VendorId::new(vendor),
        user: UserId::new(market::user_id(user)),
        amount: Tokens::new(ISSUED),
    })
}
