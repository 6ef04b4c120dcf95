//! What every request passes through: its id and its log span, the time it may take, the size it may have, and the last resort
//! when a handler panics.

use super::api_error;
use super::problem::Problem;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use ledger::new_id;
use std::time::{Duration, Instant};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

/// Names a request in the answer and in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The bounds of one request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes_max: usize,
    /// How long a handler may take until its answer begins. A file that streams may take longer.
    pub request_timeout: Duration,
}

/// Puts the edge around all routes, and answers for paths and methods that have none.
pub fn around(routes: Router, limits: Limits) -> Router {
    routes
        .fallback(api_error::no_such_route)
        .method_not_allowed_fallback(api_error::no_such_method)
        .layer(DefaultBodyLimit::max(limits.body_bytes_max))
        .layer(from_fn(move |request, next| within_time(limits.request_timeout, request, next)))
        .layer(CatchPanicLayer::custom(api_error::after_panic))
        .layer(from_fn(with_request_id))
}

/// A caller's id is kept if it is short and plain; everything logged on the way bears it.
async fn with_request_id(request: Request, next: Next) -> Response {
    let sent = request.headers().get(REQUEST_ID).and_then(|v| v.to_str().ok());
    let id = sent.filter(|id| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())).map(str::to_owned);
    let id = id.unwrap_or_else(|| new_id().simple().to_string());
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let started = Instant::now();
    async move {
        let mut response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), elapsed = ?started.elapsed(), "answered");
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

/// A handler that takes too long is dropped. What it asked the engine for may still happen, so the answer says how to find out.
async fn within_time(limit: Duration, request: Request, next: Next) -> Response {
    let Ok(response) = tokio::time::timeout(limit, next.run(request)).await else {
        tracing::warn!(?limit, "a request took too long");
        let detail = "no answer in time; the outcome is unknown: repeat the request with the same Idempotency-Key";
        return Problem::new(StatusCode::GATEWAY_TIMEOUT, "timed_out", detail).retryable().into_response();
    };
    response
}
