//! Routes and bodies of vendors.

use super::{Change, NewVendor, Payout, Status, Supply, Switches, Vendor, VendorRefusal, check_name};
use crate::access::Scope;
use crate::amount::AmountText;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Created, Path};
use crate::http::credential::{self, Anyone, Operator};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use crate::http::version::{IfMatch, IfMatchHeader, Versioned};
use crate::rates::unit_value;
use axum::Json;
use axum::extract::State;
use scrip::money::Decimal;
use scrip::{Code, Scale};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(onboard_vendor, list_vendors))
        .routes(routes!(get_vendor, update_vendor_status))
        .routes(routes!(get_own_vendor, update_own_vendor))
        .routes(routes!(get_supply))
}

/// A vendor to be onboarded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "AIRMILES", "name": "Air Miles", "scale": 2, "unit_value": "0.01", "scheme": "EUROPE",
    "payout": {"account_holder": "Air Miles Ltd", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}
}))]
pub struct OnboardVendor {
    /// Names the vendor and its token, for ever.
    #[schema(example = "AIRMILES", pattern = "^[A-Z0-9][A-Z0-9_-]{1,31}$")]
    code: String,
    #[schema(example = "Air Miles", min_length = 1, max_length = 200)]
    name: String,
    /// The decimals of the token, for ever.
    #[schema(example = 2, minimum = 0, maximum = 6)]
    scale: i64,
    /// The value of one whole token in the scheme's currency.
    #[schema(example = "0.01")]
    unit_value: Option<AmountText>,
    /// The scheme in which the vendor settles.
    #[schema(example = "EUROPE")]
    scheme: Option<String>,
    /// Where it is paid.
    payout: Option<PayoutBody>,
}

/// Bank details. Whoever is to pay the vendor in a run reads them.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutBody {
    #[schema(example = "Air Miles Ltd", min_length = 1, max_length = 140)]
    account_holder: String,
    /// Its check digits are proven; spaces do not matter.
    #[schema(example = "DE89370400440532013000")]
    iban: String,
    #[schema(example = "COBADEFFXXX")]
    bic: Option<String>,
}

impl PayoutBody {
    pub(crate) fn into_payout(self) -> Result<Payout, VendorRefusal> {
        Payout::try_new(self.account_holder, &self.iban, self.bic.as_deref())
    }
}

impl From<Payout> for PayoutBody {
    fn from(payout: Payout) -> Self {
        let Payout { account_holder, iban, bic } = payout;
        Self { account_holder, iban, bic }
    }
}

impl OnboardVendor {
    fn into_vendor(self) -> Result<NewVendor, VendorRefusal> {
        let code = Code::parse(&self.code).map_err(|_| VendorRefusal::CodeMalformed)?;
        check_name(&self.name)?;
        let scale = Scale::try_new(self.scale).ok_or(VendorRefusal::ScaleOutOfRange)?;
        let unit_value = self.unit_value.map(|value| unit_value::read(&value, scale)).transpose()?;
        let payout = self.payout.map(PayoutBody::into_payout).transpose()?;
        Ok(NewVendor { code, name: self.name, scale, unit_value, scheme: self.scheme, payout })
    }
}

/// A vendor as everybody may see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct VendorView {
    #[schema(example = "AIRMILES")]
    code: String,
    name: String,
    /// The decimals of its token.
    scale: u8,
    /// The value of one whole token in the scheme's currency, in force now.
    #[schema(example = "0.01")]
    unit_value: Option<String>,
    /// The scheme in which it settles.
    scheme: Option<String>,
    switches: Switches,
    status: Status,
}

impl From<Vendor> for VendorView {
    fn from(vendor: Vendor) -> Self {
        let Vendor { facts, name, status, switches, version: _, unit_value, scheme, digits } = vendor;
        Self {
            code: facts.code.to_string(),
            name,
            scale: facts.scale.decimals(),
            unit_value: unit_value.map(|value| unit_value::show(value, facts.scale, digits)),
            scheme: scheme.map(|code| code.to_string()),
            switches,
            status,
        }
    }
}

/// A new vendor and its first key.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnboardedView {
    vendor: VendorView,
    /// May do everything that a vendor's key can; never shown again.
    #[schema(example = "sk_...")]
    api_key: String,
}

/// A vendor as it sees itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnVendorView {
    #[serde(flatten)]
    vendor: VendorView,
    /// Where you are paid.
    payout: Option<PayoutBody>,
    /// Also the `ETag`.
    version: i64,
}

fn public(vendor: Vendor) -> Versioned<VendorView> {
    Versioned { version: vendor.version, view: vendor.into() }
}

fn own((vendor, payout): (Vendor, Option<Payout>)) -> Versioned<OwnVendorView> {
    let version = vendor.version;
    Versioned { version, view: OwnVendorView { vendor: vendor.into(), payout: payout.map(PayoutBody::from), version } }
}

/// Onboard a vendor.
///
/// The answer has the vendor's first API key, which is shown this once.
#[utoipa::path(post, path = "/v1/vendors", tag = "operator", request_body = OnboardVendor, security(("operator_key" = [])),
    responses((status = 201, body = OnboardedView), (status = "4XX", body = ProblemView,
        description = "code_malformed, vendor_code_taken, name_malformed, scale_out_of_range, amount_malformed, unit_value_not_whole, scheme_not_found, iban_invalid, bic_invalid, account_holder_malformed")))]
async fn onboard_vendor(State(app): State<App>, _: Operator, Body(body): Body<OnboardVendor>) -> Result<Created<OnboardedView>, ApiError> {
    let (vendor, api_key) = app.vendors.onboard(body.into_vendor()?).await?;
    Ok(Created(OnboardedView { vendor: vendor.into(), api_key }))
}

