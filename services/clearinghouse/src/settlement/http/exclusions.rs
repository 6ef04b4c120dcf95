//! Routes and bodies of whom a scheme's runs leave out; only the operator's.

use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Path};
use crate::http::credential::Operator;
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use runs::exclusions::Exclusion;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_exclusions)).routes(routes!(exclude_vendor, lift_exclusion))
}

/// Why a vendor is left out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExcludeVendor {
    #[schema(example = "did not pay on the 23rd", min_length = 1, max_length = 500)]
    reason: String,
}

/// A vendor that is left out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExclusionView {
    #[schema(example = "AIRMILES")]
    vendor: String,
    reason: String,
    /// `operator:` and the id of the key, or `house`, when the vendor had not paid and the time to try again was up.
    excluded_by: String,
    #[schema(value_type = String, format = DateTime)]
    excluded_at: Timestamp,
}

impl From<Exclusion> for ExclusionView {
    fn from(Exclusion { vendor, reason, excluded_by, excluded_at }: Exclusion) -> Self {
        Self { vendor, reason, excluded_by: excluded_by.to_string(), excluded_at }
    }
}

/// Whom the scheme's next runs leave out, by code.
#[utoipa::path(get, path = "/v1/schemes/{scheme}/exclusions", tag = "settlement",
    params(("scheme" = String, Path, description = "the scheme's code"), PageParams), security(("operator_key" = [])),
    responses((status = 200, body = Paged<ExclusionView>), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn list_exclusions(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    page: Page,
) -> Result<Json<Paged<ExclusionView>>, ApiError> {
    let exclusions = app.settlement.list_exclusions(&scheme, page.after()?, page.limit_plus_one()).await?;
    let exclusions: Paged<Exclusion> = page.of(exclusions, |exclusion| exclusion.vendor.clone());
    Ok(Json(exclusions.map(ExclusionView::from)))
}

/// Leave a vendor out of the scheme's next runs, with all that it owes and is owed; that stays owed. Excluded already, it stays so.
#[utoipa::path(put, path = "/v1/schemes/{scheme}/exclusions/{vendor}", tag = "settlement", request_body = ExcludeVendor,
    params(("scheme" = String, Path, description = "the scheme's code"), ("vendor" = String, Path, description = "the vendor's code")),
    security(("operator_key" = [])),
    responses((status = 204), (status = "4XX", body = ProblemView, description = "scheme_not_found, not_member, reason_malformed")))]
async fn exclude_vendor(
    State(app): State<App>,
    operator: Operator,
    Path((scheme, vendor)): Path<(String, String)>,
    Body(body): Body<ExcludeVendor>,
) -> Result<StatusCode, ApiError> {
    app.settlement.exclude(&scheme, &vendor, &body.reason, operator.key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a vendor take part again, from the next run on.
#[utoipa::path(delete, path = "/v1/schemes/{scheme}/exclusions/{vendor}", tag = "settlement",
    params(("scheme" = String, Path, description = "the scheme's code"), ("vendor" = String, Path, description = "the vendor's code")),
    security(("operator_key" = [])),
    responses((status = 204), (status = "4XX", body = ProblemView, description = "scheme_not_found, not_member, not_excluded")))]
async fn lift_exclusion(
    State(app): State<App>,
    operator: Operator,
    Path((scheme, vendor)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    app.settlement.lift_exclusion(&scheme, &vendor, operator.key).await?;
    Ok(StatusCode::NO_CONTENT)
}
