//! Routes and bodies of schemes.

use super::{Change, MEMBERS_AT_ONCE_MAX, NewScheme, Scheme, SchemeRefusal};
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Created, Path};
use crate::http::credential::Operator;
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use crate::http::version::{IfMatch, IfMatchHeader, Versioned};
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use netting::Strategy;
use runs::Approval;
use scrip::{Code, Scale};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most currencies have two.
const DIGITS_DEFAULT: i64 = 2;

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
    /// Who agrees to a run before it is paid: second_person (what happens if nothing is said), or auto for nobody.
    #[schema(example = "second_person")]
    approval: Option<String>,
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
        let approval = self.approval.as_deref().map_or(Ok(Approval::SecondPerson), read_approval)?;
        let digits = Scale::try_new(self.digits.unwrap_or(DIGITS_DEFAULT)).ok_or(SchemeRefusal::DigitsOutOfRange)?;
        let mut members = self.members.unwrap_or_default();
        members.sort_unstable();
        members.dedup();
        if members.len() > MEMBERS_AT_ONCE_MAX {
            return Err(SchemeRefusal::TooManyMembers { max: MEMBERS_AT_ONCE_MAX });
        }
        Ok(NewScheme { code, currency: self.currency, digits, strategy, approval, members })
    }
}

fn read_approval(name: &str) -> Result<Approval, SchemeRefusal> {
    Approval::parse(name).ok_or(SchemeRefusal::ApprovalUnknown)
}

/// What is changed of a scheme; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"strategy": "conservative"}))]
pub struct UpdateScheme {
    /// How obligations become transfers, from the next run on.
    strategy: Option<String>,
    /// Who agrees to a run: second_person or auto; from the next run on.
    approval: Option<String>,
}

impl UpdateScheme {
    fn into_change(self) -> Result<Change, SchemeRefusal> {
        let strategy = self.strategy.map(|name| name.parse().map_err(SchemeRefusal::StrategyUnknown)).transpose()?;
        Ok(Change { strategy, approval: self.approval.as_deref().map(read_approval).transpose()? })
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
    /// Who agrees to a run before it is paid.
    #[schema(example = "second_person")]
    approval: String,
    /// Also the `ETag`.
    version: i64,
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
            approval,
            version,
            created_at,
            window_number,
            window_opened_at,
            member_count,
            members,
        } = scheme;
        let window = OpenWindowView { number: window_number, opened_at: window_opened_at };
        let (code, approval, digits) = (code.to_string(), approval.as_str().to_owned(), digits.decimals());
        Self { code, currency, digits, strategy, approval, version, members, member_count, window, created_at }
    }
}

/// Create a scheme. Its window 1 opens at once.
#[utoipa::path(post, path = "/v1/schemes", tag = "operator", request_body = CreateScheme, security(("operator_key" = [])),
    responses((status = 201, body = SchemeView), (status = "4XX", body = ProblemView,
        description = "code_malformed, scheme_code_taken, currency_malformed, strategy_unknown, approval_unknown, digits_out_of_range, too_many_members, vendor_not_found, already_member")))]
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
    responses((status = 200, body = SchemeView, headers(("ETag" = String, description = "the version"))),
        (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn get_scheme(State(app): State<App>, _: Operator, Path(scheme): Path<String>) -> Result<Versioned<SchemeView>, ApiError> {
    Ok(versioned(app.schemes.get(&scheme).await?))
}

fn versioned(scheme: Scheme) -> Versioned<SchemeView> {
    Versioned { version: scheme.version, view: scheme.into() }
}

/// Change how the scheme's next runs are made. Those that are there stay as they are.
#[utoipa::path(patch, path = "/v1/schemes/{scheme}", tag = "operator", request_body = UpdateScheme,
    params(("scheme" = String, Path, description = "the scheme's code"), IfMatchHeader), security(("operator_key" = [])),
    responses((status = 200, body = SchemeView, headers(("ETag" = String, description = "the version"))),
        (status = "4XX", body = ProblemView,
            description = "scheme_not_found, if_match_required, version_mismatch, strategy_unknown, approval_unknown")))]
async fn update_scheme(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    expected: IfMatch,
    Body(body): Body<UpdateScheme>,
) -> Result<Versioned<SchemeView>, ApiError> {
    let change = body.into_change()?;
    Ok(versioned(app.schemes.update(&scheme, |version| expected.matches(version), &change).await?))
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