/// All vendors, by code.
#[utoipa::path(get, path = "/v1/vendors", tag = "vendors", params(PageParams),
    security(("operator_key" = []), ("vendor_key" = []), ("user_session" = [])),
    responses((status = 200, body = Paged<VendorView>), (status = "4XX", body = ProblemView)))]
async fn list_vendors(State(app): State<App>, _: Anyone, page: Page) -> Result<Json<Paged<VendorView>>, ApiError> {
    let vendors = app.vendors.list(page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(vendors, |vendor| vendor.facts.code.clone())))
}

/// One vendor.
#[utoipa::path(get, path = "/v1/vendors/{code}", tag = "vendors", params(("code" = String, Path, description = "the vendor's code")),
    security(("operator_key" = []), ("vendor_key" = []), ("user_session" = [])),
    responses((status = 200, body = VendorView, headers(("ETag" = String, description = "the version"))),
        (status = "4XX", body = ProblemView, description = "vendor_not_found")))]
async fn get_vendor(State(app): State<App>, _: Anyone, Path(code): Path<String>) -> Result<Versioned<VendorView>, ApiError> {
    Ok(public(app.vendors.get_by_code(&code).await?))
}

/// What the operator changes of a vendor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateVendorStatus {
    status: Status,
}

/// Suspend a vendor, or let it take part again.
#[utoipa::path(patch, path = "/v1/vendors/{code}", tag = "operator", request_body = UpdateVendorStatus,
    params(("code" = String, Path, description = "the vendor's code"), IfMatchHeader), security(("operator_key" = [])),
    responses((status = 200, body = VendorView, headers(("ETag" = String, description = "the new version"))),
        (status = "4XX", body = ProblemView, description = "if_match_required, version_mismatch, vendor_not_found")))]
async fn update_vendor_status(
    State(app): State<App>,
    _: Operator,
    Path(code): Path<String>,
    if_match: IfMatch,
    Body(body): Body<UpdateVendorStatus>,
) -> Result<Versioned<VendorView>, ApiError> {
    Ok(public(app.vendors.update_status(&code, |version| if_match.matches(version), body.status).await?))
}

/// Yourself.
#[utoipa::path(get, path = "/v1/vendor", tag = "vendor", security(("vendor_key" = [])),
    responses((status = 200, body = OwnVendorView, headers(("ETag" = String, description = "the version"))), (status = "4XX", body = ProblemView)))]
async fn get_own_vendor(State(app): State<App>, vendor: credential::Vendor) -> Result<Versioned<OwnVendorView>, ApiError> {
    Ok(own(app.vendors.get_own(vendor.id).await?))
}

/// What you change of yourself; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Air Miles", "switches": {"convert_in": true}}))]
pub struct UpdateVendor {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    switches: Option<UpdateSwitches>,
    /// Replaces the old details whole.
    payout: Option<PayoutBody>,
}

/// Switches to be changed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSwitches {
    issue: Option<bool>,
    spend: Option<bool>,
    convert_out: Option<bool>,
    convert_in: Option<bool>,
}

impl UpdateVendor {
    fn into_change(self) -> Result<Change, VendorRefusal> {
        self.name.as_deref().map(check_name).transpose()?;
        let UpdateSwitches { issue, spend, convert_out, convert_in } = self.switches.unwrap_or_default();
        let payout = self.payout.map(PayoutBody::into_payout).transpose()?;
        Ok(Change { name: self.name, issue, spend, convert_out, convert_in, payout })
    }
}

/// Change your name, switches or payout details.
#[utoipa::path(patch, path = "/v1/vendor", tag = "vendor", request_body = UpdateVendor, params(IfMatchHeader),
    security(("vendor_key" = ["vendor"])),
    responses((status = 200, body = OwnVendorView, headers(("ETag" = String, description = "the new version"))),
        (status = "4XX", body = ProblemView,
            description = "if_match_required, version_mismatch, name_malformed, iban_invalid, bic_invalid, account_holder_malformed")))]
async fn update_own_vendor(
    State(app): State<App>,
    vendor: credential::Vendor,
    if_match: IfMatch,
    Body(body): Body<UpdateVendor>,
) -> Result<Versioned<OwnVendorView>, ApiError> {
    vendor.require(Scope::Vendor)?;
    let change = body.into_change()?;
    Ok(own(app.vendors.update(vendor.id, |version| if_match.matches(version), change).await?))
}

/// How many tokens there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct SupplyView {
    /// Came into being.
    #[schema(example = "1000.00")]
    issued: String,
    /// Ceased.
    #[schema(example = "200.00")]
    retired: String,
    /// In users' hands: issued less retired.
    #[schema(example = "800.00")]
    outstanding: String,
}

impl SupplyView {
    fn new(supply: Supply, scale: Scale) -> Self {
        let Supply { issued, retired } = supply;
        Self {
            issued: Decimal::new(issued, scale).to_string(),
            retired: Decimal::new(retired, scale).to_string(),
            outstanding: Decimal::new(issued.saturating_sub(retired), scale).to_string(),
        }
    }
}

/// How many of your tokens there are.
#[utoipa::path(get, path = "/v1/vendor/supply", tag = "vendor", security(("vendor_key" = [])),
    responses((status = 200, body = SupplyView), (status = "4XX", body = ProblemView)))]
async fn get_supply(State(app): State<App>, vendor: credential::Vendor) -> Result<Json<SupplyView>, ApiError> {
    let supply = app.vendors.supply(vendor.id).await?;
    Ok(Json(SupplyView::new(supply, app.directory.get(vendor.id).await?.scale)))
}
