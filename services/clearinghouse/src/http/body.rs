//! What a request says (body, query, path) and how an answer is wrapped; every misreading is a problem with a code.

use super::api_error::ApiError;
use super::problem::Problem;
use axum::body::HttpBody;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, RequestExt};
use bytes::Bytes;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Error, IntoDeserializer, Unexpected, Visitor, value};
use serde::{Deserialize, Deserializer, Serialize, forward_to_deserialize_any};
use serde_json::error::Category;
use serde_path_to_error::{Path as FieldPath, Segment};
use std::fmt::Display;
use std::time::Duration;
use utoipa::ToSchema;

/// The media type of bodies.
pub(super) const JSON: &str = "application/json";

/// A sender slower than this is not waited for, so that it cannot hold a connection for nothing.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A JSON body. Its type says `deny_unknown_fields`; depth is bounded by the reader (128), size by the server.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let said = check_media_type(request.headers(), JSON);
        let bytes = read_bytes(request, state).await?;
        Ok(Self(parse(said, &bytes)?))
    }
}

/// A body without content: `{}` or nothing at all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// All bytes of the body, at most as many as the server takes.
pub(crate) async fn read_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Box<Problem>> {
    let said = request.body().size_hint().lower();
    let request = request.with_limited_body();
    // What is said to be too large is not waited for.
    if request.body().size_hint().upper().is_some_and(|taken| said > taken) {
        return Err(too_large());
    }
    let reading = tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, state));
    let Ok(read) = reading.await else {
        return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "the body did not arrive in time").retryable().into());
    };
    read.map_err(|rejection| unreadable(&rejection))
}

fn too_large() -> Box<Problem> {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "the body is larger than the server takes").into()
}

fn unreadable(rejection: &BytesRejection) -> Box<Problem> {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        too_large()
    } else {
        Problem::unreadable("invalid_body", "the body broke off").into()
    }
}

/// Reads what is said to be JSON; nothing at all counts as `{}`, whatever it is said to be, so that the complaint is about the field that is
/// missing.
pub(super) fn parse<T: DeserializeOwned>(said: Result<(), Box<Problem>>, bytes: &[u8]) -> Result<T, Box<Problem>> {
    if bytes.is_empty() { read_json(b"{}") } else { said.and_then(|()| read_json(bytes)) }
}

/// Refuses a body that is said to be something else, or nothing.
pub(crate) fn check_media_type(headers: &HeaderMap, wanted: &str) -> Result<(), Box<Problem>> {
    let essence = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).and_then(|v| v.split(';').next()).unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let detail = format!("this takes one kind of body; say so: Content-Type: {wanted}");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail).into())
}

/// Reads one JSON object. Only what cannot be read is read again, to name the field that is at fault.
pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Box<Problem>> {
    // Without this, an array would be read as the object's fields in their order.
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(Problem::unreadable("invalid_body", "a body is a JSON object").into());
    }
    serde_json::from_slice(bytes).or_else(|_| read_json_closely(bytes))
}

fn read_json_closely<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Box<Problem>> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| match error.inner().classify() {
        Category::Data => misread("invalid_body", error.path(), error.inner()),
        Category::Syntax | Category::Eof | Category::Io => not_json(error.inner()),
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(parsed)
}

fn not_json(error: &serde_json::Error) -> Box<Problem> {
    Problem::unreadable("invalid_body", format_args!("the body is not JSON: {error}")).into()
}

/// Names the field, unless the complaint is about the whole.
fn misread(code: &'static str, path: &FieldPath, error: &impl Display) -> Box<Problem> {
    let is_named = path.iter().len() > 0 && !path.iter().any(|segment| matches!(segment, Segment::Unknown));
    if is_named {
        let field = path.to_string();
        Problem::unreadable(code, format_args!("{field}: {error}")).fact("field", field).into()
    } else {
        Problem::unreadable(code, error).into()
    }
}

/// The query of the URL, read into a type that says `deny_unknown_fields`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let axum::extract::Query(pairs) = pairs.map_err(|rejection| Problem::unreadable("invalid_query", rejection.body_text()))?;
        Ok(Self(read_query(pairs)?))
    }
}

