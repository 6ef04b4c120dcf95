//! Routes and bodies of schemes; those of their members are in [`members`].

mod members;

use super::{Change, HOURS_MAX, MEMBERS_AT_ONCE_MAX, NewScheme, Scheme, SchemeRefusal, check_threshold};
use crate::amount::{AmountRefusal, AmountText, ShownAmount};
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
use netting::clearing::Rule;
use runs::Approval;
use scrip::{AmountError, Code, Micro, Scale};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most currencies have two.
const DIGITS_DEFAULT: i64 = 2;

/// As the field is called.
const THRESHOLD: &str = "settle_threshold";

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_scheme, list_schemes))
        .routes(routes!(get_scheme, update_scheme))
        .routes(routes!(add_member))
        .merge(members::routes())
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
    /// How obligations become transfers: gross, bilateral, conservative, direct, fewest or hub.
    #[schema(example = "direct")]
    strategy: String,
    /// No transfer is smaller: what a smaller one would have moved is carried. Zero, or nothing said: every one is made.
    #[schema(example = "1.00")]
    min_transfer: Option<AmountText>,
    /// Who agrees to a run before it is paid: second_person (what happens if nothing is said), or auto for nobody.
    #[schema(example = "second_person")]
    approval: Option<String>,
    /// How long after its cut-off a run waits for vendors, who may dispute it meanwhile; 0, or nothing said: not at all.
    #[schema(minimum = 0, maximum = 8784)]
    dispute_hours: Option<i64>,
    /// How long a transfer that failed may be tried again before the house carries out the failure_rule by itself; left out: for ever.
    #[schema(minimum = 0, maximum = 8784)]
    grace_hours: Option<i64>,
    /// The scheme settles off its schedules, and once a window, when a vendor owes more than this on balance in the open window; at least
    /// the smallest payment of its currency. Left out: it does not.
    #[schema(example = "10000.00")]
    settle_threshold: Option<AmountText>,
    /// Who bears it when a vendor does not pay: carry_over (what happens if nothing is said), exclude_and_renet,
    /// collateral_then_loss_share or pro_rata.
    #[schema(example = "carry_over")]
    failure_rule: Option<String>,
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
        let dispute_hours = self.dispute_hours.map_or(Ok(0), read_dispute_hours)?;
        let grace_hours = self.grace_hours.map(read_grace_hours).transpose()?;
        let failure_rule = self.failure_rule.as_deref().map_or(Ok(Rule::CarryOver), read_rule)?;
        let min_transfer = self.min_transfer.as_ref().map_or(Ok(Micro::ZERO), read_min_transfer)?;
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
        let currency = self.currency;
        Ok(NewScheme {
            code,
            currency,
            digits,
            strategy,
            min_transfer,
            approval,
            dispute_hours,
            grace_hours,
            settle_threshold,
            failure_rule,
            members,
        })
    }
}

fn read_min_transfer(amount: &AmountText) -> Result<Micro, SchemeRefusal> {
    read_amount("min_transfer", amount)
}

/// Unlike what is moved, what is laid down of a scheme may be zero.
fn read_amount(field: &'static str, amount: &AmountText) -> Result<Micro, SchemeRefusal> {
    match amount.micro(field) {
        Err(AmountRefusal { field: _, error: AmountError::Zero }) => Ok(Micro::ZERO),
        read => read.map_err(SchemeRefusal::Amount),
    }
}

fn read_hours(hours: i64, refusal: SchemeRefusal) -> Result<i32, SchemeRefusal> {
    i32::try_from(hours).ok().filter(|_| (0..=HOURS_MAX).contains(&hours)).ok_or(refusal)
}

fn read_dispute_hours(hours: i64) -> Result<i32, SchemeRefusal> {
    read_hours(hours, SchemeRefusal::DisputeHoursOutOfRange)
}

fn read_grace_hours(hours: i64) -> Result<i32, SchemeRefusal> {
    read_hours(hours, SchemeRefusal::GraceHoursOutOfRange)
}

