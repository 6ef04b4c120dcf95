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
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use jiff::Timestamp;
use runs::confirmations::{
    Assignment, Confirmation, ConfirmationError, ConfirmationId, ConfirmationRefusal, JudgedEntry, Outcome, Severity, Stated, Suggestion,
    UPLOAD_BYTES_MAX, WorkItem,
};
use runs::{Actor, TransferKey, reference};
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
        .routes(routes!(assign_transfers, unassign_transfers))
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
pub(super) struct ConfirmationEntryView {
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
    /// The IBAN of the account that it is seen on, where the document says it.
    account: Option<String>,
    /// What it comes to: confirmed and rejected move a transfer, the others nothing.
    #[schema(example = "confirmed")]
    outcome: &'static str,
    /// fine, warning, or error: somebody has to look.
    #[schema(example = "fine")]
    severity: &'static str,
    /// What is wrong with it, or where it belongs.
    hint: Option<String>,
    /// The run of the transfer that it names.
    run: Option<Uuid>,
    /// The number of that transfer.
    transfer: Option<i64>,
    /// The step of that transfer that it made.
    step: Option<i32>,
    /// What somebody says that it means, as it names no transfer.
    assignment: Option<AssignmentView>,
    /// What it may mean, at most 5, the newest run first: as of now, where it names no transfer and nobody has said yet what it means.
    suggestions: Vec<SuggestionView>,
}

/// Which transfers an entry means: it is judged and applied as if it had named them.
#[derive(Debug, Serialize, ToSchema)]
struct AssignmentView {
    transfers: Vec<AssignedView>,
    /// `operator:` and the id of the key.
    assigned_by: String,
    #[schema(value_type = String, format = DateTime)]
    assigned_at: Timestamp,
}

/// A transfer that an entry means.
#[derive(Debug, Serialize, ToSchema)]
struct AssignedView {
    #[schema(example = "SH-5A24AD2BB5D6-1")]
    reference: String,
    run: Uuid,
    /// Its number.
    transfer: i64,
    /// The step of it that the entry made.
    step: Option<i32>,
}

impl From<Assignment> for AssignmentView {
    fn from(Assignment { assigned_by, assigned_at, transfers }: Assignment) -> Self {
        let show = |(TransferKey { run, number }, step)| AssignedView {
            reference: reference(run, number),
            run: run.uuid(),
            transfer: number,
            step,
        };
        Self { transfers: transfers.into_iter().map(show).collect(), assigned_by, assigned_at }
    }
}

/// Transfers of one run under settlement that an entry may mean: they may take the step that it says and sum to its amount, in its currency. Where the
/// entry has a day, the run was exported at most 30 days before it (and at most one after: days differ by zone).
#[derive(Debug, Serialize, ToSchema)]
struct SuggestionView {
    /// `amount`: one transfer of that amount; `payer_total`, `payee_total`: all transfers of the run with that payer or payee that may take the step.
    #[schema(example = "payer_total")]
    basis: &'static str,
    run: Uuid,
    /// In UTC.
    #[schema(format = Date)]
    exported_on: String,
    /// A vendor's code, or HOUSE; null where several pay.
    payer: Option<String>,
    /// A vendor's code, or HOUSE; null where several are paid.
    payee: Option<String>,
    /// What to assign, if it is that.
    references: Vec<String>,
}

impl From<Suggestion> for SuggestionView {
    fn from(suggestion: Suggestion) -> Self {
        let Suggestion { basis, run, run_number: _, exported_on, currency: _, payer, payee, numbers } = suggestion;
        let references = numbers.into_iter().map(|number| reference(run, number)).collect();
        Self { basis: basis.as_str(), run: run.uuid(), exported_on: exported_on.to_string(), payer, payee, references }
    }
}

/// Which transfers an entry means.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"references": ["SH-5A24AD2BB5D6-1", "SH-5A24AD2BB5D6-2"]}))]
struct AssignTransfers {
    /// References of transfers, each once, in any order.
    #[schema(min_items = 1, max_items = 1000)]
    references: Vec<String>,
}

