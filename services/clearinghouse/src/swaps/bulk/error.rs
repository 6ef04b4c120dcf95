//! Refusals of bulk requests and of their lines.

use crate::http::problem::Problem;
use crate::refusal::Refusal;
use axum::http::StatusCode;

/// Why there is no bulk request, or why a line of one is not posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BulkRefusal {
    /// The body has no line at all.
    #[error("send at least one line: a JSON object each, with a line feed between them")]
    NoLines,
    /// More than is taken at once.
    #[error("a bulk request has at most {max} lines")]
    TooManyLines {
        /// The most.
        max: usize,
    },
    /// As many as may be worked on are.
    #[error("as many bulk requests as the server takes are under way; try again shortly")]
    Overloaded,
    /// Whose tokens shall be given?
    #[error("user: say whose tokens are given; only a user's own session leaves it out")]
    UserRequired,
    /// A session names nobody: it swaps for its own user.
    #[error("user: leave it out; a session swaps for its own user")]
    UserNotExpected,
    /// A vendor acts for the holders of its own token only.
    #[error("from: a vendor's key swaps its own token only, and {vendor} is another's")]
    TokenNotYours {
        /// Whose token it is.
        vendor: String,
    },
}

impl Refusal for BulkRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::NoLines => Problem::unreadable("invalid_body", self),
            Self::TooManyLines { max } => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_lines", self).fact("max", *max),
            Self::Overloaded => Problem::overloaded(self),
            Self::UserRequired => Problem::unprocessable("user_required", self).fact("field", "user"),
            Self::UserNotExpected => Problem::unprocessable("user_not_expected", self).fact("field", "user"),
            Self::TokenNotYours { vendor } => {
                Problem::new(StatusCode::FORBIDDEN, "token_not_yours", self).fact("field", "from").fact("vendor", vendor.as_str())
            }
        }
    }
}
