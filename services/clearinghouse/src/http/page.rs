//! Lists in pages: `?limit=&after=`, answered with `{"items": [...], "next": "cursor" | null}`. There are no offsets.

use super::api_error::ApiError;
use super::body::Query;
use super::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::{IntoParams, ToSchema};

const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 200;

/// How the parameters stand in the URL and in the API's description.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// How many at most; 50 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// Which part of a list is asked for.
#[derive(Debug)]
pub struct Page {
    limit: i64,
    after: Option<String>,
}

impl Page {
    /// The page that these parameters ask for, for a list that has others besides.
    pub fn try_new(limit: Option<i64>, after: Option<String>) -> Result<Self, ApiError> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Problem::unreadable("invalid_query", format_args!("limit: a page has 1 to {LIMIT_MAX} items")).into());
        }
        Ok(Self { limit, after: after.map(|cursor| read_cursor(&cursor)).transpose()? })
    }

    /// What the page begins after, as the list's own key; a cursor that was not ours is refused.
    pub fn after<K: FromStr>(&self) -> Result<Option<K>, ApiError> {
        self.after.as_deref().map(|key| key.parse().map_err(|_| invalid_cursor())).transpose()
    }

    /// One more row than is shown, because that one tells whether there is a next page. For the statement's `LIMIT`.
    pub fn limit_plus_one(&self) -> i64 {
        self.limit.saturating_add(1)
    }

    /// How many items the page has at most.
    pub fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or_default()
    }

    /// The page, from the rows of a statement with that limit; `key` is what the next one begins after.
    pub fn of<T, V: From<T>, K: ToString>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Paged<V> {
        let more = rows.len() > self.limit();
        rows.truncate(self.limit());
        let next = rows.last().filter(|_| more).map(|last| cursor(key(last)));
        Paged { items: rows.into_iter().map(V::from).collect(), next }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(PageParams { limit, after }) = Query::from_request_parts(parts, state).await?;
        Self::try_new(limit, after)
    }
}

/// What to send as `after` for what follows the item with this key: the key in hexadecimal, opaque enough that nobody builds one, and safe
/// in a URL.
pub(crate) fn cursor(key: impl ToString) -> String {
    hex::encode(key.to_string())
}

fn read_cursor(cursor: &str) -> Result<String, ApiError> {
    let key = hex::decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.filter(|key| !key.contains('\0')).ok_or_else(invalid_cursor)
}

fn invalid_cursor() -> ApiError {
    Problem::unreadable("invalid_query", "after: this is not a cursor; send the next of the page before").into()
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Paged<T> {
    /// In the order of the list.
    pub items: Vec<T>,
    /// What to send as `after` for the next page; null on the last.
    pub next: Option<String>,
}

impl<T> Paged<T> {
    /// The page with each item shown by a function that knows more than the item does.
    pub fn map<V>(self, show: impl Fn(T) -> V) -> Paged<V> {
        Paged { items: self.items.into_iter().map(show).collect(), next: self.next }
    }
}