fn read_rule(name: &str) -> Result<Rule, SchemeRefusal> {
    name.parse().map_err(SchemeRefusal::FailureRuleUnknown)
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
    /// No transfer is smaller, from the next run on; zero: every one is made.
    min_transfer: Option<AmountText>,
    /// Who agrees to a run: second_person or auto; from the next run on.
    approval: Option<String>,
    /// How long after its cut-off a run waits for vendors; from the next run on.
    #[schema(minimum = 0, maximum = 8784)]
    dispute_hours: Option<i64>,
    /// How long a transfer that failed may be tried again before the house carries out the failure_rule by itself; null: for ever.
    #[serde(default, deserialize_with = "read_null")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 8784)]
    grace_hours: Option<Option<i64>>,
    /// It settles off its schedules when a vendor owes more than this on balance in the open window; null: it does not.
    #[serde(default, deserialize_with = "read_null")]
    #[schema(value_type = Option<String>, example = "10000.00")]
    settle_threshold: Option<Option<AmountText>>,
    /// Who bears it when a vendor does not pay.
    failure_rule: Option<String>,
}

/// Tells a field that says `null` from one that is not there.
fn read_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl UpdateScheme {
    fn into_change(self) -> Result<Change, SchemeRefusal> {
        let strategy = self.strategy.map(|name| name.parse().map_err(SchemeRefusal::StrategyUnknown)).transpose()?;
        let min_transfer = self.min_transfer.as_ref().map(read_min_transfer).transpose()?;
        let approval = self.approval.as_deref().map(read_approval).transpose()?;
        let dispute_hours = self.dispute_hours.map(read_dispute_hours).transpose()?;
        let grace_hours = self.grace_hours.map(|hours| hours.map(read_grace_hours).transpose()).transpose()?;
        let failure_rule = self.failure_rule.as_deref().map(read_rule).transpose()?;
        let threshold = |amount: AmountText| amount.micro(THRESHOLD).map_err(SchemeRefusal::Amount);
        let settle_threshold = self.settle_threshold.map(|amount| amount.map(threshold).transpose()).transpose()?;
        Ok(Change { strategy, min_transfer, approval, dispute_hours, grace_hours, settle_threshold, failure_rule })
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
    /// No transfer is smaller; zero: every one is made.
    #[schema(example = "0.00")]
    min_transfer: String,
    /// Who agrees to a run before it is paid.
    #[schema(example = "second_person")]
    approval: String,
    /// How long after its cut-off a run waits for vendors, who may dispute it meanwhile.
    dispute_hours: i32,
    /// How long a transfer that failed may be tried again before the house carries out the failure_rule by itself; null: for ever.
    grace_hours: Option<i32>,
    /// It settles off its schedules when a vendor owes more than this on balance in the open window; null: it does not.
    #[schema(value_type = Option<String>, example = "10000.000000")]
    settle_threshold: Option<ShownAmount>,
    /// Who bears it when a vendor does not pay.
    #[schema(example = "carry_over")]
    failure_rule: String,
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
            min_transfer,
            approval,
            dispute_hours,
            grace_hours,
            settle_threshold,
            failure_rule,
            version,
            created_at,
            window_number,
            window_opened_at,
            member_count,
            members,
        } = scheme;
        let window = OpenWindowView { number: window_number, opened_at: window_opened_at };
        let (code, approval, min_transfer) = (code.to_string(), approval.as_str().to_owned(), min_transfer.display_at_least(digits));
        let digits = digits.decimals();
        let (failure_rule, settle_threshold) = (failure_rule.name().to_owned(), settle_threshold.map(ShownAmount::micro));
        Self {
            code,
            currency,
            digits,
            strategy,
            min_transfer,
            approval,
            dispute_hours,
            grace_hours,
            settle_threshold,
            failure_rule,
            version,
            members,
            member_count,
            window,
            created_at,
        }
    }
}

/// Create a scheme. Its window 1 opens at once.
#[utoipa::path(post, path = "/v1/schemes", tag = "operator", request_body = CreateScheme, security(("operator_key" = [])),
    responses((status = 201, body = SchemeView), (status = "4XX", body = ProblemView,
        description = "code_malformed, scheme_code_taken, currency_malformed, strategy_unknown, amount_malformed, amount_too_many_decimals, amount_too_large, approval_unknown, dispute_hours_out_of_range, grace_hours_out_of_range, failure_rule_unknown, digits_out_of_range, threshold_too_small, amount_zero, too_many_members, vendor_not_found, already_member")))]
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
            description = "scheme_not_found, if_match_required, version_mismatch, strategy_unknown, amount_malformed, amount_too_many_decimals, amount_too_large, approval_unknown, dispute_hours_out_of_range, grace_hours_out_of_range, failure_rule_unknown, threshold_too_small, amount_zero")))]
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
