//! Routes and bodies of caps and of what is left under them.

use super::{BilateralHeadroom, CapRefusal, DebitCap, Headroom};
use crate::access::Scope;
use crate::amount::{AmountText, ShownAmount};
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Path};
use crate::http::credential::{Operator, Vendor};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use crate::http::version::{IfMatch, IfMatchHeader, Versioned};
use crate::settlement::Viewer;
use axum::Json;
use axum::extract::State;
use scrip::posting::Exposure;
use scrip::{Code, Micro};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_debit_cap, update_debit_cap))
        .routes(routes!(get_headroom))
        .routes(routes!(list_bilateral_caps))
        .routes(routes!(get_own_headroom))
        .routes(routes!(list_own_bilateral_caps))
        .routes(routes!(get_bilateral_cap, update_bilateral_cap))
}

/// What the operator lets a vendor owe.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"net_debit_cap": "1000.00"}))]
pub struct UpdateDebitCap {
    /// The most that it may owe less what it is owed, over everything unsettled, in the scheme's currency; `"0"`: nothing on balance;
    /// null: no cap.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, example = "1000.00")]
    net_debit_cap: Option<AmountText>,
}

impl UpdateDebitCap {
    fn into_cap(self) -> Result<Option<Micro>, CapRefusal> {
        Ok(self.net_debit_cap.map(|cap| cap.micro_or_zero("net_debit_cap")).transpose()?)
    }
}

/// What a creditor accepts of a debtor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"cap": "500.00"}))]
pub struct UpdateBilateralCap {
    /// The most that it may owe you less what you owe it, over everything unsettled, in the scheme's currency; `"0"`: nothing on balance;
    /// null: no cap.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, example = "500.00")]
    cap: Option<AmountText>,
}

impl UpdateBilateralCap {
    fn into_cap(self) -> Result<Option<Micro>, CapRefusal> {
        Ok(self.cap.map(|cap| cap.micro_or_zero("cap")).transpose()?)
    }
}

/// A vendor's net debit cap.
#[derive(Debug, Serialize, ToSchema)]
pub struct DebitCapView {
    #[schema(value_type = String, example = "AIRMILES")]
    vendor: Code,
    /// The scheme's; null where the vendor settles in none.
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// The most that it may owe less what it is owed; null: no cap.
    #[schema(value_type = Option<String>, example = "1000.000000")]
    net_debit_cap: Option<ShownAmount>,
    /// Also the `ETag`.
    version: i64,
}

fn debit_cap(cap: DebitCap) -> Versioned<DebitCapView> {
    let DebitCap { vendor, scheme, cap, version } = cap;
    let view =
        DebitCapView { vendor: vendor.code, currency: scheme.map(|s| s.currency), net_debit_cap: cap.map(ShownAmount::micro), version };
    Versioned { version, view }
}

/// What is owed under a cap, over everything that is not settled yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeadroomFigures {
    /// Null: no cap.
    #[schema(value_type = Option<String>, example = "1000.000000")]
    cap: Option<ShownAmount>,
    /// What the debtor owes. What a run has netted counts on balance, less what failed and is owed again, so by itself this may be below zero; `net_debit` is
    /// exact.
    #[schema(value_type = String, example = "950.000000")]
    owes: ShownAmount,
    /// What the debtor is owed; likewise.
    #[schema(value_type = String, example = "200.000000")]
    owed: ShownAmount,
    /// `owes` less `owed`; negative where the debtor is owed more.
    #[schema(value_type = String, example = "750.000000")]
    net_debit: ShownAmount,
    /// How much more it may owe; null: no cap.
    #[schema(value_type = Option<String>, example = "250.000000")]
    headroom: Option<ShownAmount>,
    /// How much of the cap is used, in thousandths, rounded down; null: no cap.
    #[schema(example = 750)]
    used_per_mille: Option<i64>,
    /// `none` (no cap), `ok`, `warning_70` and `warning_90` (so many percent are used, or more), or `full`.
    #[schema(example = "warning_70")]
    level: &'static str,
}

impl HeadroomFigures {
    fn new(cap: Option<Micro>, exposure: Exposure) -> Self {
        Self {
            cap: cap.map(ShownAmount::micro),
            owes: ShownAmount::micro_sum(exposure.owes),
            owed: ShownAmount::micro_sum(exposure.owed),
            net_debit: ShownAmount::micro_sum(exposure.net_debit()),
            headroom: cap.map(|cap| ShownAmount::micro_sum(exposure.headroom(cap))),
            used_per_mille: cap.map(|cap| i64::try_from(exposure.used_per_mille(cap)).unwrap_or(i64::MAX)),
            level: cap.map_or("none", |cap| exposure.level(cap).as_str()),
        }
    }
}

