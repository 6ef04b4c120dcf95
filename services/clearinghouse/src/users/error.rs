//! Refusals of users and their passwords.

use crate::http::problem::Problem;
use crate::refusal::Refusal;
use axum::http::{HeaderValue, StatusCode, header};

/// Why a user is not registered or not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserRefusal {
    /// Not a handle.
    #[error("a handle is 3 to 128 of a-z, 0-9, . _ @ + -, begins with a letter or digit, and does not look like an id")]
    HandleMalformed,
    /// Another user has the handle.
    #[error("another user has this handle")]
    HandleTaken,
    /// Too easy to guess.
    #[error("a password has at least {min} characters")]
    PasswordTooShort {
        /// The least.
        min: usize,
    },
    /// More work than a password is worth.
    #[error("a password has at most {max} characters")]
    PasswordTooLong {
        /// The most.
        max: usize,
    },
    /// Which of the two is never said.
    #[error("the handle or the password is wrong")]
    WrongHandleOrPassword,
    /// Everybody is signing in just now.
    #[error("too many people are signing in just now; try again shortly")]
    Overloaded,
}

impl Refusal for UserRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::HandleMalformed => Problem::unprocessable("handle_malformed", self).fact("field", "handle"),
            Self::HandleTaken => Problem::conflict("handle_taken", self).fact("field", "handle"),
            Self::PasswordTooShort { min } => {
                Problem::unprocessable("password_too_short", self).fact("field", "password").fact("min", *min)
            }
            Self::PasswordTooLong { max } => Problem::unprocessable("password_too_long", self).fact("field", "password").fact("max", *max),
            Self::WrongHandleOrPassword => Problem::new(StatusCode::UNAUTHORIZED, "wrong_handle_or_password", self)
                .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            Self::Overloaded => Problem::overloaded(self),
        }
    }
}
