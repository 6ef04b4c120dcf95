//! Routes and bodies of swaps.

use super::{NewSwap, Swap};
use crate::amount::{AmountText, ShownAmount};
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Path, Posted};
use crate::http::credential::User;
use crate::http::idempotency::{IdempotencyKey, Keyed};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use scrip::Code;
use scrip::posting::Swapped;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_swap, list_swaps)).routes(routes!(preview_swap)).routes(routes!(get_swap))
}

/// One token for another. Fix exactly one side: `send` (only what is used is taken) or `receive` (exact).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "AIRMILES", "to": "BEANS", "send": "100"}))]
pub struct CreateSwap {
    /// The vendor whose tokens you give.
    #[schema(example = "AIRMILES")]
    from: String,
    /// The vendor whose tokens are received.
    #[schema(example = "BEANS")]
    to: String,
    /// At most this much is taken, in whole tokens of `from`.
    send: Option<AmountText>,
    /// Exactly this much is received, in whole tokens of `to`.
    receive: Option<AmountText>,
    /// The handle or id of the user who receives; left out, you do.
    payee: Option<String>,
    /// Refuse rather than receive less than this.
    min_receive: Option<AmountText>,
    /// Refuse rather than send more than this.
    max_send: Option<AmountText>,
}

impl From<CreateSwap> for NewSwap {
    fn from(body: CreateSwap) -> Self {
        let CreateSwap { from, to, send, receive, payee, min_receive, max_send } = body;
        Self { from, to, send, receive, payee, min_receive, max_send }
    }
}

/// A swap as it was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct SwapView {
    id: Uuid,
    #[serde(flatten)]
    figures: SwapFiguresView,
    /// The settlement window that the debt falls into.
    window: Uuid,
    #[schema(value_type = String, format = DateTime)]
    booked_at: Timestamp,
}

/// What a swap comes to.
#[derive(Debug, Serialize, ToSchema)]
pub struct SwapFiguresView {
    /// `convert` within one user, `send` to another.
    kind: &'static str,
    /// The payer's user id.
    payer: Uuid,
    /// The payee's user id.
    payee: Uuid,
    /// The vendor whose tokens were retired.
    #[schema(value_type = String)]
    from: Code,
    /// The vendor whose tokens were issued.
    #[schema(value_type = String)]
    to: Code,
    /// Retired, in whole tokens.
    #[schema(value_type = String, example = "9.00")]
    send: ShownAmount,
    /// Issued, in whole tokens.
    #[schema(value_type = String, example = "3.00")]
    receive: ShownAmount,
    /// The version id of the configured rate that it was made at; null where none is configured and the unit values crossed.
    rate: Option<Uuid>,
    /// The value of the tokens taken, in the scheme's currency: `to_vendor + house_fee + source_margin + rounding`.
    #[schema(value_type = String, example = "0.090000")]
    value: ShownAmount,
    /// What `from` now owes `to`, in the scheme's currency.
    #[schema(value_type = String)]
    to_vendor: ShownAmount,
    /// What the house keeps, in the scheme's currency.
    #[schema(value_type = String)]
    house_fee: ShownAmount,
    /// What `from` keeps, in the scheme's currency.
    #[schema(value_type = String)]
    source_margin: ShownAmount,
    /// What a division left over, in the scheme's currency.
    #[schema(value_type = String)]
    rounding: ShownAmount,
}

impl From<Swap> for SwapView {
    fn from(swap: Swap) -> Self {
        let Swapped { id, window, booked_at, .. } = swap.swapped;
        Self { id: id.uuid(), window: window.uuid(), booked_at, figures: swap.into() }
    }
}

impl From<Swap> for SwapFiguresView {
    fn from(Swap { swapped: swap, from, to }: Swap) -> Self {
        Self {
            kind: swap.kind(),
            payer: swap.payer.uuid(),
            payee: swap.payee.uuid(),
            send: ShownAmount::tokens(swap.send, from.scale),
            receive: ShownAmount::tokens(swap.receive, to.scale),
            from: from.code,
            to: to.code,
            rate: swap.rate_id,
            value: ShownAmount::micro(swap.figures.value),
            to_vendor: ShownAmount::micro(swap.figures.to_vendor),
            house_fee: ShownAmount::micro(swap.figures.house_fee),
            source_margin: ShownAmount::micro(swap.figures.source_margin),
            rounding: ShownAmount::micro(swap.figures.rounding),
        }
    }
}

/// Convert your tokens, or send them to another user in another token.
#[utoipa::path(post, path = "/v1/swaps", tag = "swaps", params(IdempotencyKey), request_body = CreateSwap, security(("user_session" = [])),
    responses((status = 201, body = SwapView), (status = "4XX", body = ProblemView,
        description = "one_side_fixed, amount_malformed, amount_too_many_decimals, amount_zero, same_vendor, vendor_not_found, user_not_found, \
            account_not_found, insufficient_tokens, switched_off, vendor_suspended, no_rate, no_common_scheme, amount_too_small, \
            amount_too_large, below_min_receive, above_max_send, window_full, debit_cap_exceeded, bilateral_cap_exceeded"),
        (status = 503, body = ProblemView, description = "overloaded: nothing moved, try again")))]
async fn create_swap(State(app): State<App>, user: User, request: Keyed<CreateSwap>) -> Result<Posted<SwapView>, ApiError> {
    let claim = request.claim(user.id.uuid());
    let (swap, replayed) = app.swaps.create(user.id, claim, request.body.map(NewSwap::from)).await?;
    Ok(Posted::created(replayed, swap.into()))
}

/// See what a swap would come to now, by the same rules. Nothing is swapped, held or stored, and no price is kept: rates, balances and caps may change before
/// you swap, so say `min_receive` or `max_send` then. One that would be refused is refused here in the same words.
#[utoipa::path(post, path = "/v1/swaps/preview", tag = "swaps", request_body = CreateSwap, security(("user_session" = [])),
    responses((status = 200, body = SwapFiguresView),
        (status = "4XX", body = ProblemView, description = "the codes of POST /v1/swaps, but for those of idempotency keys"),
        (status = 503, body = ProblemView, description = "overloaded: too many look at once")))]
async fn preview_swap(State(app): State<App>, user: User, Body(body): Body<CreateSwap>) -> Result<Json<SwapFiguresView>, ApiError> {
    Ok(Json(app.swaps.preview(user.id, body.into()).await?.into()))
}

/// Your swaps, as payer or payee, newest first.
#[utoipa::path(get, path = "/v1/swaps", tag = "swaps", params(PageParams), security(("user_session" = [])),
    responses((status = 200, body = Paged<SwapView>), (status = "4XX", body = ProblemView)))]
async fn list_swaps(State(app): State<App>, user: User, page: Page) -> Result<Json<Paged<SwapView>>, ApiError> {
    let swaps = app.swaps.list(user.id, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(swaps, |swap| swap.swapped.id)))
}

/// One of your swaps.
#[utoipa::path(get, path = "/v1/swaps/{id}", tag = "swaps", params(("id" = Uuid, Path)), security(("user_session" = [])),
    responses((status = 200, body = SwapView), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn get_swap(State(app): State<App>, user: User, Path(id): Path<Uuid>) -> Result<Json<SwapView>, ApiError> {
    Ok(Json(app.swaps.get(user.id, id).await?.into()))
}
