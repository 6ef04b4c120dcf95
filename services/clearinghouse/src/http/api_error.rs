//! Why a handler has no answer, as it is answered: a refusal is its problem; a fault is logged here, once, under the request's id,
//! and the caller is told nothing of it.

use super::problem::Problem;
use crate::refusal::Refusal;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ledger::{Failure, Fault};
use std::any::Any;
use tokio_postgres::error::SqlState;

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
    log_fault(fault);
    problem_of_fault(fault)
}

/// Once per request, however much of it the fault has stopped.
pub(crate) fn log_fault(fault: &Fault) {
    tracing::error!(error = %fault, source = ?std::error::Error::source(fault), transient = is_transient(fault), "a request met a fault");
}

/// What the caller is told: only whether to try again.
pub(crate) fn problem_of_fault(fault: &Fault) -> Problem {
    if is_transient(fault) {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the house cannot answer just now; the request may be repeated")
            .retry_after(1)
    } else {
        internal()
    }
}

/// Whether the same request may succeed later.
fn is_transient(fault: &Fault) -> bool {
    match fault {
        Fault::Pool(_) | Fault::Unwritten(_) | Fault::EngineGone => true,
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
