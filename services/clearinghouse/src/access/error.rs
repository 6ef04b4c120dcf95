//! Refusals of access and of keys.

use super::scope::Scope;
use crate::http::problem::Problem;
use crate::names::case_reminder;
use crate::refusal::Refusal;
use axum::http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;

/// Why a caller may not, or why a key is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// No credential, or one that is malformed, unknown, wrong, expired or revoked: never said which.
    #[error(
        "send a valid credential in one Authorization header: `Authorization: Bearer sk_...` with an operator's or a vendor's key, \
         `Authorization: Bearer us_...` with a user's session; one that is incomplete, unknown, expired or revoked is not valid"
    )]
    Unauthenticated,
    /// The credential is good, and of another kind than the route asks for.
    #[error("this is for {wanted}")]
    Forbidden {
        /// Whose credential the route wants.
        wanted: &'static str,
    },
    /// The vendor's key lacks the scope.
    #[error("this key lacks the scope {scope}")]
    MissingScope {
        /// The scope that is needed.
        scope: Scope,
    },
    /// A key cannot pass on what it may not do itself.
    #[error("a key cannot make or end another with the scope {scope}, which it lacks itself")]
    ScopeNotHeld {
        /// The scope that the making key lacks.
        scope: Scope,
    },
    /// A key that is made by one that ends must end as well.
    #[error("this key ends at {end}, and none that it makes may outlive it")]
    OutlivesItsMaker {
        /// When the maker ends.
        end: Timestamp,
    },
    /// The key's name is empty, too long or has control characters.
    #[error("a key's name is 1 to 100 characters on one line")]
    KeyNameMalformed,
    /// The key would be dead at birth.
    #[error("expires_at is in the past")]
    ExpiresInThePast,
    /// No key of this vendor has that id.
    #[error("there is no such key")]
    KeyNotFound,
    /// More callers than can be told apart at a time.
    #[error("the server has more callers than it can look up; try again shortly")]
    Overloaded,
    /// No vendor has that code.
    #[error("there is no vendor {vendor}{}", case_reminder(.vendor))]
    VendorNotFound {
        /// What was asked for.
        vendor: String,
    },
}

impl Refusal for AccessRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::Unauthenticated => Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", self)
                .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            Self::Forbidden { .. } => Problem::new(StatusCode::FORBIDDEN, "forbidden", self),
            Self::MissingScope { scope } => Problem::new(StatusCode::FORBIDDEN, "missing_scope", self).fact("scope", scope.as_str()),
            Self::ScopeNotHeld { scope } => Problem::new(StatusCode::FORBIDDEN, "scope_not_held", self).fact("scope", scope.as_str()),
            Self::OutlivesItsMaker { end } => Problem::unprocessable("outlives_its_maker", self).fact("end", end.to_string()),
            Self::KeyNameMalformed => Problem::unprocessable("key_name_malformed", self).fact("field", "name"),
            Self::ExpiresInThePast => Problem::unprocessable("expires_in_the_past", self).fact("field", "expires_at"),
            Self::Overloaded => Problem::overloaded(self),
            Self::KeyNotFound => Problem::not_found("not_found", self),
            Self::VendorNotFound { vendor } => Problem::not_found("vendor_not_found", self).fact("vendor", vendor.as_str()),
        }
    }
}
