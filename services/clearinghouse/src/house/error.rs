//! Refusals of the house's own details.

use crate::http::problem::Problem;
use crate::refusal::Refusal;
use axum::http::StatusCode;

/// Why the account is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HouseRefusal {
    /// Somebody else was faster.
    #[error("the account is at version {version} by now; read it again")]
    VersionMismatch {
        /// What it is.
        version: i64,
    },
}

impl Refusal for HouseRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::VersionMismatch { version } => {
                Problem::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", self).fact("version", *version)
            }
        }
    }
}
