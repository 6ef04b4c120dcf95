//! Routes, bodies and views of one transfer: what became of it, and the door through which people say so.

use super::viewer;
use crate::access::Scope;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Path, Posted};
use crate::http::credential::OperatorOrVendor;
use crate::http::idempotency::{IdempotencyKey, Keyed};
use crate::http::problem::ProblemView;
use crate::settlement::Viewer;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use runs::transfers::{NewMark, Side, Step, TransferState, UnderSettlement, next_steps};
use runs::{Actor, TransferKey};
use scrip::RunId;
use scrip::code::HOUSE;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_transfer)).routes(routes!(mark_transfer))
}

/// What became of a transfer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "sent", "bank_reference": "2026112500042", "booked_on": "2026-11-25"}))]
pub(super) struct MarkTransfer {
    /// The state that it is in now: sent, received, failed, disputed; retried, rolled, written_off for what failed. A dispute ends in the state that it began in.
    #[schema(example = "sent")]
    to: String,
    /// What the bank calls the payment, 1 to 35 characters.
    #[schema(example = "2026112500042")]
    bank_reference: Option<String>,
    /// The day that the bank booked it; one that has begun somewhere.
    #[schema(example = "2026-11-25", format = Date)]
    booked_on: Option<String>,
    /// Of what failed: a code of ISO 20022, such as AC04 for a closed account.
    #[schema(example = "AC04")]
    reason_code: Option<String>,
    /// For people, one line of 1 to 500 characters. The operator always says why.
    reason: Option<String>,
}

impl From<MarkTransfer> for NewMark {
    fn from(MarkTransfer { to, bank_reference, booked_on, reason_code, reason }: MarkTransfer) -> Self {
        Self { to, bank_reference, booked_on, reason_code, reason }
    }
}

/// A transfer with its history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TransferHistoryView {
    id: Uuid,
    run: Uuid,
    /// Counts the run's transfers from 1.
    number: i64,
    /// What payer, payee and their banks call it.
    #[schema(example = "SH-5A24AD2BB5D6-1")]
    reference: String,
    /// A vendor's code, or HOUSE.
    payer: String,
    /// A vendor's code, or HOUSE.
    payee: String,
    #[schema(example = "3.66")]
    amount: String,
    currency: String,
    #[schema(example = "sent")]
    state: String,
    /// How often it has been instructed: 1, and one more with every retry.
    attempt: i32,
    /// What this caller may say next.
    next: Vec<&'static str>,
    /// What was said so far, the oldest first.
    steps: Vec<TransferStepView>,
}

/// Something that was said about a transfer; never changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TransferStepView {
    /// Counts the transfer's steps from 1.
    seq: i32,
    #[schema(example = "instructed")]
    from: &'static str,
    #[schema(example = "sent")]
    to: &'static str,
    attempt: i32,
    /// payer, payee, operator, or house for what happens by itself.
    #[schema(example = "payer")]
    by: &'static str,
    /// The key of the operator, for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    bank_reference: Option<String>,
    #[schema(format = Date)]
    booked_on: Option<String>,
    reason_code: Option<&'static str>,
    reason: Option<String>,
    /// The confirmation that it follows from.
    confirmation: Option<Uuid>,
    #[schema(value_type = String, format = DateTime)]
    stepped_at: Timestamp,
}

impl TransferHistoryView {
    fn new((transfer, steps): (UnderSettlement, Vec<Step>), viewer: Viewer) -> Self {
        let side = match viewer {
            Viewer::House => Some(Side::Operator),
            Viewer::Vendor(vendor) => transfer.side_of(&Actor::Vendor(vendor)),
        };
        let next = side.map(|side| next_steps(side, transfer.standing, transfer.run_state)).unwrap_or_default();
        let steps = steps.into_iter().map(|step| TransferStepView::new(&transfer, step, viewer)).collect();
        let UnderSettlement { key, id, payer, payee, amount, standing, run_state: _, currency, digits, scheme: _ } = transfer;
        Self {
            id,
            run: key.run.uuid(),
            number: key.number,
            reference: runs::reference(key.run, key.number),
            payer: payer.map_or_else(|| HOUSE.to_owned(), |party| party.code),
            payee: payee.map_or_else(|| HOUSE.to_owned(), |party| party.code),
            amount: amount.display_at_least(digits),
            currency,
            state: standing.state.to_string(),
            attempt: standing.attempt,
            next: next.into_iter().map(TransferState::as_str).collect(),
            steps,
        }
    }
}

