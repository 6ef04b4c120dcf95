//! The route of a run's bundle: everything with which an auditor proves the run, on its way from the database to the caller.

use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::Path;
use crate::http::credential::Operator;
use crate::http::problem::ProblemView;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, TryStreamExt};
use runs::bundles::{Broken, Bundle};
use scrip::RunId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_bundle))
}

/// Download everything that proves a run: its windows, obligations, swaps, transfers, steps and files, in one archive. `scriphouse verify --bundle`
/// proves it without the database. The bytes are the same as long as nothing becomes of the run; a step that it takes changes them.
#[utoipa::path(get, path = "/v1/runs/{id}/bundle", tag = "settlement", params(("id" = Uuid, Path)), security(("operator_key" = [])),
    responses((status = 200, content_type = "application/x-tar", description = "an uncompressed ustar archive, streamed"),
        (status = "4XX", body = ProblemView, description = "not_found"),
        (status = 503, body = ProblemView, description = "overloaded: as many bundles as the house writes at once are under way")))]
async fn get_bundle(State(app): State<App>, _: Operator, Path(id): Path<Uuid>) -> Result<Response, ApiError> {
    Ok(download(app.settlement.open_bundle(RunId::new(id)).await?))
}

fn download(bundle: Bundle) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", bundle.name())),
    ];
    let chunks = stream::try_unfold(bundle, async |mut bundle| Ok(bundle.next().await?.map(|chunk| (chunk, bundle))));
    // The status has been sent by now; the caller sees a download that breaks off, and why is told here.
    let chunks = chunks.inspect_err(|broken: &Broken| tracing::error!(%broken, "a bundle broke off"));
    (headers, Body::from_stream(chunks)).into_response()
}
