//! Requests that may be repeated: the caller's key, and the hash of what it asked for.
//!
//! The body is read but not yet judged when the handler begins: the key is resolved first, so that a repeated request gets its first
//! answer even where the rules have changed since. Keys are claimed by the ledger, in the tx of the effect; nothing is kept here.

use super::api_error::ApiError;
use super::body;
use super::problem::Problem;
use crate::refusal::{Answer, refuse};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, Method};
use bytes::Bytes;
use ledger::Claim;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use utoipa::IntoParams;
use uuid::Uuid;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest key, in characters.
const LENGTH_MAX: usize = 255;

/// A request with an `Idempotency-Key`. The body may be empty, which reads as `{}`.
#[derive(Debug)]
pub struct Keyed<T> {
    /// The caller's key: 1 to 255 visible ASCII characters.
    pub key: String,
    /// SHA-256 over method, path and what the body says.
    pub request_hash: [u8; 32],
    /// The body, or what is wrong with it; to be judged after the key.
    pub body: Answer<T>,
}

impl<T> Keyed<T> {
    /// The claim that this actor makes with the request.
    pub fn claim(&self, actor: Uuid) -> Claim {
        Claim { actor, key: self.key.clone(), request_hash: self.request_hash }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Keyed<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let key = read_key(request.headers(), LENGTH_MAX)?;
        let said = body::check_media_type(request.headers(), body::JSON);
        let hash = RequestHash::begin(request.method(), request.uri().path());
        let bytes = body::read_bytes(request, state).await?;
        let request_hash = hash.of(&comparable(&bytes));
        Ok(Self { key, request_hash, body: body::parse(said, &bytes).map_err(|problem| refuse(*problem)) })
    }
}

/// The hash of a request, begun with its method and path; cloned where several bodies follow these.
#[derive(Debug, Clone)]
pub(crate) struct RequestHash(Sha256);

impl RequestHash {
    pub(crate) fn begin(method: &Method, path: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [method.as_str(), path] {
            hash.update(part);
            // Neither a method nor a path contains it, so no two requests run together.
            hash.update([0]);
        }
        Self(hash)
    }

    /// The hash of the request with this body.
    pub(crate) fn of(mut self, body: &[u8]) -> [u8; 32] {
        self.0.update(body);
        self.0.finalize().into()
    }
}

/// A body as it is compared with an earlier one: JSON by what it says, whatever its spaces and the order of its fields, because clients
/// write it anew when they repeat a request. What is no JSON is compared by its bytes.
fn comparable(body: &Bytes) -> Cow<'_, [u8]> {
    if body.is_empty() {
        return Cow::Borrowed(b"{}");
    }
    // A map of this type is sorted by its keys.
    serde_json::from_slice::<Value>(body).map_or(Cow::Borrowed(body), |value| Cow::Owned(value.to_string().into_bytes()))
}

/// The key of the request, of at most so many characters.
pub(crate) fn read_key(headers: &HeaderMap, length_max: usize) -> Result<String, Box<Problem>> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next() else {
        let detail = "this request moves value: send an Idempotency-Key header, and the same one again when you repeat it";
        return Err(Problem::unreadable("idempotency_key_required", detail).into());
    };
    let visible = (1..=length_max).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    if !visible || keys.next().is_some() {
        let detail = format_args!("an Idempotency-Key is one header of 1 to {length_max} visible ASCII characters");
        return Err(Problem::unreadable("idempotency_key_malformed", detail).into());
    }
    Ok(key.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}

/// How the header stands in the API's description.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header; it is read by Keyed")]
pub struct IdempotencyKey {
    /// Chosen by the caller, 1 to 255 visible ASCII characters. The same key with the same body gives the first answer again.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, example = "7c2f0b9e-order-17")]
    idempotency_key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_compared_by_what_it_says() {
        let same = |a: &'static str, b: &'static str| comparable(&Bytes::from(a)) == comparable(&Bytes::from(b));
        assert!(same(r#"{"user": "ada", "amount": "1"}"#, r#"{"amount":"1","user":"ada"}"#));
        assert!(same("", "{ }"));
        assert!(!same(r#"{"amount":"1"}"#, r#"{"amount":"1.0"}"#));
        assert!(!same("not json", "not  json"));
    }
}
