//! A settlement file on its way to the caller: piece by piece, with what proves that it arrived whole.
//!
//! Each piece is read in a tx of its own, as whoever asked: a slow reader holds neither a connection nor memory.

use super::Reader;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use ledger::{Db, Fault};
use runs::files::{self, FileHead};
use uuid::Uuid;

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// A file that was found for a reader.
#[derive(Debug)]
pub struct Download {
    pub(super) db: Db,
    pub(super) reader: Reader,
    pub(super) head: FileHead,
}

impl Download {
    /// The file; 304 without its bytes if the caller has them already.
    pub fn answer(self, request: &HeaderMap) -> Response {
        let Self { db, reader, head } = self;
        let FileHead { id, name, media_type, size_bytes, sha256 } = head;
        let etag = format!("\"{}\"", hex::encode(sha256));
        let headers = [
            (ETAG, etag.clone()),
            (CONTENT_DIGEST, format!("sha-256=:{}:", base64(&sha256))),
            (CONTENT_TYPE, media_type),
            (CONTENT_LENGTH, size_bytes.to_string()),
            // A name is made of a code's characters and a suffix: nothing to be quoted.
            (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        ];
        let mut response = if names(request, &etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Response::new(Body::from_stream(pieces(db, reader, id)))
        };
        let unchanged = response.status() == StatusCode::NOT_MODIFIED;
        for (name, text) in headers {
            if let Ok(value) = HeaderValue::from_str(&text)
                && !(unchanged && name != ETAG)
            {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Whether `If-None-Match` names the tag.
fn names(request: &HeaderMap, etag: &str) -> bool {
    let sent = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    sent.flat_map(|text| text.split(',')).map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// The bytes. A fault breaks off the answer, whose length then does not fit: the caller sees that it is not whole.
fn pieces(db: Db, reader: Reader, file: Uuid) -> impl stream::Stream<Item = Result<Vec<u8>, Fault>> {
    stream::try_unfold(1_i32, move |seq| {
        let db = db.clone();
        async move {
            let piece = read_piece(&db, reader, file, seq).await;
            let piece = piece.inspect_err(|fault| tracing::error!(%file, seq, %fault, "a download broke off"))?;
            Ok(piece.map(|bytes| (bytes, seq.saturating_add(1))))
        }
    })
}

async fn read_piece(db: &Db, reader: Reader, file: Uuid, seq: i32) -> Result<Option<Vec<u8>>, Fault> {
    let mut connection = db.connection().await?;
    let tx = reader.begin(&mut connection).await?;
    files::read_piece(&tx, file, seq).await
}

/// Base64 as in RFC 4648, which is how RFC 9530 writes a digest.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| chunk.get(at).copied().unwrap_or_default());
        let sextets = [a >> 2, ((a & 0x03) << 4) | (b >> 4), ((b & 0x0f) << 2) | (c >> 6), c & 0x3f];
        for (at, sextet) in sextets.into_iter().enumerate() {
            let letter = ALPHABET.get(usize::from(sextet)).copied().unwrap_or(b'=');
            text.push(if at > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }

    #[test]
    fn a_caller_who_has_the_file_is_recognised() {
        let sent = |text: &'static str| HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(text))]);
        for has in ["\"ab\"", "W/\"ab\"", "\"cd\", \"ab\"", "*"] {
            assert!(names(&sent(has), "\"ab\""), "{has}");
        }
        assert!(!names(&sent("\"cd\""), "\"ab\"") && !names(&HeaderMap::new(), "\"ab\""));
    }
}
