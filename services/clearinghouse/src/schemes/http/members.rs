//! Routes and bodies of a scheme's members, and of what the house holds of theirs.

use super::read_amount;
use crate::amount::{AmountRefusal, AmountText};
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Path};
use crate::http::credential::Operator;
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use crate::http::version::{IfMatch, IfMatchHeader, Versioned};
use crate::schemes::{Member, SchemeRefusal};
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use netting::GROSS_MAX;
use scrip::Micro;
use scrip::money::{AmountError, MICRO_SCALE};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_members)).routes(routes!(set_collateral))
}

/// A vendor that settles in a scheme.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberView {
    #[schema(example = "AIRMILES")]
    vendor: String,
    /// What the house holds of the vendor's, in the scheme's currency, for when it does not pay.
    #[schema(example = "50.000000")]
    collateral: String,
    /// Of the collateral, which a default changes as well; the `ETag` to change it with.
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    joined_at: Timestamp,
}

impl From<Member> for MemberView {
    fn from(Member { vendor, collateral, version, joined_at }: Member) -> Self {
        Self { vendor, collateral: collateral.display(MICRO_SCALE).to_string(), version, joined_at }
    }
}

/// What the house holds of a vendor's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "50.00"}))]
pub(super) struct SetCollateral {
    /// In whole units of the scheme's currency; zero: nothing.
    amount: AmountText,
}

/// A scheme's members, by code.
#[utoipa::path(get, path = "/v1/schemes/{scheme}/members", tag = "operator",
    params(("scheme" = String, Path, description = "the scheme's code"), PageParams), security(("operator_key" = [])),
    responses((status = 200, body = Paged<MemberView>), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn list_members(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    page: Page,
) -> Result<Json<Paged<MemberView>>, ApiError> {
    let members = app.schemes.list_members(&scheme, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(members, |member| member.vendor.clone())))
}

/// Say what the house holds of a member's, for when it does not pay. No token and no obligation moves: it is what the operator has been given.
/// A default takes from it what is paid out of it, so it is set for the version that was read (in the list of members).
#[utoipa::path(put, path = "/v1/schemes/{scheme}/members/{vendor}/collateral", tag = "operator", request_body = SetCollateral,
    params(("scheme" = String, Path, description = "the scheme's code"), ("vendor" = String, Path, description = "the vendor's code"), IfMatchHeader),
    security(("operator_key" = [])),
    responses((status = 200, body = MemberView, headers(("ETag" = String, description = "the new version"))), (status = "4XX", body = ProblemView,
        description = "if_match_required, version_mismatch, scheme_not_found, not_member, amount_malformed, amount_too_many_decimals, amount_too_large")))]
async fn set_collateral(
    State(app): State<App>,
    _: Operator,
    Path((scheme, vendor)): Path<(String, String)>,
    if_match: IfMatch,
    Body(body): Body<SetCollateral>,
) -> Result<Versioned<MemberView>, ApiError> {
    let amount = read_collateral(&body.amount)?;
    let member = app.schemes.set_collateral(&scheme, &vendor, |version| if_match.matches(version), amount).await?;
    Ok(Versioned { version: member.version, view: member.into() })
}

/// No more than a run can net: nobody could owe it.
fn read_collateral(amount: &AmountText) -> Result<Micro, SchemeRefusal> {
    let too_large = AmountRefusal { field: "amount", error: AmountError::TooLarge };
    read_amount("amount", amount).and_then(|read| if read > GROSS_MAX { Err(SchemeRefusal::Amount(too_large)) } else { Ok(read) })
}
