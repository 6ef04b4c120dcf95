//! The route, the lines and the answers of bulk requests.
//!
//! A request takes a place before its body is read and keeps it until its answer is written, so that the memory of all of them is
//! bounded: some ten times `server.bulk_bytes_max` for each of `server.bulk_requests_max`. Answers are written out as they are sent.

use super::error::BulkRefusal;
use super::{NewLine, Orderer};
use crate::access::Scope;
use crate::amount::AmountText;
use crate::app::App;
use crate::http::api_error::{ApiError, log_fault, problem_of_fault};
use crate::http::body;
use crate::http::credential::Anyone;
use crate::http::idempotency::{RequestHash, read_key};
use crate::http::problem::ProblemView;
use crate::refusal::{Answer, Refusal, refuse};
use crate::swaps::http::SwapView;
use crate::swaps::{NewSwap, Swap};
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use ledger::{Claim, Failure};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// JSON objects with a line feed between them.
const NDJSON: &str = "application/x-ndjson";
/// The longest key; a line's own has its number behind it.
const KEY_LENGTH_MAX: usize = 200;
/// Lines that are written at once.
const PIECE_LINES: usize = 256;

/// How the header stands in the API's description.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header; it is read with the request")]
pub struct BulkIdempotencyKey {
    /// Chosen by the caller, 1 to 200 visible ASCII characters. A single request with the key of a line is another request.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 200, example = "7c2f0b9e-orders-17")]
    idempotency_key: String,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_swaps))
}

/// One swap of many, on a line of its own. Fix exactly one side: `send` (only what is used is taken) or `receive` (exact).
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"user": "alice", "from": "AIRMILES", "to": "BEANS", "send": "100"}))]
pub struct CreateSwapLine {
    /// The handle or id of the user whose tokens are given. A user's session leaves it out, a key must say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// The vendor whose tokens are given; with a vendor's key, that vendor.
    #[schema(example = "AIRMILES")]
    from: String,
    /// The vendor whose tokens are received.
    #[schema(example = "BEANS")]
    to: String,
    /// At most this much is taken, in whole tokens of `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    send: Option<AmountText>,
    /// Exactly this much is received, in whole tokens of `to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    receive: Option<AmountText>,
    /// The handle or id of the user who receives; left out, the payer.
    #[serde(skip_serializing_if = "Option::is_none")]
    payee: Option<String>,
    /// Refuse rather than receive less than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_receive: Option<AmountText>,
    /// Refuse rather than send more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_send: Option<AmountText>,
}

impl From<CreateSwapLine> for NewLine {
    fn from(line: CreateSwapLine) -> Self {
        let CreateSwapLine { user, from, to, send, receive, payee, min_receive, max_send } = line;
        Self { user, swap: NewSwap { from, to, send, receive, payee, min_receive, max_send } }
    }
}

/// What became of a line.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "each is written as soon as it is made")]
pub enum SwapLineView {
    /// The swap was made.
    Made {
        /// Counts the lines of the request from 1.
        line: usize,
        /// 201
        status: u16,
        /// It was made by an earlier request with this key; nothing moved now.
        replayed: bool,
        /// The swap.
        swap: SwapView,
    },
    /// Nothing moved.
    Refused {
        /// Counts the lines of the request from 1.
        line: usize,
        /// The status of the problem.
        status: u16,
        /// Why.
        problem: ProblemView,
    },
}

impl SwapLineView {
    fn new(line: usize, answer: Answer<(Swap, bool)>) -> Self {
        let problem = match answer {
            Ok((swap, replayed)) => return Self::Made { line, status: 201, replayed, swap: swap.into() },
            Err(Failure::Refused(refusal)) => refusal.problem(),
            Err(Failure::Fault(fault)) => problem_of_fault(&fault),
        };
        let problem = problem.into_view();
        Self::Refused { line, status: problem.status, problem }
    }
}

/// Make many swaps at once.
///
/// The body is NDJSON: a JSON object per line, at most 5000 lines and 2 MiB unless the house says otherwise. Each line is a swap of its own
/// and is answered on the line of the same number. A user's session swaps for its own user, a vendor's key for the holders of its own token,
/// the operator's for everybody.
///
/// Line n has the idempotency key `{Idempotency-Key}#{n}`: repeating the request gives the lines that were made their first answer
/// (`replayed`), and tries the others again.
#[utoipa::path(post, path = "/v1/swaps/bulk", tag = "swaps", params(BulkIdempotencyKey),
    request_body(content = CreateSwapLine, content_type = "application/x-ndjson", description = "one such object per line"),
    security(("user_session" = []), ("vendor_key" = ["swaps"]), ("operator_key" = [])),
    responses(
        (status = 200, body = SwapLineView, content_type = "application/x-ndjson", description = "one such object per line, in the order of the lines"),
        (status = "4XX", body = ProblemView,
            description = "too_many_lines; on a line: what POST /v1/swaps refuses, and user_required, user_not_expected, token_not_yours")))]
async fn create_swaps(State(app): State<App>, orderer: Orderer, request: BulkRequest) -> Result<BulkAnswer, ApiError> {
    let BulkRequest { place, lines } = request;
    let lines = lines.into_iter().map(|line| line.of(orderer)).collect();
    let answers = app.swaps.create_many(orderer, lines).await?;
    Ok(BulkAnswer::new(answers, place))
}

/// The one place that says who may make many swaps at once, and whose tokens they may give.
impl FromRequestParts<App> for Orderer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match Anyone::from_request_parts(parts, app).await? {
            Anyone::Operator(_) => Ok(Self::Operator),
            Anyone::Vendor(vendor) => vendor.require(Scope::Swaps).map(|()| Self::Vendor(vendor.id)),
            Anyone::User(user) => Ok(Self::User(user.id)),
        }
    }
}

