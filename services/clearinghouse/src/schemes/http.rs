//! Routes and bodies of schemes.

use super::{MEMBERS_AT_ONCE_MAX, NewScheme, Scheme, SchemeRefusal, check_threshold};
use crate::amount::{AmountText, ShownAmount};
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Created, Path};
use crate::http::credential::Operator;
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use netting::Strategy;
use scrip::{Code, Scale};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most currencies have two.
const DIGITS_DEFAULT: i64 = 2;

/// As the field is called.
const THRESHOLD: &str = "settle_threshold";

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_scheme, list_schemes)).routes(routes!(get_scheme, update_scheme)).routes(routes!(add_member))
}

/// A scheme to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "EUROPE", "currency": "EUR", "strategy": "direct"}))]
pub struct CreateScheme {
    /// Names the scheme, for ever.
    #[schema(example = "EUROPE", pattern = "^[A-Z0-9][A-Z0-9_-]{1,31}$")]
    code: String,
    /// ISO 4217.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    currency: String,
    /// The decimals that payments have; 2 where nothing is said. What is finer is carried into the next window.
    #[schema(minimum = 0, maximum = 6)]
    digits: Option<i64>,
    /// How obligations become transfers: gross, bilateral, conservative, direct or hub.
    #[schema(example = "direct")]
    strategy: String,
    /// The scheme settles off its schedules, and once a window, when a vendor owes more than this on balance in the open window; at least
    /// the smallest payment of its currency. Left out: it does not.
    #[schema(example = "10000.00")]
    settle_threshold: Option<AmountText>,
    /// The codes of its first members, at most 200.
    members: Option<Vec<String>>,
}

impl CreateScheme {
    fn into_scheme(self) -> Result<NewScheme, SchemeRefusal> {
        let code = Code::parse(&self.code).map_err(|_| SchemeRefusal::CodeMalformed)?;
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(SchemeRefusal::CurrencyMalformed);
        }
        let strategy = self.strategy.parse().map_err(SchemeRefusal::StrategyUnknown)?;
        let digits = Scale::try_new(self.digits.unwrap_or(DIGITS_DEFAULT)).ok_or(SchemeRefusal::DigitsOutOfRange)?;
        let settle_threshold = self.settle_threshold.map(|threshold| threshold.micro(THRESHOLD)).transpose()?;
        if let Some(threshold) = settle_threshold {
            check_threshold(threshold, digits)?;
        }
        let mut members = self.members.unwrap_or_default();
        members.sort_unstable();
        members.dedup();
        if members.len() > MEMBERS_AT_ONCE_MAX {
            return Err(SchemeRefusal::TooManyMembers { max: MEMBERS_AT_ONCE_MAX });
        }
        Ok(NewScheme { code, currency: self.currency, digits, strategy, settle_threshold, members })
    }
}

/// A scheme.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemeView {
    #[schema(example = "EUROPE")]
    code: String,
    #[schema(example = "EUR")]
    currency: String,
    /// The decimals that payments have.
    digits: u8,
    /// How obligations become transfers.
    #[schema(value_type = String, example = "direct")]
    strategy: Strategy,
    /// It settles off its schedules when a vendor owes more than this on balance in the open window; null: it does not.
    #[schema(value_type = Option<String>, example = "10000.000000")]
    settle_threshold: Option<ShownAmount>,
    /// The first 200 members by code.
    members: Vec<String>,
    /// How many there are.
    member_count: i64,
    /// The open window.
    window: OpenWindowView,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// The window that takes obligations now.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenWindowView {
    /// Counts the scheme's windows from 1.
    number: i64,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
}

impl From<Scheme> for SchemeView {
    fn from(scheme: Scheme) -> Self {
        let Scheme {
            id: _,
            code,
            currency,
            digits,
            strategy,
            settle_threshold,
            created_at,
            window_number,
            window_opened_at,
            member_count,
            members,
        } = scheme;
        let window = OpenWindowView { number: window_number, opened_at: window_opened_at };
        let (code, digits, settle_threshold) = (code.to_string(), digits.decimals(), settle_threshold.map(ShownAmount::micro));
        Self { code, currency, digits, strategy, settle_threshold, members, member_count, window, created_at }
    }
}