impl ConfirmationEntryView {
    fn new(WorkItem { judged, assignment, suggestions }: WorkItem, digits: Scale) -> Self {
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
            account: entry.account,
            outcome: Outcome::as_str(outcome),
            severity: outcome.severity().as_str(),
            hint,
            run,
            transfer,
            step: step_seq,
            assignment: assignment.map(AssignmentView::from),
            suggestions: suggestions.into_iter().map(SuggestionView::from).collect(),
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
///
/// What names no transfer comes with `suggestions` of what it may mean, for as long as the confirmation is proposed. Nothing follows from them by
/// itself: `PUT /v1/confirmations/{id}/entries/{number}/transfers` says what it means. Looked at are the 20,000 unfinished transfers of the
/// scheme's newest runs; what is older is not suggested, nor are the sums of a run that is not among them whole.
#[utoipa::path(get, path = "/v1/confirmations/{id}/entries", tag = "settlement", params(("id" = Uuid, Path), EntryParams),
    security(("operator_key" = [])),
    responses((status = 200, body = Paged<ConfirmationEntryView>), (status = "4XX", body = ProblemView, description = "not_found, outcome_unknown")))]
async fn list_confirmation_entries(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<Uuid>,
    Query(EntryParams { outcome, limit, after }): Query<EntryParams>,
) -> Result<Json<Paged<ConfirmationEntryView>>, ApiError> {
    let page = Page::try_new(limit, after)?;
    let wanted = outcome.as_deref();
    let (confirmation, entries) = app.settlement.list_entries(ConfirmationId(id), wanted, page.after()?, page.limit_plus_one()).await?;
    let entries: Paged<WorkItem> = page.of(entries, |item| item.judged.number);
    Ok(Json(entries.map(|item| ConfirmationEntryView::new(item, confirmation.digits))))
}

/// Say which transfers an entry means that names none: a bank booked many as one sum, or dropped the reference.
///
/// From then on it is judged as if it had named them, and applying moves all of them that have not got so far, or none. They sum to its amount, are in its currency, and of exported or
/// settling runs of the confirmation's scheme. The same list again changes nothing, another one takes its place. What an entry names by itself stays.
#[utoipa::path(put, path = "/v1/confirmations/{id}/entries/{number}/transfers", tag = "settlement", request_body = AssignTransfers,
    params(("id" = Uuid, Path), ("number" = i32, Path, description = "counts the entries from 1")), security(("operator_key" = [])),
    responses((status = 200, body = ConfirmationEntryView), (status = "4XX", body = ProblemView,
        description = "not_found, entry_not_found, confirmation_applied, entry_names_transfer, entry_without_amount, references_out_of_range, reference_named_twice, transfer_not_found, transfer_of_other_scheme, run_not_under_settlement, currency_differs, sum_differs, transfer_assigned")))]
async fn assign_transfers(
    State(app): State<App>,
    operator: Operator,
    Path((id, number)): Path<(Uuid, i32)>,
    Body(AssignTransfers { references }): Body<AssignTransfers>,
) -> Result<Json<ConfirmationEntryView>, ApiError> {
    let actor = Actor::Operator(operator.key);
    let (confirmation, item) = app.settlement.assign_transfers(actor, ConfirmationId(id), number, &references).await?;
    Ok(Json(ConfirmationEntryView::new(item, confirmation.digits)))
}

/// Take back what an entry was said to mean.
#[utoipa::path(delete, path = "/v1/confirmations/{id}/entries/{number}/transfers", tag = "settlement",
    params(("id" = Uuid, Path), ("number" = i32, Path, description = "counts the entries from 1")), security(("operator_key" = [])),
    responses((status = 204), (status = "4XX", body = ProblemView,
        description = "not_found, entry_not_found, entry_not_assigned, confirmation_applied")))]
async fn unassign_transfers(
    State(app): State<App>,
    operator: Operator,
    Path((id, number)): Path<(Uuid, i32)>,
) -> Result<StatusCode, ApiError> {
    app.settlement.unassign_transfers(&Actor::Operator(operator.key), ConfirmationId(id), number).await?;
    Ok(StatusCode::NO_CONTENT)
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
