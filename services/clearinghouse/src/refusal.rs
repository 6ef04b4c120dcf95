//! Saying no: what every refusal can do, and a refusal of whichever capability.
//!
//! A capability has an enum of its own refusals in its `error.rs`, and its service answers with `Failure` of that. Where refusals of
//! several meet, as in a swap, which an amount, a vendor, a user or a posting rule may stop, they go on as [`AnyRefusal`].

use crate::http::problem::Problem;
use ledger::Failure;
use std::error::Error;
use std::fmt;

/// The rules say no, and this is what the caller is told.
pub trait Refusal: Error {
    /// The status, the code and the facts of the refusal; its `Display` is the detail.
    fn problem(&self) -> Problem;
}

/// A refusal of whichever capability.
#[derive(Debug)]
pub struct AnyRefusal(Box<dyn Refusal + Send + Sync>);

/// What a service answers in which refusals of several capabilities meet.
pub type Answer<T> = Result<T, Failure<AnyRefusal>>;

/// The refusal as a failure of whichever capability.
pub fn refuse(refusal: impl Refusal + Send + Sync + 'static) -> Failure<AnyRefusal> {
    Failure::Refused(AnyRefusal(Box::new(refusal)))
}

/// The failure of one capability as one of whichever.
pub fn of_any<R: Refusal + Send + Sync + 'static>(failure: Failure<R>) -> Failure<AnyRefusal> {
    match failure {
        Failure::Refused(refusal) => refuse(refusal),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}

impl Refusal for AnyRefusal {
    fn problem(&self) -> Problem {
        self.0.problem()
    }
}

impl Error for AnyRefusal {}

impl fmt::Display for AnyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is wrong with a request that cannot be read is a problem from the start.
impl Refusal for Problem {
    fn problem(&self) -> Problem {
        self.clone()
    }
}
