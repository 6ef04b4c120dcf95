//! What every request passes through: how many there may be, its id and its log span, the time it may take, the size it may have, and the
//! last resort when a handler panics.
//!
//! Shape: [`around`] puts the [`Edge`] around all routes; [`super::server`] hands it each request. It is one service and not a stack of
//! layers, each of which would cost every request a box and a clone of what is below it.

use super::api_error;
use super::problem::Problem;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use ledger::new_id;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tracing::{Instrument, Level};

/// Names a request in the answer and in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whether the house answers is answered however much there is to do.
pub(super) const HEALTH_PATH: &str = "/v1/health";

/// The bounds of requests.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests under way at the same time; more are refused at once.
    pub requests_max: usize,
    /// The largest body, in bytes.
    pub body_bytes_max: usize,
    /// How long a handler may take until its answer begins. A file that streams may take longer.
    pub request_timeout: Duration,
}

/// All routes behind their edge; clones share the places.
#[derive(Debug, Clone)]
pub struct Edge {
    routes: TowerToHyperService<Router>,
    request_timeout: Duration,
    places: Arc<Semaphore>,
}

/// Puts the edge around all routes, and answers for paths and methods that have none.
pub fn around(routes: Router, limits: Limits) -> Edge {
    let routes = routes
        .fallback(api_error::no_such_route)
        .method_not_allowed_fallback(api_error::no_such_method)
        .layer(DefaultBodyLimit::max(limits.body_bytes_max));
    Edge {
        routes: TowerToHyperService::new(routes),
        request_timeout: limits.request_timeout,
        places: Arc::new(Semaphore::new(limits.requests_max.min(Semaphore::MAX_PERMITS))),
    }
}

impl Service<Request<Incoming>> for Edge {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let edge = self.clone();
        Box::pin(async move { Ok(edge.answer(request).await) })
    }
}

impl Edge {
    /// A caller's id is kept if it is short and plain; everything logged on the way bears it.
    async fn answer(&self, request: Request<Incoming>) -> Response {
        let id = sent_id(&request).unwrap_or_else(made_id);
        let mut response = if tracing::enabled!(Level::INFO) {
            let text = id.to_str().unwrap_or_default();
            let span = tracing::info_span!("request", id = text, method = %request.method(), path = request.uri().path());
            self.answer_within_bounds(request).instrument(span).await
        } else {
            self.answer_within_bounds(request).await
        };
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }

    async fn answer_within_bounds(&self, request: Request<Incoming>) -> Response {
        let exempt = request.uri().path() == HEALTH_PATH;
        // Held until the answer begins.
        let place = self.places.try_acquire();
        if place.is_err() && !exempt {
            return Problem::overloaded("the server has as many requests under way as it takes; try again shortly").into_response();
        }
        let started = Instant::now();
        let response = AssertUnwindSafe(self.answer_in_time(request)).catch_unwind().await;
        let response = response.unwrap_or_else(api_error::after_panic);
        tracing::debug!(status = response.status().as_u16(), elapsed = ?started.elapsed(), "answered");
        response
    }

    /// A handler that takes too long is dropped. What it asked the engine for may still happen, so the answer says how to find out.
    async fn answer_in_time(&self, request: Request<Incoming>) -> Response {
        let limit = self.request_timeout;
        let Ok(answered) = tokio::time::timeout(limit, self.routes.call(request)).await else {
            tracing::warn!(?limit, "a request took too long");
            let detail = "no answer in time; the outcome is unknown: repeat the request with the same Idempotency-Key";
            return Problem::new(StatusCode::GATEWAY_TIMEOUT, "timed_out", detail).retryable().into_response();
        };
        answered.unwrap_or_else(|never: Infallible| match never {})
    }
}

fn sent_id(request: &Request<Incoming>) -> Option<HeaderValue> {
    let sent = request.headers().get(REQUEST_ID)?;
    ((1..=64).contains(&sent.len()) && sent.as_bytes().iter().all(u8::is_ascii_graphic)).then(|| sent.clone())
}

fn made_id() -> HeaderValue {
    let mut text = [0; 32];
    new_id().simple().encode_lower(&mut text);
    HeaderValue::from_bytes(&text).expect("hexadecimal digits are visible ASCII")
}
