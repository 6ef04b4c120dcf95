//! Routes and bodies of what vendors say of a run before it is approved.
//!
//! What was said already is answered and not said twice, so these requests may be repeated without a key.

use super::viewer;
use crate::access::Scope;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Created, Nothing, Path};
use crate::http::credential::{Operator, OperatorOrVendor, Vendor};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use runs::Actor;
use runs::disputes::{Dispute, DisputeState};
use scrip::RunId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(acknowledge_run))
        .routes(routes!(raise_dispute, list_disputes))
        .routes(routes!(withdraw_dispute))
        .routes(routes!(uphold_dispute))
}

/// An obligation that the vendor does not agree to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RaiseDispute {
    /// Its id, as the statement names it (column `reference`).
    obligation: Uuid,
    #[schema(example = "the flight was cancelled", min_length = 1, max_length = 500)]
    reason: String,
}

/// A vendor does not agree to an obligation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DisputeView {
    id: Uuid,
    /// The run in which it was raised.
    run: Uuid,
    obligation: Uuid,
    #[schema(example = "AIRMILES")]
    debtor: String,
    #[schema(example = "BEANS")]
    creditor: String,
    /// The whole of the obligation, in the scheme's currency.
    #[schema(example = "10.000000")]
    amount: String,
    /// Debtor or creditor.
    #[schema(example = "AIRMILES")]
    raised_by: String,
    reason: String,
    /// open: held back; withdrawn: the obligation stands; upheld: it is owed back.
    #[schema(example = "open")]
    state: String,
    #[schema(value_type = String, format = DateTime)]
    raised_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

impl From<Dispute> for DisputeView {
    fn from(dispute: Dispute) -> Self {
        let Dispute { id, run, obligation, debtor, creditor, amount, raised_by, reason, state, raised_at, ended_at } = dispute;
        let (run, amount) = (run.uuid(), amount.display(scrip::money::MICRO_SCALE).to_string());
        let state = state.as_str().to_owned();
        Self { id, run, obligation, debtor, creditor, amount, raised_by, reason, state, raised_at, ended_at }
    }
}

/// Agree to what a run says of you, before its time is up. Whoever says nothing until then agrees as well.
#[utoipa::path(post, path = "/v1/runs/{id}/acknowledge", tag = "settlement", request_body = Nothing, params(("id" = Uuid, Path)),
    security(("vendor_key" = ["settlement:confirm"])),
    responses((status = 204), (status = "4XX", body = ProblemView, description = "not_found, dispute_period_over")))]
async fn acknowledge_run(State(app): State<App>, vendor: Vendor, Path(id): Path<Uuid>, _: Body<Nothing>) -> Result<StatusCode, ApiError> {
    vendor.require(Scope::SettlementConfirm)?;
    app.settlement.acknowledge(RunId::new(id), vendor.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Dispute an obligation that you owe or are owed, before the run's time is up. It is held back until the dispute ends.
#[utoipa::path(post, path = "/v1/runs/{id}/disputes", tag = "settlement", request_body = RaiseDispute, params(("id" = Uuid, Path)),
    security(("vendor_key" = ["settlement:confirm"])),
    responses((status = 201, body = DisputeView), (status = "4XX", body = ProblemView,
        description = "not_found, obligation_not_found, dispute_period_over, disputed_before, not_disputable, reason_malformed")))]
async fn raise_dispute(
    State(app): State<App>,
    vendor: Vendor,
    Path(id): Path<Uuid>,
    Body(body): Body<RaiseDispute>,
) -> Result<Created<DisputeView>, ApiError> {
    vendor.require(Scope::SettlementConfirm)?;
    Ok(Created(app.settlement.raise_dispute(RunId::new(id), vendor.id, body.obligation, &body.reason).await?.into()))
}

/// The disputes about a run's obligations, also those that were raised in a run before it: all of them, or the vendor's own.
#[utoipa::path(get, path = "/v1/runs/{id}/disputes", tag = "settlement", params(("id" = Uuid, Path), PageParams),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = Paged<DisputeView>), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn list_disputes(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path(id): Path<Uuid>,
    page: Page,
) -> Result<Json<Paged<DisputeView>>, ApiError> {
    let disputes = app.settlement.list_disputes(viewer(caller)?, RunId::new(id), page.after()?, page.limit_plus_one()).await?;
    let disputes: Paged<Dispute> = page.of(disputes, |dispute| dispute.id);
    Ok(Json(disputes.map(DisputeView::from)))
}

/// End a dispute: the obligation stands, and is settled by the next run. By the vendor that raised it, or by the operator.
#[utoipa::path(post, path = "/v1/disputes/{id}/withdraw", tag = "settlement", request_body = Nothing, params(("id" = Uuid, Path)),
    security(("operator_key" = []), ("vendor_key" = ["settlement:confirm"])),
    responses((status = 200, body = DisputeView), (status = "4XX", body = ProblemView, description = "not_found, dispute_ended")))]
async fn withdraw_dispute(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path(id): Path<Uuid>,
    _: Body<Nothing>,
) -> Result<Json<DisputeView>, ApiError> {
    Ok(Json(app.settlement.end_dispute(id, DisputeState::Withdrawn, &actor(caller)?).await?.into()))
}

/// End a dispute: the obligation does not stand, and its creditor owes the amount back in the open window.
#[utoipa::path(post, path = "/v1/disputes/{id}/uphold", tag = "settlement", request_body = Nothing, params(("id" = Uuid, Path)),
    security(("operator_key" = [])),
    responses((status = 200, body = DisputeView), (status = "4XX", body = ProblemView, description = "not_found, dispute_ended")))]
async fn uphold_dispute(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<Uuid>,
    _: Body<Nothing>,
) -> Result<Json<DisputeView>, ApiError> {
    Ok(Json(app.settlement.end_dispute(id, DisputeState::Upheld, &Actor::Operator(operator.key)).await?.into()))
}

/// Who says it; a vendor's key needs the scope.
fn actor(caller: OperatorOrVendor) -> Result<Actor, ApiError> {
    match caller {
        OperatorOrVendor::Operator(operator) => Ok(Actor::Operator(operator.key)),
        OperatorOrVendor::Vendor(vendor) => vendor.require(Scope::SettlementConfirm).map(|()| Actor::Vendor(vendor.id)),
    }
}