/// What a vendor owes, and how much more it may.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeadroomView {
    #[schema(value_type = String, example = "AIRMILES")]
    vendor: Code,
    /// The scheme's; null where the vendor settles in none.
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// To and by everybody.
    #[serde(flatten)]
    figures: HeadroomFigures,
    /// The creditors that accept only so much, by code.
    creditors: Paged<BilateralHeadroomView>,
}

impl HeadroomView {
    fn new(headroom: Headroom, creditors: Paged<BilateralHeadroomView>) -> Self {
        let Headroom { cap: DebitCap { vendor, scheme, cap, version: _ }, exposure } = headroom;
        Self { vendor: vendor.code, currency: scheme.map(|s| s.currency), figures: HeadroomFigures::new(cap, exposure), creditors }
    }
}

/// What a debtor owes a creditor, and how much more that one accepts.
#[derive(Debug, Serialize, ToSchema)]
pub struct BilateralHeadroomView {
    #[schema(value_type = String, example = "AIRMILES")]
    debtor: Code,
    #[schema(value_type = String, example = "BEANS")]
    creditor: Code,
    /// Between these two alone.
    #[serde(flatten)]
    figures: HeadroomFigures,
    /// Of the cap; also the `ETag`.
    version: i64,
}

impl From<BilateralHeadroom> for BilateralHeadroomView {
    fn from(BilateralHeadroom { cap, exposure }: BilateralHeadroom) -> Self {
        let figures = HeadroomFigures::new(cap.cap, exposure);
        Self { debtor: cap.debtor.code, creditor: cap.creditor.code, figures, version: cap.version }
    }
}

fn bilateral(headroom: BilateralHeadroom) -> Versioned<BilateralHeadroomView> {
    Versioned { version: headroom.cap.version, view: headroom.into() }
}

fn by_creditor(page: &Page, creditors: Vec<BilateralHeadroom>) -> Paged<BilateralHeadroomView> {
    page.of(creditors, |headroom: &BilateralHeadroom| headroom.cap.creditor.code.clone())
}

fn by_debtor(page: &Page, debtors: Vec<BilateralHeadroom>) -> Paged<BilateralHeadroomView> {
    page.of(debtors, |headroom: &BilateralHeadroom| headroom.cap.debtor.code.clone())
}

/// A vendor's net debit cap.
#[utoipa::path(get, path = "/v1/vendors/{code}/cap", tag = "caps", params(("code" = String, Path, description = "the vendor's code")),
    security(("operator_key" = [])),
    responses((status = 200, body = DebitCapView, headers(("ETag" = String, description = "the version"))),
        (status = "4XX", body = ProblemView, description = "vendor_not_found")))]
async fn get_debit_cap(State(app): State<App>, _: Operator, Path(code): Path<String>) -> Result<Versioned<DebitCapView>, ApiError> {
    Ok(debit_cap(app.caps.get_debit_cap(&code).await?))
}

/// Set a vendor's net debit cap, or take it away.
///
/// A cap below what the vendor owes already takes nothing back: it refuses what would make it owe more.
#[utoipa::path(put, path = "/v1/vendors/{code}/cap", tag = "caps", request_body = UpdateDebitCap,
    params(("code" = String, Path, description = "the vendor's code"), IfMatchHeader), security(("operator_key" = [])),
    responses((status = 200, body = DebitCapView, headers(("ETag" = String, description = "the new version"))),
        (status = "4XX", body = ProblemView, description = "if_match_required, version_mismatch, vendor_not_found, no_scheme, \
            amount_malformed, amount_too_many_decimals, amount_too_large")))]
async fn update_debit_cap(
    State(app): State<App>,
    _: Operator,
    Path(code): Path<String>,
    if_match: IfMatch,
    Body(body): Body<UpdateDebitCap>,
) -> Result<Versioned<DebitCapView>, ApiError> {
    Ok(debit_cap(app.caps.update_debit_cap(&code, |version| if_match.matches(version), body.into_cap()?).await?))
}

/// What a vendor owes, and how much more it may.
#[utoipa::path(get, path = "/v1/vendors/{code}/headroom", tag = "caps",
    params(("code" = String, Path, description = "the vendor's code"), PageParams), security(("operator_key" = [])),
    responses((status = 200, body = HeadroomView), (status = "4XX", body = ProblemView, description = "vendor_not_found")))]
