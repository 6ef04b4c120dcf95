//! The download of a settlement file: its bytes on their way from the database to the caller, some pieces at a time.
//!
//! A caller that reads slowly holds a few hundred kilobytes and no database connection: pieces are fetched when those before are gone.

use crate::settlement::{Settlement, Viewer};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use ledger::Fault;
use runs::files::{FileHead, StatementPage};
use std::collections::VecDeque;
use uuid::Uuid;

/// RFC 9530: the hash over the bytes, so that the caller can check what arrived.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// The file, or 304 where the caller has it already. A file never changes, so its hash is its ETag.
pub(super) fn download(settlement: Settlement, viewer: Viewer, file: &FileHead, request: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", hex::encode(file.sha256));
    if request.get(header::IF_NONE_MATCH).is_some_and(|known| names(known, &etag)) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, file.media_type.clone()),
        (header::CONTENT_LENGTH, file.size_bytes.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)),
        (header::ETAG, etag),
        content_digest(&file.sha256),
    ];
    (headers, Body::from_stream(pieces(settlement, viewer, file.id))).into_response()
}

/// The header with this hash over the bytes.
pub(super) fn content_digest(sha256: &[u8]) -> (HeaderName, String) {
    (CONTENT_DIGEST, format!("sha-256=:{}:", BASE64_STANDARD.encode(sha256)))
}

/// The file, which is a statement, as a page to print, made while it is read.
pub(super) fn print(settlement: Settlement, viewer: Viewer, file: &FileHead, page: StatementPage) -> Response {
    let html = pieces(settlement, viewer, file.id).map_ok(Some).chain(stream::once(async { Ok(None) })).scan(page, |page, piece| {
        let html = piece.and_then(|piece| match piece {
            Some(bytes) => page.push(&bytes).map(Bytes::from).map_err(|e| Fault::Unreadable(format!("a statement: {e}"))),
            None => Ok(Bytes::from_static(StatementPage::end().as_bytes())),
        });
        async { Some(html) }
    });
    // Nothing of it runs, and nothing is fetched for it.
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Body::from_stream(html)).into_response()
}

fn names(known: &HeaderValue, etag: &str) -> bool {
    known.to_str().is_ok_and(|known| known.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag))
}

fn pieces(settlement: Settlement, viewer: Viewer, file: Uuid) -> impl stream::Stream<Item = Result<Bytes, Fault>> {
    let next = move |(after, mut fetched): (i32, VecDeque<Vec<u8>>)| {
        let settlement = settlement.clone();
        async move {
            if fetched.is_empty() {
                fetched = settlement.read_pieces(viewer, file, after).await?.into();
            }
            Ok(fetched.pop_front().map(|bytes| (Bytes::from(bytes), (after.saturating_add(1), fetched))))
        }
    };
    // The status has been sent by now; the caller sees a download that breaks off, and why is told here.
    stream::try_unfold((0, VecDeque::new()), next).inspect_err(|fault: &Fault| tracing::error!(%fault, "a download broke off"))
}