fn read_query<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, Box<Problem>> {
    let pairs = MapDeserializer::new(pairs.into_iter().map(|(name, text)| (name, Parameter(text))));
    serde_path_to_error::deserialize(pairs).map_err(|error| misread("invalid_query", error.path(), error.inner()))
}

/// The text of a query's parameter, which a complaint shows beside what was expected.
struct Parameter(String);

impl IntoDeserializer<'_, value::Error> for Parameter {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Parameter {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        let number = self.0.parse().map_err(|_| Error::invalid_value(Unexpected::Str(&self.0), &"a whole number"))?;
        visitor.visit_i64(number)
    }

    // No query has parameters of other kinds; such a one would find a text where it expects itself.
    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// The variable parts of the path. One that cannot be read names nothing: 404.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0)).map_err(|_| Problem::not_found("not_found", "there is no such thing").into())
    }
}

/// 201 with what was made.
#[derive(Debug)]
pub struct Created<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

/// The answer to a request with an idempotency key: the first one, or the same again.
#[derive(Debug)]
pub struct Posted<T> {
    status: StatusCode,
    view: T,
    replayed: bool,
}

impl<T> Posted<T> {
    /// 201: something was made.
    pub fn created(replayed: bool, view: T) -> Self {
        Self { status: StatusCode::CREATED, view, replayed }
    }

    /// 200: something that was there already changed its state.
    pub fn done(replayed: bool, view: T) -> Self {
        Self { status: StatusCode::OK, view, replayed }
    }
}

impl<T: Serialize> IntoResponse for Posted<T> {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.view)).into_response();
        if self.replayed {
            response.headers_mut().insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::AmountText;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[expect(dead_code, reason = "only read to be refused")]
        amount: AmountText,
    }

    fn complaint(text: &str) -> String {
        match read_json::<Order>(text.as_bytes()) {
            Err(problem) => format!("{problem:?}"),
            Ok(order) => panic!("{text} should be refused, not {order:?}"),
        }
    }

    #[test]
    fn a_complaint_names_the_field_and_the_place() {
        let number = complaint(r#"{"amount": 5}"#);
        assert!(number.contains("amount: invalid type: integer `5`, expected an amount, which is a JSON string"), "{number}");
        assert!(number.contains("line 1 column 12"), "{number}");
        assert!(complaint(r#"{"amount":"1","b":2}"#).contains("unknown field `b`"));
        assert!(complaint("{}").contains("missing field `amount`"));
        assert!(complaint(r#"{"amount":"1"} x"#).contains("trailing characters"));
        for broken in ["{", "{amount}", r#"{"amount":"#, r#"{"amount": tru"#] {
            let complaint = complaint(broken);
            assert!(complaint.contains("the body is not JSON: ") && !complaint.contains('?'), "{complaint}");
        }
        assert!(complaint(r#"["1"]"#).contains("a body is a JSON object"));
        assert!(complaint(&"[".repeat(5000)).contains("invalid_body"));
        assert!(complaint(&r#"{"amount":"#.repeat(5000)).contains("invalid_body"));
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Window {
        #[expect(dead_code, reason = "only read to be refused")]
        limit: Option<i64>,
        #[expect(dead_code, reason = "only read to be refused")]
        from: String,
    }

    #[test]
    fn a_complaint_about_the_query_names_the_parameter_and_what_is_expected() {
        let complaint = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
            format!("{:?}", read_query::<Window>(pairs).expect_err("it should be refused"))
        };
        let word = complaint(&[("limit", "many")]);
        assert!(word.contains(r#"limit: invalid value: string \"many\", expected a whole number"#), "{word}");
        assert!(complaint(&[("limit", "99999999999999999999")]).contains("expected a whole number"));
        assert!(complaint(&[("offset", "5")]).contains("unknown field `offset`, expected `limit` or `from`"));
        assert!(complaint(&[("limit", "5")]).contains("missing field `from`"));
        assert!(complaint(&[("limit", "5"), ("limit", "6")]).contains("duplicate field `limit`"));
    }
}
