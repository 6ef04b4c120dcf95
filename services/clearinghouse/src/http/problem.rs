//! What a caller reads when a request did not happen: RFC 9457 problems with a stable code.
//!
//! A refusal becomes its problem through one exhaustive `match` per capability ([`Refusal::problem`], in its `error.rs`), so a new refusal does not
//! compile until it has a status. A fault is logged here, once, under the request's id, and the caller is told nothing of it.

use crate::refusal::Refusal;
use axum::Json;
use axum::http::header::{HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ledger::{Failure, Fault};
use serde::Serialize;
use serde_json::{Map, Value};
use std::any::Any;
use std::fmt::Display;
use tokio_postgres::error::SqlState;
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
}

/// What is wrong with a request that cannot be read is a problem from the start.
impl Refusal for Problem {
    fn problem(&self) -> Problem {
        self.clone()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, detail, retryable, facts, header } = self;
        let view = ProblemView {
            kind: format!("urn:scriphouse:problem:{code}"),
            title: title(code),
            status: status.as_u16(),
            code: code.to_owned(),
            detail,
            retryable,
            facts,
        };
        let mut response = (status, Json(view)).into_response();
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
    status: u16,
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

/// Why a handler has no answer: the rules refuse, or the world failed.
#[derive(Debug)]
pub enum ApiError {
    /// The rules say no.
    Refused(Box<Problem>),
    /// The world failed; the caller learns only whether to try again.
    Fault(Fault),
}

impl From<Box<Problem>> for ApiError {
    fn from(problem: Box<Problem>) -> Self {
        Self::Refused(problem)
    }
}

impl<R: Refusal> From<R> for ApiError {
    fn from(refusal: R) -> Self {
        Self::Refused(Box::new(refusal.problem()))
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<R: Refusal> From<Failure<R>> for ApiError {
    fn from(failure: Failure<R>) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(problem) => problem.into_response(),
            Self::Fault(fault) => fault_problem(&fault).into_response(),
        }
    }
}

/// Logs the fault; the span that it happens in bears the request's id.
fn fault_problem(fault: &Fault) -> Problem {
    let transient = is_transient(fault);
    tracing::error!(error = %fault, source = ?std::error::Error::source(fault), transient, "a request met a fault");
    if transient {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the house cannot answer just now; the request may be repeated")
            .retry_after(1)
    } else {
        internal()
    }
}

/// Whether the same request may succeed later.
fn is_transient(fault: &Fault) -> bool {
    match fault {
        Fault::Pool(_) | Fault::EngineGone => true,
        Fault::Database(error) => error.code().is_none_or(passes),
        Fault::Batch(fault) => is_transient(fault),
        Fault::Unreadable(_) | Fault::PositionTooLarge => false,
    }
}

/// Deadlocks, lost connections, a database that starts or stops, and exhausted resources pass; other database errors are ours.
fn passes(state: &SqlState) -> bool {
    ["40", "08", "57", "53", "58"].iter().any(|class| state.code().starts_with(class))
}

fn internal() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the house failed to answer; the request's id names the failure in its log")
}

/// A handler panicked: a bug of ours. Its database tx is gone with it.
pub(super) fn after_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("of unknown kind"), "a request met a bug");
    internal().into_response()
}

/// No route has this path.
pub(super) async fn no_such_route() -> Problem {
    Problem::not_found("not_found", "there is nothing here")
}

/// The path has a route, but not with this method; the `Allow` header names those it has.
pub(super) async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not know the method; see the Allow header")
}
