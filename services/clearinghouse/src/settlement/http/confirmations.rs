//! Routes and views of confirmations; only the operator's.
//!
//! An upload takes a place before its body is read and keeps it until it is answered, so that the memory of all of them is bounded.

use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{self, Body, Nothing, Path, Posted, Query};
use crate::http::credential::Operator;
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use crate::settlement::SettlementRefusal;
use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use bytes::Bytes;
use jiff::Timestamp;
use runs::confirmations::{
    Confirmation, ConfirmationError, ConfirmationId, ConfirmationRefusal, JudgedEntry, Outcome, Severity, Stated, UPLOAD_BYTES_MAX,
};
use runs::{Actor, TransferKey};
use scrip::Scale;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(upload_confirmation, list_confirmations))
        .routes(routes!(get_confirmation))
        .routes(routes!(list_confirmation_entries))
        .routes(routes!(apply_confirmation))
}

/// What a bank says, and what is made of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConfirmationView {
    id: Uuid,
    /// The scheme's code.
    #[schema(example = "EUROPE")]
    scheme: String,
    /// `proposed`: nothing has moved; `applied`: for good.
    #[schema(example = "proposed")]
    state: &'static str,
    /// pain.002.001.10, camt.053.001.08, camt.054.001.08 or csv; told by the content.
    #[schema(example = "camt.053.001.08")]
    format: &'static str,
    /// Over its bytes, in hexadecimal.
    sha256: String,
    size_bytes: i64,
    entry_count: i32,
    /// How many entries come to what; those that come to nothing are not listed.
    #[schema(value_type = BTreeMap<String, i64>)]
    outcomes: BTreeMap<&'static str, i64>,
    /// How many entries somebody has to look at.
    errors: i64,
    /// How many entries change nothing and need nothing.
    warnings: i64,
    /// `operator:` and the id of the key.
    uploaded_by: String,
    #[schema(value_type = String, format = DateTime)]
    uploaded_at: Timestamp,
    applied_by: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    applied_at: Option<Timestamp>,
}

impl From<Confirmation> for ConfirmationView {
    fn from(confirmation: Confirmation) -> Self {
        let Confirmation { id, scheme, digits: _, sha256, size_bytes, format, entry_count, counts, uploaded_by, uploaded_at, applied } =
            confirmation;
        let of = |severity| counts.iter().filter(|(outcome, _)| outcome.severity() == severity).map(|(_, count)| *count).sum();
        let state = if applied.is_some() { "applied" } else { "proposed" };
        let (applied_by, applied_at) = applied.unzip();
        Self {
            id: id.0,
            scheme,
            state,
            format: format.as_str(),
            sha256: hex::encode(sha256),
            size_bytes,
            entry_count,
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            outcomes: counts.into_iter().map(|(outcome, count)| (outcome.as_str(), count)).collect(),
            uploaded_by,
            uploaded_at,
            applied_by,
            applied_at,
        }
    }
}

/// What a bank says of one payment, and what it comes to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryView {
    /// Counts the entries from 1.
    number: i32,
    /// Where it begins in the upload.
    line: u64,
    /// What the bank says the payment is called.
    #[schema(example = "SH-5A24AD2BB5D6-1")]
    reference: Option<String>,
    /// None where the bank states none, or one that cannot be read.
    #[schema(example = "3.66")]
    amount: Option<String>,
    currency: Option<String>,
    /// sent, received, failed or pending.
    #[schema(example = "received")]
    said: &'static str,
    reason_code: Option<&'static str>,
    reason: Option<String>,
    bank_reference: Option<String>,
    #[schema(format = Date)]
    booked_on: Option<String>,
    /// What it comes to: confirmed and rejected move a transfer, the others nothing.
    #[schema(example = "confirmed")]
    outcome: &'static str,
    /// fine, warning, or error: somebody has to look.
    #[schema(example = "fine")]
    severity: &'static str,
    /// What is wrong with it, or where it belongs.
    hint: Option<String>,
    /// The run of the transfer that it means.
    run: Option<Uuid>,
    /// The number of that transfer.
    transfer: Option<i64>,
    /// The step of the transfer that it made.
    step: Option<i32>,
}

impl EntryView {
    fn new(judged: JudgedEntry, digits: Scale) -> Self {
        let JudgedEntry { number, entry, outcome, transfer, step_seq, hint } = judged;
        let (code, reason) = entry.reason.map_or((None, None), |reason| (reason.code, reason.text));
        let (run, transfer) = transfer.map(|TransferKey { run, number }| (run.uuid(), number)).unzip();
        Self {
            number,
            line: entry.line,
            reference: entry.reference,
            amount: match entry.amount {
                Stated::Amount(amount) => Some(amount.display_at_least(digits)),
                Stated::Nothing | Stated::Unreadable => None,
            },
            currency: entry.currency,
            said: entry.said.as_str(),
            reason_code: code.map(|reason| reason.code),
            reason,
            bank_reference: entry.bank_reference,
            booked_on: entry.booked_on.map(|day| day.to_string()),
            outcome: Outcome::as_str(outcome),
            severity: outcome.severity().as_str(),
            hint,
            run,
            transfer,
            step: step_seq,
        }
    }
}

