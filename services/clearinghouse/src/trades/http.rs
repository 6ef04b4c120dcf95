//! Routes and bodies of trades.

use super::{NamedTrade, NewLeg, NewTrade, Reply};
use crate::amount::AmountText;
use crate::app::App;
use crate::directory::VendorFacts;
use crate::http::api_error::ApiError;
use crate::http::body::{Nothing, Path, Posted};
use crate::http::credential::User;
use crate::http::idempotency::{IdempotencyKey, Keyed};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use scrip::Tokens;
use scrip::posting::TradeStep;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(propose_trade, list_trades))
        .routes(routes!(get_trade))
        .routes(routes!(accept_trade))
        .routes(routes!(decline_trade))
        .routes(routes!(cancel_trade))
}

/// An exchange of exact amounts with a named user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "with": "bob", "give": {"vendor": "AIRMILES", "amount": "50"}, "take": {"vendor": "BEANS", "amount": "1"}
}))]
pub struct ProposeTrade {
    /// The handle or id of the user who may accept.
    #[schema(example = "bob")]
    with: String,
    /// What you give; it is held until the trade ends.
    give: LegBody,
    /// What you take.
    take: LegBody,
    /// How long the proposal stands: 1 to 2,592,000 (30 days); 604,800 (7 days) where nothing is said.
    #[schema(example = 3600)]
    expires_in_seconds: Option<i64>,
}

/// An amount of one vendor's token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegBody {
    /// The vendor's code.
    #[schema(example = "AIRMILES")]
    vendor: String,
    /// In whole tokens.
    amount: AmountText,
}

impl From<LegBody> for NewLeg {
    fn from(LegBody { vendor, amount }: LegBody) -> Self {
        Self { vendor, amount }
    }
}

impl From<ProposeTrade> for NewTrade {
    fn from(body: ProposeTrade) -> Self {
        let ProposeTrade { with, give, take, expires_in_seconds } = body;
        Self { with, give: give.into(), take: take.into(), expires_in_seconds }
    }
}

/// An amount of one vendor's token.
#[derive(Debug, Serialize, ToSchema)]
pub struct LegView {
    /// The vendor's code.
    vendor: String,
    /// In whole tokens.
    #[schema(example = "30.00")]
    amount: String,
}

/// A trade and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct TradeView {
    id: Uuid,
    /// proposed, accepted, declined, cancelled or expired; everything but proposed is final.
    state: String,
    /// The proposer's user id.
    proposer: Uuid,
    /// The user id of who may accept.
    acceptor: Uuid,
    /// What the proposer gives.
    give: LegView,
    /// What the proposer takes.
    take: LegView,
    /// From then on it can no longer be accepted.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it came into its state.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl From<NamedTrade> for TradeView {
    fn from(NamedTrade { step, give, take }: NamedTrade) -> Self {
        let TradeStep { trade, state, booked_at } = step;
        let leg = |vendor: VendorFacts, amount: Tokens| LegView {
            vendor: vendor.code.to_string(),
            amount: amount.display(vendor.scale).to_string(),
        };
        Self {
            id: trade.id.uuid(),
            state: state.as_str().to_owned(),
            proposer: trade.proposer.uuid(),
            acceptor: trade.acceptor.uuid(),
            give: leg(give, trade.give.amount),
            take: leg(take, trade.take.amount),
            expires_at: trade.expires_at,
            since: booked_at,
        }
    }
}

/// Propose a trade; what you give is held until it ends.
#[utoipa::path(post, path = "/v1/trades", tag = "trades", params(IdempotencyKey), request_body = ProposeTrade, security(("user_session" = [])),
    responses((status = 201, body = TradeView), (status = "4XX", body = ProblemView,
        description = "amount_malformed, amount_too_many_decimals, amount_zero, amount_too_large, same_user, same_vendor, vendor_not_found, user_not_found, account_not_found, insufficient_tokens, expiry_out_of_range")))]
async fn propose_trade(State(app): State<App>, user: User, request: Keyed<ProposeTrade>) -> Result<Posted<TradeView>, ApiError> {
    let claim = request.claim(user.id.uuid());
    let (trade, replayed) = app.trades.propose(user.id, claim, request.body.map(NewTrade::from)).await?;
    Ok(Posted::created(replayed, trade.into()))
}

/// Your trades, as proposer or acceptor, newest first.
#[utoipa::path(get, path = "/v1/trades", tag = "trades", params(PageParams), security(("user_session" = [])),
    responses((status = 200, body = Paged<TradeView>), (status = "4XX", body = ProblemView)))]
async fn list_trades(State(app): State<App>, user: User, page: Page) -> Result<Json<Paged<TradeView>>, ApiError> {
    let trades = app.trades.list(user.id, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(trades, |trade| trade.step.trade.id)))
}

/// One of your trades.
#[utoipa::path(get, path = "/v1/trades/{id}", tag = "trades", params(("id" = Uuid, Path)), security(("user_session" = [])),
    responses((status = 200, body = TradeView), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn get_trade(State(app): State<App>, user: User, Path(id): Path<Uuid>) -> Result<Json<TradeView>, ApiError> {
    Ok(Json(app.trades.get(user.id, id).await?.into()))
}

/// Accept a trade that was proposed to you: both legs move at once.
#[utoipa::path(post, path = "/v1/trades/{id}/accept", tag = "trades", params(("id" = Uuid, Path), IdempotencyKey), security(("user_session" = [])),
    responses((status = 200, body = TradeView), (status = "4XX", body = ProblemView,
        description = "not_found, trade_not_yours, trade_ended, trade_expired, insufficient_tokens")))]
async fn accept_trade(request: ReplyRequest) -> Result<Posted<TradeView>, ApiError> {
    reply_to_trade(request, Reply::Accept).await
}

/// Decline a trade that was proposed to you; what was held goes back.
#[utoipa::path(post, path = "/v1/trades/{id}/decline", tag = "trades", params(("id" = Uuid, Path), IdempotencyKey), security(("user_session" = [])),
    responses((status = 200, body = TradeView), (status = "4XX", body = ProblemView, description = "not_found, trade_not_yours, trade_ended")))]
async fn decline_trade(request: ReplyRequest) -> Result<Posted<TradeView>, ApiError> {
    reply_to_trade(request, Reply::Decline).await
}

/// Take back a trade that you proposed; what was held goes back.
#[utoipa::path(post, path = "/v1/trades/{id}/cancel", tag = "trades", params(("id" = Uuid, Path), IdempotencyKey), security(("user_session" = [])),
    responses((status = 200, body = TradeView), (status = "4XX", body = ProblemView, description = "not_found, trade_not_yours, trade_ended")))]
async fn cancel_trade(request: ReplyRequest) -> Result<Posted<TradeView>, ApiError> {
    reply_to_trade(request, Reply::Cancel).await
}

/// Who replies to which trade; the path says how.
type ReplyRequest = (State<App>, User, Path<Uuid>, Keyed<Nothing>);

async fn reply_to_trade((State(app), user, Path(id), request): ReplyRequest, reply: Reply) -> Result<Posted<TradeView>, ApiError> {
    let claim = request.claim(user.id.uuid());
    let (trade, replayed) = app.trades.reply(user.id, id, claim, request.body.map(|Nothing {}| reply)).await?;
    Ok(Posted::done(replayed, trade.into()))
}