impl TransferStepView {
    fn new(transfer: &UnderSettlement, step: Step, viewer: Viewer) -> Self {
        let Step { seq, from, to, attempt, actor, bank_reference, booked_on, reason, confirmation, stepped_at } = step;
        let by = match transfer.side_of(&actor) {
            Some(Side::Payer) => "payer",
            Some(Side::Payee) => "payee",
            Some(Side::Operator) | None => "operator",
            Some(Side::House) => "house",
        };
        Self {
            seq,
            from: from.as_str(),
            to: to.as_str(),
            attempt,
            by,
            actor: (viewer == Viewer::House).then(|| actor.to_string()),
            bank_reference,
            booked_on: booked_on.map(|day| day.to_string()),
            reason_code: reason.code.map(|reason| reason.code),
            reason: reason.text,
            confirmation,
            stepped_at,
        }
    }
}

/// A transfer with all that was said about it. A vendor sees those that it pays or is paid.
#[utoipa::path(get, path = "/v1/runs/{id}/transfers/{number}", tag = "settlement",
    params(("id" = Uuid, Path), ("number" = i64, Path, description = "counts the run's transfers from 1")),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = TransferHistoryView), (status = "4XX", body = ProblemView, description = "not_found")))]
async fn get_transfer(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path((id, number)): Path<(Uuid, i64)>,
) -> Result<Json<TransferHistoryView>, ApiError> {
    let viewer = viewer(caller)?;
    let found = app.settlement.get_transfer(viewer, TransferKey { run: RunId::new(id), number }).await?;
    Ok(Json(TransferHistoryView::new(found, viewer)))
}

/// Say what became of a transfer. The payer says sent or failed, the payee received, both disputed; the operator whatever the table of steps allows, with a reason.
///
/// The first step of its transfers makes a run `settling`, the last one `settled`. `rolled` makes a failed transfer an obligation of the scheme's open window again.
#[utoipa::path(post, path = "/v1/runs/{id}/transfers/{number}/steps", tag = "settlement", request_body = MarkTransfer,
    params(("id" = Uuid, Path), ("number" = i64, Path, description = "counts the run's transfers from 1"), IdempotencyKey),
    security(("operator_key" = []), ("vendor_key" = ["settlement:confirm"])),
    responses((status = 201, body = TransferStepView), (status = "4XX", body = ProblemView,
        description = "not_found, transfer_state_unknown, bank_reference_malformed, booked_on_malformed, booked_on_in_future, reason_code_unknown, reason_malformed, run_not_under_settlement, transfer_step_illegal, transfer_step_not_yours, reason_code_required, reason_required, roll_needs_two_vendors, window_full")))]
async fn mark_transfer(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path((id, number)): Path<(Uuid, i64)>,
    request: Keyed<MarkTransfer>,
) -> Result<Posted<TransferStepView>, ApiError> {
    let (actor, viewer) = marker(caller)?;
    // Whose the keys are, the service knows.
    let claim = request.claim(Uuid::nil());
    let key = TransferKey { run: RunId::new(id), number };
    let marked = app.settlement.mark_transfer(actor, key, claim, request.body.map(NewMark::from)).await?;
    Ok(Posted::created(marked.replayed, TransferStepView::new(&marked.transfer, marked.step, viewer)))
}

/// Who marks, and whose eyes read the answer; a vendor's key needs the scope.
fn marker(caller: OperatorOrVendor) -> Result<(Actor, Viewer), ApiError> {
    match caller {
        OperatorOrVendor::Operator(operator) => Ok((Actor::Operator(operator.key), Viewer::House)),
        OperatorOrVendor::Vendor(vendor) => {
            vendor.require(Scope::SettlementConfirm).map(|()| (Actor::Vendor(vendor.id), Viewer::Vendor(vendor.id)))
        }
    }
}
