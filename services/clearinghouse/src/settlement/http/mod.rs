//! Routes of runs, windows and files. The operator sees everything, a vendor its own part.
//!
//! Beside them: [`views`] is how these are shown, [`download`] how a file leaves the house, [`bundles`] all that proves a run, [`steps`] the
//! routes of what becomes of a run, [`disputes`] those of what vendors say of one, [`defaults`] those of vendors that do not pay,
//! [`exclusions`] those of whom runs leave out, [`previews`] those of a run that is not made, [`explanations`] those of what is behind a run,
//! [`what_if_default`] that of a failure to pay, [`gridlock`] that of what could settle at once, [`forecasts`] those of
//! what a window is on the way to, [`transfers`] those of one transfer, [`payments`] those of
//! what is to be paid now, [`confirmations`] those of what banks say, [`schedules`] and [`calendars`] those of when a scheme settles by itself.

mod bundles;
mod calendars;
mod confirmations;
mod defaults;
mod disputes;
mod download;
mod exclusions;
mod explanations;
mod forecasts;
mod gridlock;
mod payments;
mod previews;
mod schedules;
mod steps;
mod transfers;
mod views;
mod what_if_default;

use super::Viewer;
use crate::access::Scope;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Nothing, Path, Posted};
use crate::http::credential::{Operator, OperatorOrVendor};
use crate::http::idempotency::{IdempotencyKey, Keyed};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use runs::Run;
use runs::files::StatementPage;
use runs::runs::{Position, Transfer};
use scrip::RunId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use views::{FileView, PositionView, RunView, TransferView, WindowView};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_run, list_runs_of_scheme))
        .routes(routes!(list_windows, hold_window))
        .routes(routes!(list_runs))
        .routes(routes!(get_run))
        .routes(routes!(list_transfers))
        .routes(routes!(list_positions))
        .routes(routes!(list_files))
        .routes(routes!(get_file))
        .routes(routes!(print_statement))
        .merge(bundles::routes())
        .merge(steps::routes())
        .merge(disputes::routes())
        .merge(defaults::routes())
        .merge(exclusions::routes())
        .merge(explanations::routes())
        .merge(what_if_default::routes())
        .merge(gridlock::routes())
        .merge(forecasts::routes())
        .merge(previews::routes())
        .merge(transfers::routes())
        .merge(payments::routes())
        .merge(confirmations::routes())
        .merge(schedules::routes())
        .merge(calendars::routes())
}

/// Close the scheme's window and net it, now. The same key again answers with the same run, also after a crash.
#[utoipa::path(post, path = "/v1/schemes/{scheme}/runs", tag = "settlement", request_body = Nothing,
    params(("scheme" = String, Path, description = "the scheme's code"), IdempotencyKey), security(("operator_key" = [])),
    responses((status = 201, body = RunView), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn create_run(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    request: Keyed<Nothing>,
) -> Result<Posted<RunView>, ApiError> {
    let settled = app.settlement.settle(&scheme, &request.key, request.body).await?;
    Ok(Posted::created(!settled.closed_now, RunView::new(settled.run, Viewer::House)))
}

/// A scheme's windows, newest first.
#[utoipa::path(get, path = "/v1/schemes/{scheme}/windows", tag = "settlement",
    params(("scheme" = String, Path, description = "the scheme's code"), PageParams), security(("operator_key" = [])),
    responses((status = 200, body = Paged<WindowView>), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn list_windows(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    page: Page,
) -> Result<Json<Paged<WindowView>>, ApiError> {
    let windows = app.settlement.list_windows(&scheme, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(windows, |summary| summary.window.number)))
}

/// Close the scheme's window without netting it: it waits for the scheme's next run, which nets it together with its own.
#[utoipa::path(post, path = "/v1/schemes/{scheme}/windows", tag = "settlement", request_body = Nothing,
    params(("scheme" = String, Path, description = "the scheme's code"), IdempotencyKey), security(("operator_key" = [])),
    responses((status = 201, body = WindowView), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn hold_window(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    request: Keyed<Nothing>,
) -> Result<Posted<WindowView>, ApiError> {
    request.body?;
    let (window, closed_now) = app.settlement.hold_window(&scheme, &request.key).await?;
    Ok(Posted::created(!closed_now, window.into()))
}

/// A scheme's runs, newest first.
#[utoipa::path(get, path = "/v1/schemes/{scheme}/runs", tag = "settlement",
    params(("scheme" = String, Path, description = "the scheme's code"), PageParams), security(("operator_key" = [])),
    responses((status = 200, body = Paged<RunView>), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn list_runs_of_scheme(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    page: Page,
) -> Result<Json<Paged<RunView>>, ApiError> {
    let after = page.after::<Uuid>()?.map(RunId::new);
    let runs = app.settlement.list_runs_of_scheme(&scheme, after, page.limit_plus_one()).await?;
    Ok(Json(page.of(runs, |run: &Run| run.id).map(|run: Run| RunView::new(run, Viewer::House))))
}

/// Runs, newest first: all of them, or those that the vendor took part in.
#[utoipa::path(get, path = "/v1/runs", tag = "settlement", params(PageParams), security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = Paged<RunView>), (status = "4XX", body = ProblemView)))]
async fn list_runs(State(app): State<App>, caller: OperatorOrVendor, page: Page) -> Result<Json<Paged<RunView>>, ApiError> {
    let after = page.after::<Uuid>()?.map(RunId::new);
    let viewer = viewer(caller)?;
    let runs = app.settlement.list_runs(viewer, after, page.limit_plus_one()).await?;
    Ok(Json(page.of(runs, |run: &Run| run.id).map(|run: Run| RunView::new(run, viewer))))
}

/// One run.
#[utoipa::path(get, path = "/v1/runs/{id}", tag = "settlement", params(("id" = Uuid, Path)),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = RunView), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn get_run(State(app): State<App>, caller: OperatorOrVendor, Path(id): Path<Uuid>) -> Result<Json<RunView>, ApiError> {
    let viewer = viewer(caller)?;
    Ok(Json(RunView::new(app.settlement.get_run(viewer, RunId::new(id)).await?, viewer)))
}

/// A run's transfers in order: all of them, or those that the vendor pays or is paid.
#[utoipa::path(get, path = "/v1/runs/{id}/transfers", tag = "settlement", params(("id" = Uuid, Path), PageParams),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = Paged<TransferView>), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn list_transfers(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path(id): Path<Uuid>,
    page: Page,
) -> Result<Json<Paged<TransferView>>, ApiError> {
    let (run, transfers) = app.settlement.list_transfers(viewer(caller)?, RunId::new(id), page.after()?, page.limit_plus_one()).await?;
    let transfers: Paged<Transfer> = page.of(transfers, |transfer| transfer.number);
    Ok(Json(transfers.map(|transfer| TransferView::new(transfer, &run.currency, run.digits))))
}

/// A run's positions by vendor code: all of them, or the vendor's own.
#[utoipa::path(get, path = "/v1/runs/{id}/positions", tag = "settlement", params(("id" = Uuid, Path), PageParams),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = Paged<PositionView>), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn list_positions(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path(id): Path<Uuid>,
    page: Page,
) -> Result<Json<Paged<PositionView>>, ApiError> {
    let (run, positions) = app.settlement.list_positions(viewer(caller)?, RunId::new(id), page.after()?, page.limit_plus_one()).await?;
    let positions: Paged<Position> = page.of(positions, |position| position.vendor.clone());
    Ok(Json(positions.map(|position| PositionView::new(position, &run.currency, run.digits))))
}

