//! Routes and bodies of accounts.

use super::{Account, Entry, Holding};
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Created, Path};
use crate::http::credential::{User, Vendor};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use scrip::Tokens;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open_account, list_accounts))
        .routes(routes!(get_account))
        .routes(routes!(list_entries))
        .routes(routes!(list_holdings))
}

/// With whom to open an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAccount {
    /// The vendor's code.
    #[schema(example = "AIRMILES")]
    vendor: String,
}

/// A user's account with a vendor.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountView {
    /// The vendor's code.
    vendor: String,
    /// What can be spent, in whole tokens.
    #[schema(example = "12.50")]
    balance: String,
    /// What is set aside for proposed trades.
    #[schema(example = "0.00")]
    held: String,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
}

impl From<Account> for AccountView {
    fn from(row: Account) -> Self {
        let Account { vendor, scale, balance, held, opened_at } = row;
        Self { vendor, balance: balance.display(scale).to_string(), held: held.display(scale).to_string(), opened_at }
    }
}

/// One line of an account, never changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// Counts the account's entries from 1, without gaps.
    seq: i64,
    /// Why the account changed: issue, convert_out, convert_in, send_out, send_in, trade_hold, trade_release, trade_out, trade_in.
    kind: String,
    /// The other half of the line: issuance (tokens came into being or ceased), account (another user's), hold (set aside).
    contra: String,
    /// Change of the balance, negative where tokens leave.
    amount: String,
    /// Change of what is held.
    held_amount: String,
    /// The balance from here on.
    balance_after: String,
    /// What is held from here on.
    held_after: String,
    /// The issue, swap or trade that it belongs to.
    operation: Uuid,
    #[schema(value_type = String, format = DateTime)]
    booked_at: Timestamp,
}

impl From<Entry> for EntryView {
    fn from(row: Entry) -> Self {
        let Entry { seq, kind, contra, scale, amount, held_amount, balance_after, held_after, operation, booked_at } = row;
        let show = |tokens: Tokens| tokens.display(scale).to_string();
        Self {
            seq,
            kind,
            contra,
            amount: show(amount),
            held_amount: show(held_amount),
            balance_after: show(balance_after),
            held_after: show(held_after),
            operation,
            booked_at,
        }
    }
}

/// An account in a vendor's token, as the vendor sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldingView {
    /// The user's id.
    user: Uuid,
    /// What the user can spend.
    balance: String,
    /// What is set aside for proposed trades.
    held: String,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
}

impl From<Holding> for HoldingView {
    fn from(row: Holding) -> Self {
        let Holding { user, scale, balance, held, opened_at } = row;
        Self { user, balance: balance.display(scale).to_string(), held: held.display(scale).to_string(), opened_at }
    }
}

/// Open an account with a vendor.
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", request_body = OpenAccount, security(("user_session" = [])),
    responses((status = 201, body = AccountView), (status = "4XX", body = ProblemView, description = "vendor_not_found, account_already_open")))]
async fn open_account(State(app): State<App>, user: User, Body(body): Body<OpenAccount>) -> Result<Created<AccountView>, ApiError> {
    Ok(Created(app.accounts.open(user.id, &body.vendor).await?.into()))
}

/// Your accounts, by vendor code.
#[utoipa::path(get, path = "/v1/accounts", tag = "accounts", params(PageParams), security(("user_session" = [])),
    responses((status = 200, body = Paged<AccountView>), (status = "4XX", body = ProblemView)))]
async fn list_accounts(State(app): State<App>, user: User, page: Page) -> Result<Json<Paged<AccountView>>, ApiError> {
    let accounts = app.accounts.list(user.id, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(accounts, |account| account.vendor.clone())))
}

/// Your account with one vendor.
#[utoipa::path(get, path = "/v1/accounts/{vendor}", tag = "accounts", params(("vendor" = String, Path, description = "the vendor's code")),
    security(("user_session" = [])),
    responses((status = 200, body = AccountView), (status = "4XX", body = ProblemView, description = "account_not_found")))]
async fn get_account(State(app): State<App>, user: User, Path(vendor): Path<String>) -> Result<Json<AccountView>, ApiError> {
    Ok(Json(app.accounts.get(user.id, &vendor).await?.into()))
}

/// The statement of your account: its entries, newest first.
#[utoipa::path(get, path = "/v1/accounts/{vendor}/entries", tag = "accounts",
    params(("vendor" = String, Path, description = "the vendor's code"), PageParams), security(("user_session" = [])),
    responses((status = 200, body = Paged<EntryView>), (status = "4XX", body = ProblemView, description = "account_not_found")))]
async fn list_entries(
    State(app): State<App>,
    user: User,
    Path(vendor): Path<String>,
    page: Page,
) -> Result<Json<Paged<EntryView>>, ApiError> {
    let entries = app.accounts.statement(user.id, &vendor, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(entries, |entry| entry.seq)))
}

/// The accounts in your token.
#[utoipa::path(get, path = "/v1/vendor/accounts", tag = "vendor", params(PageParams), security(("vendor_key" = [])),
    responses((status = 200, body = Paged<HoldingView>), (status = "4XX", body = ProblemView)))]
async fn list_holdings(State(app): State<App>, vendor: Vendor, page: Page) -> Result<Json<Paged<HoldingView>>, ApiError> {
    let holdings = app.accounts.holdings(vendor.id, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(holdings, |holding| holding.user)))
}
