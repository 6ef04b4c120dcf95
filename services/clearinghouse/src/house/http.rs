//! Routes and bodies of the house's own details.

use super::HouseAccount;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::Body;
use crate::http::credential::Operator;
use crate::http::problem::ProblemView;
use crate::http::version::{IfMatch, IfMatchHeader, Versioned};
use crate::vendors::http::PayoutBody;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_house_account, set_house_account))
}

/// The account that the house pays from and is paid to.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseAccountView {
    /// Null: the house has not said.
    account: Option<PayoutBody>,
    /// Also the `ETag`.
    version: i64,
}

impl From<HouseAccount> for Versioned<HouseAccountView> {
    fn from(HouseAccount { payout, version }: HouseAccount) -> Self {
        Self { version, view: HouseAccountView { account: payout.map(PayoutBody::from), version } }
    }
}

/// The house's account.
#[utoipa::path(get, path = "/v1/house/account", tag = "operator", security(("operator_key" = [])),
    responses((status = 200, body = HouseAccountView, headers(("ETag" = String, description = "the version"))), (status = "4XX", body = ProblemView)))]
async fn get_house_account(State(app): State<App>, _: Operator) -> Result<Versioned<HouseAccountView>, ApiError> {
    Ok(app.house.get_account().await?.into())
}

/// Say where the house pays from and is paid. With the strategy `hub` every transfer is with the house: runs that are computed from now on can have
/// them in `pain.001`.
#[utoipa::path(put, path = "/v1/house/account", tag = "operator", request_body = PayoutBody, params(IfMatchHeader), security(("operator_key" = [])),
    responses((status = 200, body = HouseAccountView, headers(("ETag" = String, description = "the new version"))),
        (status = "4XX", body = ProblemView, description = "if_match_required, version_mismatch, account_holder_malformed, iban_invalid, bic_invalid")))]
async fn set_house_account(
    State(app): State<App>,
    _: Operator,
    if_match: IfMatch,
    Body(body): Body<PayoutBody>,
) -> Result<Versioned<HouseAccountView>, ApiError> {
    let payout = body.into_payout()?;
    Ok(app.house.set_account(|version| if_match.matches(version), &payout).await?.into())
}
