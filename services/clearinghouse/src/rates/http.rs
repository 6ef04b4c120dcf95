//! Routes and bodies of unit values and rates.

use super::{Indication, Kind, NewRate, NewUnitValue, Rate, UnitValueVersion, unit_value};
use crate::access::Scope;
use crate::amount::AmountText;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Created, Query};
use crate::http::credential::{Anyone, Vendor};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use scrip::rate::{Margin, PairRate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_unit_values, create_unit_value))
        .routes(routes!(list_rates, create_rate))
        .routes(routes!(get_indicative_rate))
}

/// What your token is worth from an instant on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"unit_value": "0.01"}))]
pub struct CreateUnitValue {
    /// The value of one whole token in the scheme's currency; each smallest unit must be worth whole millionths.
    #[schema(example = "0.01")]
    unit_value: AmountText,
    /// Not in the past; left out, at once.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
}

impl From<CreateUnitValue> for NewUnitValue {
    fn from(CreateUnitValue { unit_value, starts_at }: CreateUnitValue) -> Self {
        Self { unit_value, starts_at }
    }
}

/// A version of your unit value.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitValueView {
    /// The value of one whole token in the scheme's currency.
    #[schema(example = "0.01")]
    unit_value: String,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<UnitValueVersion> for UnitValueView {
    fn from(UnitValueVersion { starts_at, value, created_at, scale, digits }: UnitValueVersion) -> Self {
        Self { unit_value: unit_value::show(value, scale, digits), starts_at, created_at }
    }
}

/// What you give for another vendor's tokens from an instant on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "AIRMILES", "kind": "cross", "margin_bps": 50}))]
pub struct CreateRate {
    /// The other vendor's code.
    #[schema(example = "AIRMILES")]
    from: String,
    kind: Kind,
    /// With `fixed`: so many of their whole tokens ...
    #[schema(example = "100")]
    send: Option<AmountText>,
    /// ... buy so many of yours.
    #[schema(example = "95")]
    receive: Option<AmountText>,
    /// What you keep back, in hundredths of a percent; left out, nothing.
    #[schema(example = 50, minimum = 0, maximum = 9999)]
    margin_bps: Option<i64>,
    /// Not in the past; left out, at once.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
}

impl From<CreateRate> for NewRate {
    fn from(body: CreateRate) -> Self {
        let CreateRate { from, kind, send, receive, margin_bps, starts_at } = body;
        Self { from, kind, send, receive, margin_bps, starts_at }
    }
}

/// A version of what you give for another vendor's tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateView {
    /// Swaps made at it name it.
    id: Uuid,
    /// The other vendor's code.
    #[schema(example = "AIRMILES")]
    from: String,
    kind: Kind,
    /// So many of their whole tokens ...
    send: Option<String>,
    /// ... buy so many of yours.
    receive: Option<String>,
    /// What you keep back, in hundredths of a percent.
    margin_bps: u16,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Rate> for RateView {
    fn from(Rate { version, from, to_scale, starts_at, created_at }: Rate) -> Self {
        let (send, receive) = match version.rate {
            PairRate::Fixed { send, receive, .. } => (Some(send.display(from.scale)), Some(receive.display(to_scale))),
            PairRate::Cross { .. } | PairRate::Closed => (None, None),
        };
        Self {
            id: version.id,
            from: from.code.to_string(),
            kind: version.rate.into(),
            send: send.map(|amount| amount.to_string()),
            receive: receive.map(|amount| amount.to_string()),
            margin_bps: margin(version.rate).bps(),
            starts_at,
            created_at,
        }
    }
}

fn margin(rate: PairRate) -> Margin {
    match rate {
        PairRate::Cross { margin } | PairRate::Fixed { margin, .. } => margin,
        PairRate::Closed => Margin::default(),
    }
}

/// A pair of tokens.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PairParams {
    /// The vendor whose tokens would be given.
    #[param(example = "AIRMILES")]
    from: String,
    /// The vendor whose tokens would be received.
    #[param(example = "BEANS")]
    to: String,
}

