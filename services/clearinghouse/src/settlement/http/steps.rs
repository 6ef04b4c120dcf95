//! Routes and bodies of what becomes of a run; only the operator's. Each key of the operator stands for a person.
//!
//! A step that was taken already by the same person is answered and not taken twice, so these requests may be repeated without a key.

use super::views::RunView;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Nothing, Path};
use crate::http::credential::Operator;
use crate::http::page::Paged;
use crate::http::problem::ProblemView;
use crate::settlement::Viewer;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use runs::steps::Step;
use runs::{NewVoid, Run};
use scrip::RunId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(propose_run))
        .routes(routes!(approve_run))
        .routes(routes!(export_run))
        .routes(routes!(void_run))
        .routes(routes!(list_steps))
}

/// The result that is agreed to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveRun {
    /// The run's `output_hash`, as the approver has read it.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    output_hash: String,
}

/// Why a run is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VoidRun {
    #[schema(example = "BEANS disputes its statement", min_length = 1, max_length = 500)]
    reason: String,
    /// Has to be said of an exported run: that whoever has its bank files will not carry them out. Its windows are netted, and paid, once more.
    instructions_recalled: Option<bool>,
}

/// One step of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StepView {
    /// Counts the run's steps from 1.
    seq: i32,
    #[schema(example = "computed")]
    from: String,
    #[schema(example = "proposed")]
    to: String,
    /// `operator:` and the id of the key, or `house` for what needs nobody.
    #[schema(example = "operator:019ac1b0-0000-7000-8000-000000000000")]
    actor: String,
    reason: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    stepped_at: Timestamp,
}

impl From<Step> for StepView {
    fn from(Step { seq, from, to, actor, reason, stepped_at }: Step) -> Self {
        Self { seq, from: from.to_string(), to: to.to_string(), actor: actor.to_string(), reason, stepped_at }
    }
}

fn shown(run: Run) -> Json<RunView> {
    Json(RunView::new(run, Viewer::House))
}

/// Lay a run before a second person.
#[utoipa::path(post, path = "/v1/runs/{id}/propose", tag = "settlement", request_body = Nothing, params(("id" = Uuid, Path)),
    security(("operator_key" = [])),
    responses((status = 200, body = RunView), (status = "4XX", body = ProblemView, description = "not_found, run_step_illegal")))]
async fn propose_run(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<Uuid>,
    _: Body<Nothing>,
) -> Result<Json<RunView>, ApiError> {
    Ok(shown(app.settlement.propose(RunId::new(id), operator.key).await?))
}

/// Approve a run, with another key than the one that proposed it. What is approved is the result that `output_hash` names.
#[utoipa::path(post, path = "/v1/runs/{id}/approve", tag = "settlement", request_body = ApproveRun, params(("id" = Uuid, Path)),
    security(("operator_key" = [])),
    responses((status = 200, body = RunView), (status = "4XX", body = ProblemView,
        description = "not_found, run_step_illegal, approver_is_proposer, output_hash_malformed, output_hash_differs, run_disputed, run_may_be_disputed")))]
async fn approve_run(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<Uuid>,
    Body(body): Body<ApproveRun>,
) -> Result<Json<RunView>, ApiError> {
    Ok(shown(app.settlement.approve(RunId::new(id), &body.output_hash, operator.key).await?))
}

/// Release an approved run to be paid. A run without transfers has nothing to wait for and is settled at once.
#[utoipa::path(post, path = "/v1/runs/{id}/export", tag = "settlement", request_body = Nothing, params(("id" = Uuid, Path)),
    security(("operator_key" = [])),
    responses((status = 200, body = RunView), (status = "4XX", body = ProblemView, description = "not_found, run_step_illegal")))]
async fn export_run(State(app): State<App>, operator: Operator, Path(id): Path<Uuid>, _: Body<Nothing>) -> Result<Json<RunView>, ApiError> {
    Ok(shown(app.settlement.export(RunId::new(id), operator.key).await?))
}

/// Take a run back, as long as no transfer of it has been confirmed. The scheme's next run nets its windows again.
#[utoipa::path(post, path = "/v1/runs/{id}/void", tag = "settlement", request_body = VoidRun, params(("id" = Uuid, Path)),
    security(("operator_key" = [])),
    responses((status = 200, body = RunView),
        (status = "4XX", body = ProblemView, description = "not_found, run_step_illegal, instructions_not_recalled, reason_malformed")))]
async fn void_run(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<Uuid>,
    Body(body): Body<VoidRun>,
) -> Result<Json<RunView>, ApiError> {
    let VoidRun { reason, instructions_recalled } = body;
    let void = NewVoid { reason, instructions_recalled: instructions_recalled.unwrap_or_default() };
    Ok(shown(app.settlement.void(RunId::new(id), &void, operator.key).await?))
}

/// What became of a run, and who did it: the oldest step first, five at most.
#[utoipa::path(get, path = "/v1/runs/{id}/steps", tag = "settlement", params(("id" = Uuid, Path)), security(("operator_key" = [])),
    responses((status = 200, body = Paged<StepView>), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn list_steps(State(app): State<App>, _: Operator, Path(id): Path<Uuid>) -> Result<Json<Paged<StepView>>, ApiError> {
    let steps = app.settlement.list_steps(RunId::new(id)).await?;
    Ok(Json(Paged { items: steps.into_iter().map(StepView::from).collect(), next: None }))
}
