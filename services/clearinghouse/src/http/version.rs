//! Things that change bear a version: `ETag` shows it, `If-Match` says which one a change was made for.

use super::api_error::ApiError;
use super::problem::Problem;
use axum::Json;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::IntoParams;

/// What a change is for: one version, or whichever is there (`*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(Option<i64>);

impl IfMatch {
    /// Whether the change was made for this version.
    pub fn matches(self, version: i64) -> bool {
        self.0.is_none_or(|expected| expected == version)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read_if_match(parts).ok_or_else(|| if_match_required().into())
    }
}

/// For what is made without a version and changed with one.
impl<S: Send + Sync> OptionalFromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, ApiError> {
        Ok(read_if_match(parts))
    }
}

fn read_if_match(parts: &Parts) -> Option<IfMatch> {
    let tag = parts.headers.get(header::IF_MATCH)?.to_str().unwrap_or_default().trim();
    // A tag that was never ours matches no version, and versions begin at 1.
    let version = tag.strip_prefix('"').and_then(|t| t.strip_suffix('"')).and_then(|t| t.parse().ok()).unwrap_or(0);
    Some(IfMatch((tag != "*").then_some(version)))
}

/// 428: what is there is changed for a version of it only.
pub(crate) fn if_match_required() -> Problem {
    let detail = "send If-Match with the ETag that you read, so that nobody's change is lost";
    Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_required", detail)
}

/// How the header stands in the API's description.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header; it is read by IfMatch")]
pub struct IfMatchHeader {
    /// The `ETag` of the version that the change is for, or `*`.
    #[param(rename = "If-Match", example = "\"1\"")]
    if_match: String,
}

/// 200 with the thing and its version as `ETag`.
#[derive(Debug)]
pub struct Versioned<T> {
    /// Begins at 1 and grows with each change.
    pub version: i64,
    /// The thing.
    pub view: T,
}

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let tag = HeaderValue::from_str(&format!("\"{}\"", self.version)).unwrap_or(HeaderValue::from_static("\"0\""));
        ([(header::ETAG, tag)], Json(self.view)).into_response()
    }
}
