//! What a caller wants to read: JSON, or CSV where `Accept` asks for `text/csv`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use headers_accept::Accept;
use mediatype::MediaType;
use std::convert::Infallible;
use std::sync::LazyLock;

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

/// What a list can be sent as, and by which names.
static FORMATS: LazyLock<[(MediaType<'_>, Format); 5]> = LazyLock::new(|| {
    let names = [
        ("application/json", Format::Json),
        ("text/csv", Format::Csv),
        ("text/csv; header=present", Format::Csv),
        ("text/csv; charset=utf-8", Format::Csv),
        (CSV, Format::Csv),
    ];
    names.map(|(name, format)| (MediaType::parse(name).expect("it is a media type"), format))
});

impl Format {
    /// What the `Accept` headers rate highest, by RFC 9110; JSON where they say nothing that can be sent.
    fn of(headers: &HeaderMap) -> Self {
        let accepts: Vec<&[u8]> = headers.get_all(header::ACCEPT).iter().map(HeaderValue::as_bytes).collect();
        let accepts = accepts.join(b", ".as_slice()).to_ascii_lowercase();
        let accept = HeaderValue::from_bytes(&accepts).ok().and_then(|accept| Accept::try_from(&accept).ok());
        let best = accept.and_then(|accept| accept.negotiate(FORMATS.iter().map(|(name, _)| name)));
        FORMATS.iter().find(|(name, _)| Some(name) == best).map_or(Self::Json, |(_, format)| *format)
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
    fn csv_is_sent_to_whoever_likes_it_best() {
        for (accept, expected) in [
            (None, Format::Json),
            (Some("*/*"), Format::Json),
            (Some("application/json"), Format::Json),
            (Some("text/csvx"), Format::Json),
            (Some("text/csv;q=0"), Format::Json),
            (Some("text/csv;q=0.5, */*"), Format::Json),
            (Some("text/csv; header=absent, application/json;q=0.1"), Format::Json),
            (Some("text/csv;;;,,"), Format::Json),
            (Some("text/csv"), Format::Csv),
            (Some("text/*"), Format::Csv),
            (Some("text/csv, */*;q=0.8"), Format::Csv),
            (Some("application/json;q=0.5, Text/CSV; header=present"), Format::Csv),
            (Some("text/csv; header=present; charset=UTF-8"), Format::Csv),
        ] {
            let headers = accept.map(|accept| (header::ACCEPT, accept.parse().unwrap())).into_iter().collect();
            assert_eq!(Format::of(&headers), expected, "{accept:?}");
        }
    }
}