/// A run's files by name: all of them, or the vendor's statement.
#[utoipa::path(get, path = "/v1/runs/{id}/files", tag = "settlement", params(("id" = Uuid, Path), PageParams),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = Paged<FileView>), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn list_files(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path(id): Path<Uuid>,
    page: Page,
) -> Result<Json<Paged<FileView>>, ApiError> {
    let files = app.settlement.list_files(viewer(caller)?, RunId::new(id), page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(files, |file| file.name.clone())))
}

/// Download a file; `pain.001` and `pacs.009` once the run is exported. Its bytes are the same for ever; the ETag is their SHA-256, and Content-Digest says it again.
#[utoipa::path(get, path = "/v1/runs/{id}/files/{name}", tag = "settlement", params(("id" = Uuid, Path), ("name" = String, Path)),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, content_type = "application/octet-stream", description = "the file, streamed"),
        (status = 304, description = "If-None-Match names its ETag"),
        (status = "4XX", body = ProblemView, description = "not_found, run_not_exported")))]
async fn get_file(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path((id, name)): Path<(Uuid, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let viewer = viewer(caller)?;
    let head = app.settlement.get_file(viewer, RunId::new(id), &name).await?;
    Ok(download::download(app.settlement.clone(), viewer, &head, &headers))
}

/// A vendor's statement as a page to print: the lines of `statement-<VENDOR>.csv`, of the same figures. A vendor sees its own.
#[utoipa::path(get, path = "/v1/runs/{id}/statements/{vendor}", tag = "settlement",
    params(("id" = Uuid, Path), ("vendor" = String, Path, description = "the vendor's code")),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, content_type = "text/html", description = "the page, streamed"),
        (status = "4XX", body = ProblemView, description = "not_found")))]
async fn print_statement(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path((id, vendor)): Path<(Uuid, String)>,
) -> Result<Response, ApiError> {
    let viewer = viewer(caller)?;
    let (run, head) = app.settlement.get_statement(viewer, RunId::new(id), &vendor).await?;
    Ok(download::print(app.settlement.clone(), viewer, &head, StatementPage::new(&run, &vendor)))
}

/// Whose eyes the credential is; a vendor's key needs the scope.
fn viewer(caller: OperatorOrVendor) -> Result<Viewer, ApiError> {
    match caller {
        OperatorOrVendor::Operator(_) => Ok(Viewer::House),
        OperatorOrVendor::Vendor(vendor) => vendor.require(Scope::SettlementRead).map(|()| Viewer::Vendor(vendor.id)),
    }
}