/// The bytes of an upload, and the place that it takes among others.
#[derive(Debug)]
struct Upload {
    place: OwnedSemaphorePermit,
    bytes: Bytes,
}

impl FromRequest<App> for Upload {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, app: &App) -> Result<Self, ApiError> {
        // What is said to be too large is not waited for.
        if declared_bytes(request.headers()).is_some_and(|bytes| bytes > UPLOAD_BYTES_MAX) {
            return Err(SettlementRefusal::Confirmation(ConfirmationRefusal::Unreadable(ConfirmationError::TooLarge)).into());
        }
        let place = app.settlement.take_upload_place()?;
        DefaultBodyLimit::max(UPLOAD_BYTES_MAX).apply(&mut request);
        Ok(Self { place, bytes: body::read_bytes(request, app).await? })
    }
}

fn declared_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Which entries are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntryParams {
    /// Only those that come to this, such as `unmatched`.
    outcome: Option<String>,
    /// How many at most; 50 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// Upload what a bank says of the scheme's transfers: pain.002.001.10, camt.053.001.08, camt.054.001.08 or CSV, at most 16 MiB and 50,000 entries.
///
/// The kind is told by the content, whatever the Content-Type. The answer says what each entry would come to; nothing moves until it is applied.
/// The same bytes again are the same confirmation. CSV has the header `reference,amount,currency,result,reason,bank_reference,booked_on`.
#[utoipa::path(post, path = "/v1/schemes/{scheme}/confirmations", tag = "settlement",
    request_body(content = String, content_type = "application/octet-stream", description = "the bank's document as it is"),
    params(("scheme" = String, Path, description = "the scheme's code")), security(("operator_key" = [])),
    responses((status = 201, body = ConfirmationView), (status = "4XX", body = ProblemView,
        description = "scheme_not_found, confirmation_empty, confirmation_not_text, confirmation_not_xml, confirmation_has_doctype, confirmation_too_deep, confirmation_format_unknown, confirmation_value_malformed, too_many_entries, body_too_large")))]
async fn upload_confirmation(
    State(app): State<App>,
    operator: Operator,
    Path(scheme): Path<String>,
    upload: Upload,
) -> Result<Posted<ConfirmationView>, ApiError> {
    let Upload { place: _place, bytes } = upload;
    let uploaded = app.settlement.upload_confirmation(Actor::Operator(operator.key), &scheme, bytes).await?;
    Ok(Posted::created(uploaded.replayed, uploaded.confirmation.into()))
}

/// A scheme's confirmations, newest first.
#[utoipa::path(get, path = "/v1/schemes/{scheme}/confirmations", tag = "settlement",
    params(("scheme" = String, Path, description = "the scheme's code"), PageParams), security(("operator_key" = [])),
    responses((status = 200, body = Paged<ConfirmationView>), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn list_confirmations(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    page: Page,
) -> Result<Json<Paged<ConfirmationView>>, ApiError> {
    let confirmations = app.settlement.list_confirmations(&scheme, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(confirmations, |confirmation| confirmation.id.0)))
}

/// One confirmation.
#[utoipa::path(get, path = "/v1/confirmations/{id}", tag = "settlement", params(("id" = Uuid, Path)), security(("operator_key" = [])),
    responses((status = 200, body = ConfirmationView), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn get_confirmation(State(app): State<App>, _: Operator, Path(id): Path<Uuid>) -> Result<Json<ConfirmationView>, ApiError> {
    Ok(Json(app.settlement.get_confirmation(ConfirmationId(id)).await?.into()))
}

/// A confirmation's entries in order, all or those of one outcome: the work list of what did not fit.
#[utoipa::path(get, path = "/v1/confirmations/{id}/entries", tag = "settlement", params(("id" = Uuid, Path), EntryParams),
    security(("operator_key" = [])),
    responses((status = 200, body = Paged<EntryView>), (status = "4XX", body = ProblemView, description = "not_found, outcome_unknown")))]
async fn list_confirmation_entries(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<Uuid>,
    Query(EntryParams { outcome, limit, after }): Query<EntryParams>,
) -> Result<Json<Paged<EntryView>>, ApiError> {
    let page = Page::try_new(limit, after)?;
    let wanted = outcome.as_deref();
    let (confirmation, entries) = app.settlement.list_entries(ConfirmationId(id), wanted, page.after()?, page.limit_plus_one()).await?;
    let entries: Paged<JudgedEntry> = page.of(entries, |judged| judged.number);
    Ok(Json(entries.map(|judged| EntryView::new(judged, confirmation.digits))))
}

/// Apply a confirmation: every transfer that it confirms or rejects takes its step, all in one, as the transfers stand now. Applied twice, it is applied once.
#[utoipa::path(post, path = "/v1/confirmations/{id}/apply", tag = "settlement", request_body = Nothing, params(("id" = Uuid, Path)),
    security(("operator_key" = [])),
    responses((status = 200, body = ConfirmationView), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn apply_confirmation(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<Uuid>,
    _: Body<Nothing>,
) -> Result<Json<ConfirmationView>, ApiError> {
    Ok(Json(app.settlement.apply_confirmation(Actor::Operator(operator.key), ConfirmationId(id)).await?.into()))
}
