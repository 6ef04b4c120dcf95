//! What a caller wants to read: JSON, or CSV where `Accept` asks for `text/csv`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use std::convert::Infallible;

/// How CSV is sent: UTF-8, with a header.
pub const CSV: &str = "text/csv; charset=utf-8; header=present";

/// How a list is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// In pages.
    Json,
    /// Whole.
    Csv,
}

impl Format {
    /// CSV where a media type of an `Accept` header is exactly that; everything else, and nothing at all, is JSON.
    fn of(headers: &HeaderMap) -> Self {
        let accepted =
            headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok()).flat_map(|accept| accept.split(','));
        let mut essences = accepted.filter_map(|range| range.split(';').next()).map(str::trim);
        if essences.any(|essence| essence.eq_ignore_ascii_case("text/csv")) { Self::Csv } else { Self::Json }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Format {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_sent_to_whoever_names_it() {
        for (accept, expected) in [
            (None, Format::Json),
            (Some("*/*"), Format::Json),
            (Some("application/json"), Format::Json),
            (Some("text/csvx, text/*"), Format::Json),
            (Some("text/csv"), Format::Csv),
            (Some("application/json;q=0.5, Text/CSV; header=present"), Format::Csv),
        ] {
            let headers = accept.map(|accept| (header::ACCEPT, accept.parse().unwrap())).into_iter().collect();
            assert_eq!(Format::of(&headers), expected, "{accept:?}");
        }
    }
}