/// The lines of a request, and the place that it takes among others of its kind.
#[derive(Debug)]
struct BulkRequest {
    place: OwnedSemaphorePermit,
    lines: Vec<KeyedLine>,
}

impl FromRequest<App> for BulkRequest {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, app: &App) -> Result<Self, ApiError> {
        let key = read_key(request.headers(), KEY_LENGTH_MAX)?;
        body::check_media_type(request.headers(), NDJSON)?;
        let place = app.bulk.take_place()?;
        let hash = RequestHash::begin(request.method(), request.uri().path());
        DefaultBodyLimit::max(app.bulk.bytes_max).apply(&mut request);
        let bytes = body::read_bytes(request, app).await?;
        let lines = split(&bytes, app.bulk.lines_max)?;
        let read = |(place, line): (usize, &[u8])| KeyedLine::read(&key, place.saturating_add(1), line, hash.clone());
        Ok(Self { place, lines: lines.into_iter().enumerate().map(read).collect() })
    }
}

/// The lines of a body; a line feed at its end begins no further one.
fn split(bytes: &Bytes, lines_max: usize) -> Result<Vec<&[u8]>, BulkRefusal> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        return Err(BulkRefusal::NoLines);
    }
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').take(lines_max.saturating_add(1)).collect();
    if lines.len() > lines_max { Err(BulkRefusal::TooManyLines { max: lines_max }) } else { Ok(lines) }
}

/// A line with the key and the hash by which it is known when it comes again.
#[derive(Debug)]
struct KeyedLine {
    key: String,
    request_hash: [u8; 32],
    line: Answer<NewLine>,
}

impl KeyedLine {
    /// A line that can be read is hashed as it is written anew from what it says, so that neither its spaces nor the order of its fields
    /// make it another; one that cannot, by its bytes.
    fn read(key: &str, number: usize, bytes: &[u8], hash: RequestHash) -> Self {
        let key = format!("{key}#{number}");
        match body::read_json::<CreateSwapLine>(bytes) {
            Ok(line) => {
                let written = serde_json::to_vec(&line).expect("a line of text is JSON");
                Self { key, request_hash: hash.of(&written), line: Ok(line.into()) }
            }
            Err(problem) => Self { key, request_hash: hash.of(bytes), line: Err(refuse(*problem)) },
        }
    }

    fn of(self, orderer: Orderer) -> (Claim, Answer<NewLine>) {
        let Self { key, request_hash, line } = self;
        (Claim { actor: orderer.actor(), key, request_hash }, line)
    }
}

/// The answers of all lines.
struct BulkAnswer {
    answers: Vec<Answer<(Swap, bool)>>,
    place: OwnedSemaphorePermit,
}

impl BulkAnswer {
    /// A fault that stopped several lines is logged once.
    fn new(answers: Vec<Answer<(Swap, bool)>>, place: OwnedSemaphorePermit) -> Self {
        let fault = answers.iter().find_map(|answer| match answer {
            Err(Failure::Fault(fault)) => Some(fault),
            Ok(_) | Err(Failure::Refused(_)) => None,
        });
        if let Some(fault) = fault {
            log_fault(fault);
        }
        Self { answers, place }
    }
}

impl IntoResponse for BulkAnswer {
    fn into_response(self) -> Response {
        let Self { answers, place } = self;
        let pieces = stream::unfold((answers.into_iter().enumerate(), place), async |(mut answers, place)| {
            let piece = write_lines(answers.by_ref().take(PIECE_LINES));
            (!piece.is_empty()).then(|| (Ok::<_, Infallible>(piece), (answers, place)))
        });
        ([(CONTENT_TYPE, NDJSON)], Body::from_stream(pieces)).into_response()
    }
}

fn write_lines(answers: impl Iterator<Item = (usize, Answer<(Swap, bool)>)>) -> Bytes {
    let mut text = Vec::new();
    for (place, answer) in answers {
        let view = SwapLineView::new(place.saturating_add(1), answer);
        serde_json::to_writer(&mut text, &view).expect("an answer is JSON");
        text.push(b'\n');
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Method;

    fn hash_of(line: &str) -> [u8; 32] {
        KeyedLine::read("k", 1, line.as_bytes(), RequestHash::begin(&Method::POST, "/v1/swaps/bulk")).request_hash
    }

    #[test]
    fn a_line_is_compared_by_what_it_says() {
        let line = hash_of(r#"{"from":"A","to":"B","send":"1"}"#);
        assert_eq!(line, hash_of(" {\"send\" : \"1\", \"to\":\"B\",\t\"from\":\"A\"}\r"));
        assert_eq!(line, hash_of(r#"{"from":"\u0041","to":"B","send":"1","payee":null}"#));
        for other in [
            r#"{"from":"A","to":"B","send":"1.0"}"#,
            r#"{"from":"A","to":"B","receive":"1"}"#,
            r#"{"from":"A","to":"B","send":1}"#,
            "",
            "x",
        ] {
            assert_ne!(line, hash_of(other), "{other}");
        }
    }

    #[test]
    fn a_body_has_as_many_lines_as_it_seems() {
        let count = |text: &'static str| split(&Bytes::from(text), 2).map(|lines| lines.len());
        assert_eq!((count("a"), count("a\n"), count("a\nb\n"), count("a\n\n")), (Ok(1), Ok(1), Ok(2), Ok(2)));
        assert_eq!((count(""), count("\n")), (Err(BulkRefusal::NoLines), Err(BulkRefusal::NoLines)));
        assert_eq!(count("a\nb\nc"), Err(BulkRefusal::TooManyLines { max: 2 }));
    }
}
