//! Fills a house: vendors over HTTP as their operator does it, people by SQL, tokens through the posting engine, so that the books prove.

use crate::client::{self, Connection};
use crate::market::{self, ACCOUNTS, ISSUED, Market, SCHEME, VENDORS};
use crate::server::Server;
use crate::{BenchError, Logins, Place, Tell, store};
use ledger::{Claim, Clock, Db, Engine, EngineLimits, Failure, new_id};
use scrip::posting::{Issue, Posting};
use scrip::{OperationId, Tokens, UserId, VendorId};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Issues under way at the same time: some batches' worth.
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
    let engine = Engine::start(db, clock, EngineLimits { queue_max: ISSUES_AT_ONCE, batch_max: 4_000, writers: 2 });
    let of_users = (0..market.users).flat_map(|user| (0..ACCOUNTS).map(move |account| (user, market::vendor_of(user, account))));
    let of_hot_users = (market.users..market.all_users()).flat_map(|user| [(user, 0), (user, 1)]);
    let mut under_way = JoinSet::new();
    for (number, (user, vendor)) in of_users.chain(of_hot_users).enumerate() {
        if under_way.len() >= ISSUES_AT_ONCE {
            finish_some(&mut under_way, ISSUES_AT_ONCE / 2).await?;
        }
        if number % 100_000 == 0 {
            tell(&format!("issuing tokens to account {number}"));
        }
        let vendor = usize::try_from(vendor).ok().and_then(|place| vendors.get(place)).copied();
        let vendor = vendor.ok_or_else(|| BenchError::Unreadable("a vendor is missing".to_owned()))?;
        let engine = engine.clone();
        under_way.spawn(async move { engine.post(claim(vendor, number), issue_to(user, vendor)).await });
    }
    finish_some(&mut under_way, 0).await
}

async fn finish_some<T: 'static, R: std::fmt::Display + 'static>(
    under_way: &mut JoinSet<Result<T, Failure<R>>>,
    left: usize,
) -> Result<(), BenchError> {
    while under_way.len() > left {
        match under_way.join_next().await {
            Some(Ok(Ok(_))) | None => {}
            Some(Ok(Err(Failure::Fault(fault)))) => return Err(fault.into()),
            Some(Ok(Err(Failure::Refused(refusal)))) => return Err(BenchError::Unreadable(format!("an issue was refused: {refusal}"))),
            Some(Err(panic)) => return Err(BenchError::Unreadable(format!("an issue ended early: {panic}"))),
        }
    }
    Ok(())
}

fn claim(vendor: Uuid, number: usize) -> Claim {
    Claim { actor: vendor, key: format!("seed-{number}"), request_hash: [0; 32] }
}

fn issue_to(user: u32, vendor: Uuid) -> Posting {
    Posting::Issue(Issue {
        operation: OperationId::new(new_id()),
        vendor: VendorId::new(vendor),
        user: UserId::new(market::user_id(user)),
        amount: Tokens::new(ISSUED),
    })
}