/// What a swap would be made at just now. Not a promise: limit a swap with `min_receive` or `max_send`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IndicativeRate)]
pub struct IndicationView {
    from: String,
    to: String,
    /// `cross` by the unit values or `fixed` by the vendor of `to`.
    kind: Kind,
    /// Whole tokens of `to` for one whole token of `from`, the margin taken off; 12 decimals, rounded down.
    #[schema(example = "0.95")]
    rate: String,
    /// What the vendor of `to` keeps back, in hundredths of a percent.
    margin_bps: u16,
    /// The configured version; null where none is configured.
    version: Option<Uuid>,
    /// When this was so.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<Indication> for IndicationView {
    fn from(Indication { from, to, rate, version, at }: Indication) -> Self {
        let configured = version.map_or(PairRate::Cross { margin: Margin::default() }, |v| v.rate);
        Self {
            from: from.to_string(),
            to: to.to_string(),
            kind: configured.into(),
            rate: rate.to_string(),
            margin_bps: margin(configured).bps(),
            version: version.map(|v| v.id),
            at,
        }
    }
}

/// The versions of your unit value, latest start first.
#[utoipa::path(get, path = "/v1/vendor/unit-values", tag = "vendor", params(PageParams), security(("vendor_key" = ["rates"])),
    responses((status = 200, body = Paged<UnitValueView>), (status = "4XX", body = ProblemView)))]
async fn list_unit_values(State(app): State<App>, vendor: Vendor, page: Page) -> Result<Json<Paged<UnitValueView>>, ApiError> {
    vendor.require(Scope::Rates)?;
    let values = app.rates.list_unit_values(vendor.id, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(values, |value| value.starts_at)))
}

/// Set what your token is worth.
///
/// Swaps that were made keep the value that they were made at.
#[utoipa::path(post, path = "/v1/vendor/unit-values", tag = "vendor", request_body = CreateUnitValue, security(("vendor_key" = ["rates"])),
    responses((status = 201, body = UnitValueView), (status = "4XX", body = ProblemView,
        description = "amount_malformed, amount_zero, amount_too_many_decimals, unit_value_not_whole, starts_in_the_past, starts_at_taken")))]
async fn create_unit_value(
    State(app): State<App>,
    vendor: Vendor,
    Body(body): Body<CreateUnitValue>,
) -> Result<Created<UnitValueView>, ApiError> {
    vendor.require(Scope::Rates)?;
    Ok(Created(app.rates.create_unit_value(vendor.id, body.into()).await?.into()))
}

/// What you give for other vendors' tokens: every version, last made first.
#[utoipa::path(get, path = "/v1/vendor/rates", tag = "vendor", params(PageParams), security(("vendor_key" = ["rates"])),
    responses((status = 200, body = Paged<RateView>), (status = "4XX", body = ProblemView)))]
async fn list_rates(State(app): State<App>, vendor: Vendor, page: Page) -> Result<Json<Paged<RateView>>, ApiError> {
    vendor.require(Scope::Rates)?;
    let rates = app.rates.list_rates(vendor.id, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(rates, |rate| rate.version.id)))
}

/// Set what you give for another vendor's tokens.
///
/// You decide it, because you are compensated in full for what is taken: a margin is yours.
#[utoipa::path(post, path = "/v1/vendor/rates", tag = "vendor", request_body = CreateRate, security(("vendor_key" = ["rates"])),
    responses((status = 201, body = RateView), (status = "4XX", body = ProblemView,
        description = "vendor_not_found, same_vendor, margin_out_of_range, fixed_rate_incomplete, fixed_rate_only, amount_malformed, amount_zero, \
            starts_in_the_past, starts_at_taken")))]
async fn create_rate(State(app): State<App>, vendor: Vendor, Body(body): Body<CreateRate>) -> Result<Created<RateView>, ApiError> {
    vendor.require(Scope::Rates)?;
    Ok(Created(app.rates.create_rate(vendor.id, body.into()).await?.into()))
}

/// The rate between two tokens just now.
#[utoipa::path(get, path = "/v1/rates", tag = "vendors", params(PairParams),
    security(("operator_key" = []), ("vendor_key" = []), ("user_session" = [])),
    responses((status = 200, body = IndicationView),
        (status = "4XX", body = ProblemView, description = "vendor_not_found, same_vendor, no_rate, no_common_scheme")))]
async fn get_indicative_rate(
    State(app): State<App>,
    _: Anyone,
    Query(PairParams { from, to }): Query<PairParams>,
) -> Result<Json<IndicationView>, ApiError> {
    Ok(Json(app.rates.indicate(&from, &to).await?.into()))
}