async fn get_headroom(State(app): State<App>, _: Operator, Path(code): Path<String>, page: Page) -> Result<Json<HeadroomView>, ApiError> {
    let vendor = app.caps.named(&code).await?;
    let (headroom, creditors) = app.caps.get_headroom(Viewer::House, vendor, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(HeadroomView::new(headroom, by_creditor(&page, creditors))))
}

/// What a vendor accepts of each debtor, by the debtors' codes.
#[utoipa::path(get, path = "/v1/vendors/{code}/caps", tag = "caps",
    params(("code" = String, Path, description = "the creditor's code"), PageParams), security(("operator_key" = [])),
    responses((status = 200, body = Paged<BilateralHeadroomView>), (status = "4XX", body = ProblemView, description = "vendor_not_found")))]
async fn list_bilateral_caps(
    State(app): State<App>,
    _: Operator,
    Path(code): Path<String>,
    page: Page,
) -> Result<Json<Paged<BilateralHeadroomView>>, ApiError> {
    let vendor = app.caps.named(&code).await?;
    let debtors = app.caps.list_debtors(Viewer::House, vendor.id, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(by_debtor(&page, debtors)))
}

/// What you owe, and how much more you may.
#[utoipa::path(get, path = "/v1/vendor/headroom", tag = "caps", params(PageParams), security(("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = HeadroomView), (status = "4XX", body = ProblemView)))]
async fn get_own_headroom(State(app): State<App>, vendor: Vendor, page: Page) -> Result<Json<HeadroomView>, ApiError> {
    vendor.require(Scope::SettlementRead)?;
    let (viewer, facts) = (Viewer::Vendor(vendor.id), app.directory.get(vendor.id).await?);
    let (headroom, creditors) = app.caps.get_headroom(viewer, facts, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(HeadroomView::new(headroom, by_creditor(&page, creditors))))
}

/// What you accept of each debtor, by the debtors' codes. Who is not named owes you as much as it may.
#[utoipa::path(get, path = "/v1/vendor/caps", tag = "caps", params(PageParams), security(("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = Paged<BilateralHeadroomView>), (status = "4XX", body = ProblemView)))]
async fn list_own_bilateral_caps(
    State(app): State<App>,
    vendor: Vendor,
    page: Page,
) -> Result<Json<Paged<BilateralHeadroomView>>, ApiError> {
    vendor.require(Scope::SettlementRead)?;
    let debtors = app.caps.list_debtors(Viewer::Vendor(vendor.id), vendor.id, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(by_debtor(&page, debtors)))
}

/// What you accept of one debtor.
#[utoipa::path(get, path = "/v1/vendor/caps/{debtor}", tag = "caps",
    params(("debtor" = String, Path, description = "the debtor's code")), security(("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = BilateralHeadroomView, headers(("ETag" = String, description = "the version of the cap"))),
        (status = "4XX", body = ProblemView, description = "vendor_not_found, same_vendor")))]
async fn get_bilateral_cap(
    State(app): State<App>,
    vendor: Vendor,
    Path(debtor): Path<String>,
) -> Result<Versioned<BilateralHeadroomView>, ApiError> {
    vendor.require(Scope::SettlementRead)?;
    Ok(bilateral(app.caps.get_bilateral_cap(vendor.id, &debtor).await?))
}

/// Set what you accept of one debtor, or take the cap away.
///
/// A cap below what it owes you already takes nothing back: it refuses what would make it owe you more.
#[utoipa::path(put, path = "/v1/vendor/caps/{debtor}", tag = "caps", request_body = UpdateBilateralCap,
    params(("debtor" = String, Path, description = "the debtor's code"), IfMatchHeader), security(("vendor_key" = ["vendor"])),
    responses((status = 200, body = BilateralHeadroomView, headers(("ETag" = String, description = "the new version"))),
        (status = "4XX", body = ProblemView, description = "if_match_required, version_mismatch, vendor_not_found, same_vendor, \
            no_common_scheme, amount_malformed, amount_too_many_decimals, amount_too_large")))]
async fn update_bilateral_cap(
    State(app): State<App>,
    vendor: Vendor,
    Path(debtor): Path<String>,
    if_match: IfMatch,
    Body(body): Body<UpdateBilateralCap>,
) -> Result<Versioned<BilateralHeadroomView>, ApiError> {
    vendor.require(Scope::Vendor)?;
    let cap = body.into_cap()?;
    Ok(bilateral(app.caps.update_bilateral_cap(vendor.id, &debtor, |version| if_match.matches(version), cap).await?))
}
