//! Access rules as types: the parameter of a handler says whose credential it wants.
//!
//! [`Operator`], [`Vendor`], [`User`], [`OperatorOrVendor`], or [`Anyone`] with any good credential. The tenant is taken from here and
//! never from the input. A handler without one of these is public.

use super::api_error::ApiError;
use crate::access::{Access, AccessRefusal, Caller, Scope};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jiff::Timestamp;
use scrip::{UserId, VendorId};
use uuid::Uuid;

/// The house's operator.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The id of the key, for records of who did what.
    pub key: Uuid,
}

/// A vendor, by one of its keys.
#[derive(Debug, Clone)]
pub struct Vendor {
    /// The tenant of the request.
    pub id: VendorId,
    /// What the key may do.
    pub scopes: Vec<Scope>,
    /// When the key ends.
    pub expires_at: Option<Timestamp>,
}

impl Vendor {
    /// Refuses with `missing_scope` where the key lacks the scope.
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        if self.scopes.contains(&scope) { Ok(()) } else { Err(AccessRefusal::MissingScope { scope }.into()) }
    }
}

/// A user, by a session.
#[derive(Debug, Clone)]
pub struct User {
    /// The user of the request.
    pub id: UserId,
    /// The session, which signing out ends.
    pub session: Uuid,
}

/// Either side of a settlement: the operator sees all of it, a vendor its own part.
#[derive(Debug, Clone)]
pub enum OperatorOrVendor {
    /// The operator.
    Operator(Operator),
    /// A vendor.
    Vendor(Vendor),
}

/// Anyone with a good credential.
#[derive(Debug, Clone)]
pub enum Anyone {
    /// The operator.
    Operator(Operator),
    /// A vendor.
    Vendor(Vendor),
    /// A user.
    User(User),
}

impl<S: Send + Sync> FromRequestParts<S> for Anyone
where
    Access: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = bearer(parts).ok_or(AccessRefusal::Unauthenticated)?;
        Ok(match Access::from_ref(state).identify(text).await? {
            Caller::Operator { key } => Self::Operator(Operator { key }),
            Caller::Vendor { id, scopes, expires_at } => Self::Vendor(Vendor { id, scopes, expires_at }),
            Caller::User { id, session } => Self::User(User { id, session }),
        })
    }
}

/// The text after `Bearer`, if there is exactly one such header.
fn bearer(parts: &Parts) -> Option<&str> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let header = headers.next().filter(|_| headers.next().is_none())?;
    let (scheme, text) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(text)
}

/// A kind of credential as a parameter: anyone's, if it is of that kind, and the others are refused.
macro_rules! extract {
    ($kind:ident: $($good:pat => $value:expr),+; refused: $other:pat, wanted: $wanted:literal) => {
        impl<S: Send + Sync> FromRequestParts<S> for $kind
        where
            Access: FromRef<S>,
        {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
                match Anyone::from_request_parts(parts, state).await? {
                    $($good => Ok($value),)+
                    $other => Err(AccessRefusal::Forbidden { wanted: $wanted }.into()),
                }
            }
        }
    };
}

extract!(Operator: Anyone::Operator(operator) => operator; refused: Anyone::Vendor(_) | Anyone::User(_), wanted: "an operator's key");
extract!(Vendor: Anyone::Vendor(vendor) => vendor; refused: Anyone::Operator(_) | Anyone::User(_), wanted: "a vendor's key");
extract!(User: Anyone::User(user) => user; refused: Anyone::Operator(_) | Anyone::Vendor(_), wanted: "a user's session");
extract!(OperatorOrVendor:
    Anyone::Operator(operator) => Self::Operator(operator), Anyone::Vendor(vendor) => Self::Vendor(vendor);
    refused: Anyone::User(_), wanted: "an operator's or a vendor's key");
