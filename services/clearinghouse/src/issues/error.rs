//! Refusals of issues that the posting rules do not know.

use crate::http::problem::Problem;
use crate::refusal::Refusal;

/// Why nothing was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IssueRefusal {
    /// Nobody has that handle or id.
    #[error("there is no such user")]
    UserNotFound,
}

impl Refusal for IssueRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::UserNotFound => Problem::unprocessable("user_not_found", self).fact("field", "user"),
        }
    }
}
