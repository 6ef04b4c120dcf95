//! What a caller reads when a request did not happen: RFC 9457 problems with a stable code.
//!
//! A refusal becomes its problem through one exhaustive `match` per capability (in its `error.rs`), so a new refusal does not compile
//! until it has a status. What is not the caller's fault is answered in [`super::api_error`].

use axum::Json;
use axum::http::header::{HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt::Display;
use utoipa::ToSchema;

/// The media type of every answer that is a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A problem in the making: status, code and detail, then facts.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retryable: bool,
    facts: Map<String, Value>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem that trying the same again does not solve.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Display) -> Self {
        Self { status, code, detail: detail.to_string(), retryable: false, facts: Map::new(), header: None }
    }

    /// 400: the request cannot be read.
    pub fn unreadable(code: &'static str, detail: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 404: there is no such thing, or it is not the caller's.
    pub fn not_found(code: &'static str, detail: impl Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// 409: it contradicts what is there.
    pub fn conflict(code: &'static str, detail: impl Display) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: it can be read, and the rules say no.
    pub fn unprocessable(code: &'static str, detail: impl Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 503: the house has too much to do just now; the same request may work in a second.
    pub fn overloaded(detail: impl Display) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(1)
    }

    /// Adds a fact that a program can use, such as `needed`.
    pub fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// The same request may succeed later.
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same request may succeed after so many seconds.
    pub fn retry_after(self, seconds: u32) -> Self {
        self.retryable().header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a header to the answer.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// As it is written; its header is not part of that.
    pub fn into_view(self) -> ProblemView {
        let Self { status, code, detail, retryable, facts, header: _ } = self;
        ProblemView {
            kind: format!("urn:scriphouse:problem:{code}"),
            title: title(code),
            status: status.as_u16(),
            code: code.to_owned(),
            detail,
            retryable,
            facts,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let (status, header) = (self.status, self.header.take());
        let mut response = (status, Json(self.into_view())).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response.headers_mut().extend(header);
        response
    }
}

/// `insufficient_tokens` is titled `Insufficient tokens`.
fn title(code: &str) -> String {
    let words = code.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A problem as it is written (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemView {
    /// Names the kind of problem: `urn:scriphouse:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The code in words.
    title: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// Stable; programs decide by this.
    code: String,
    /// What is wrong with this request, for people.
    detail: String,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// What a program may want to know besides: `field`, `needed`, `available`, ...
    #[serde(flatten)]
    facts: Map<String, Value>,
}