/// Create a scheme. Its window 1 opens at once.
#[utoipa::path(post, path = "/v1/schemes", tag = "operator", request_body = CreateScheme, security(("operator_key" = [])),
    responses((status = 201, body = SchemeView), (status = "4XX", body = ProblemView,
        description = "code_malformed, scheme_code_taken, currency_malformed, strategy_unknown, digits_out_of_range, threshold_too_small, amount_malformed, too_many_members, vendor_not_found, already_member")))]
async fn create_scheme(State(app): State<App>, _: Operator, Body(body): Body<CreateScheme>) -> Result<Created<SchemeView>, ApiError> {
    let scheme = app.schemes.create(body.into_scheme()?).await?;
    Ok(Created(scheme.into()))
}

/// All schemes, by code.
#[utoipa::path(get, path = "/v1/schemes", tag = "operator", params(PageParams), security(("operator_key" = [])),
    responses((status = 200, body = Paged<SchemeView>), (status = "4XX", body = ProblemView)))]
async fn list_schemes(State(app): State<App>, _: Operator, page: Page) -> Result<Json<Paged<SchemeView>>, ApiError> {
    let schemes = app.schemes.list(page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(schemes, |scheme| scheme.code.clone())))
}

/// One scheme.
#[utoipa::path(get, path = "/v1/schemes/{scheme}", tag = "operator", params(("scheme" = String, Path, description = "the scheme's code")),
    security(("operator_key" = [])),
    responses((status = 200, body = SchemeView), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn get_scheme(State(app): State<App>, _: Operator, Path(scheme): Path<String>) -> Result<Json<SchemeView>, ApiError> {
    Ok(Json(app.schemes.get(&scheme).await?.into()))
}

/// What changes of a scheme.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"settle_threshold": "10000.00"}))]
pub struct UpdateScheme {
    /// The scheme settles off its schedules when a vendor owes more than this on balance in the open window; null: it does not.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, example = "10000.00")]
    settle_threshold: Option<AmountText>,
}

/// Change from what debt on a scheme settles off its schedules.
#[utoipa::path(patch, path = "/v1/schemes/{scheme}", tag = "operator", request_body = UpdateScheme,
    params(("scheme" = String, Path, description = "the scheme's code")), security(("operator_key" = [])),
    responses((status = 200, body = SchemeView), (status = "4XX", body = ProblemView,
        description = "scheme_not_found, threshold_too_small, amount_malformed, amount_zero, amount_too_many_decimals, amount_too_large")))]
async fn update_scheme(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    Body(body): Body<UpdateScheme>,
) -> Result<Json<SchemeView>, ApiError> {
    let threshold = body.settle_threshold.map(|threshold| threshold.micro(THRESHOLD)).transpose()?;
    Ok(Json(app.schemes.update_threshold(&scheme, threshold).await?.into()))
}

/// A vendor to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddMember {
    /// The vendor's code.
    #[schema(example = "AIRMILES")]
    vendor: String,
}

/// Add a vendor to a scheme. A vendor settles in one scheme and stays in it.
#[utoipa::path(post, path = "/v1/schemes/{scheme}/members", tag = "operator", request_body = AddMember,
    params(("scheme" = String, Path, description = "the scheme's code")), security(("operator_key" = [])),
    responses((status = 201, body = SchemeView),
        (status = "4XX", body = ProblemView, description = "scheme_not_found, vendor_not_found, already_member")))]
async fn add_member(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    Body(body): Body<AddMember>,
) -> Result<Created<SchemeView>, ApiError> {
    let scheme = app.schemes.add_member(&scheme, &body.vendor).await?;
    Ok(Created(scheme.into()))
}
