//! Routes and bodies of vendors that have not paid.

use super::viewer;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Path};
use crate::http::credential::{Operator, OperatorOrVendor};
use crate::http::format::{CSV, Format};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use crate::vendors::Payout;
use crate::vendors::http::PayoutBody;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use runs::defaults::{Booking, Correction, Default, Draw, NewPayment, Paid, draws_csv};
use runs::files::Account;
use runs::{Actor, Run};
use scrip::{Micro, RunId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_defaults)).routes(routes!(declare_default)).routes(routes!(pay_draw))
}

/// Why a vendor is taken not to pay any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclareDefault {
    #[schema(example = "insolvent since the 23rd", min_length = 1, max_length = 500)]
    reason: String,
}

/// A vendor that has not paid, and what takes the place of its failed transfers. For every vendor, what it is paid and owed since comes to what
/// it would have been paid by them. Whoever is no operator sees its own part.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DefaultView {
    /// The `operation` of the obligations that it left, whose source is `default`.
    id: Uuid,
    #[schema(example = "AIRMILES")]
    vendor: String,
    /// Who bears it: the scheme's `failure_rule` at the time; `carry_over`, if another vendor had defaulted in the run before.
    #[schema(example = "collateral_then_loss_share")]
    rule: String,
    /// Only for the operator.
    reason: Option<String>,
    /// `house`, when the time to try again was up, or `operator:` and the id of the key. Only for the operator.
    declared_by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    declared_at: Timestamp,
    #[schema(example = "EUR")]
    currency: String,
    /// The failed transfers, in all.
    #[schema(example = "80.00")]
    failed: String,
    /// Paid by the operator, out of what the house holds of the vendor; its collateral is less by so much.
    draws: Vec<DrawView>,
    /// Owed since, and settled as everything is: by the next run that leaves neither of the two out.
    debts: Vec<DebtView>,
}

/// What is paid to one vendor out of the collateral of another.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DrawView {
    #[schema(example = "COFFEE")]
    payee: String,
    #[schema(example = "40.00")]
    amount: String,
    /// What to call the payment: at most 35 characters that every bank takes.
    #[schema(example = "SH-0B5E3C8D9A41-D1")]
    reference: String,
    /// Where the payee is to be paid. Null: it has not said so, it is not yours to see, or it is paid.
    account: Option<PayoutBody>,
    /// When it was first said to be paid. Null: it is still to be paid.
    #[schema(value_type = Option<String>, format = DateTime)]
    paid_at: Option<Timestamp>,
    /// What the bank calls the payment.
    #[schema(example = "2026112600017")]
    bank_reference: Option<String>,
    /// The day that the bank booked it.
    #[schema(example = "2026-11-26")]
    booked_on: Option<String>,
    /// How what was said of the payment has been put right, in order. Only for the operator.
    corrections: Option<Vec<CorrectionView>>,
}

/// What was said of a payment, put right.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CorrectionView {
    before: BookingView,
    after: BookingView,
    #[schema(example = "two digits were swapped")]
    reason: String,
    /// `operator:` and the id of the key.
    corrected_by: String,
    #[schema(value_type = String, format = DateTime)]
    corrected_at: Timestamp,
}

/// What was said of a payment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BookingView {
    #[schema(example = "2026112600071")]
    bank_reference: Option<String>,
    #[schema(example = "2026-11-26")]
    booked_on: Option<String>,
}

impl From<Booking> for BookingView {
    fn from(Booking { bank_reference, booked_on }: Booking) -> Self {
        Self { bank_reference, booked_on: booked_on.map(|day| day.to_string()) }
    }
}

impl From<Correction> for CorrectionView {
    fn from(Correction { before, after, reason, actor, at }: Correction) -> Self {
        Self { before: before.into(), after: after.into(), reason, corrected_by: actor.to_string(), corrected_at: at }
    }
}

impl DrawView {
    fn new(draw: Draw, run: &Run) -> Self {
        let Draw { payee, number: _, amount, reference, account, paid, corrections } = draw;
        let (paid_at, booking) = paid.map(|Paid { at, booking }| (at, BookingView::from(booking))).unzip();
        let (bank_reference, booked_on) = booking.map_or((None, None), |booking| (booking.bank_reference, booking.booked_on));
        Self {
            payee,
            amount: amount.display_at_least(run.digits),
            reference,
            account: account.map(|Account { holder, iban, bic }| Payout { account_holder: holder, iban, bic }.into()),
            paid_at,
            bank_reference,
            booked_on,
            corrections: corrections.map(|corrections| corrections.into_iter().map(CorrectionView::from).collect()),
        }
    }
}

/// How a draw was paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"bank_reference": "2026112600017", "booked_on": "2026-11-26"}))]
pub(super) struct PayDraw {
    /// What the bank calls the payment.
    #[schema(min_length = 1, max_length = 35)]
    bank_reference: Option<String>,
    /// The day that the bank booked it; one that has begun somewhere.
    booked_on: Option<String>,
    /// Why what was said before is put right. Leave it out to say that the draw is paid.
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
}

/// What one vendor owes another since.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DebtView {
    #[schema(example = "AIRMILES")]
    debtor: String,
    #[schema(example = "COFFEE")]
    creditor: String,
    #[schema(example = "20.00")]
    amount: String,
}

impl DefaultView {
    fn new(default: Default, run: &Run) -> Self {
        let Default { id, vendor, rule, declared, declared_at, failed, draws, debts } = default;
        let (declared_by, reason) = declared.map(|(actor, reason)| (actor.to_string(), reason)).unzip();
        let show = |amount: Micro| amount.display_at_least(run.digits);
        Self {
            id,
            vendor,
            rule: rule.name().to_owned(),
            reason,
            declared_by,
            declared_at,
            currency: run.currency.clone(),
            failed: show(failed),
            draws: draws.into_iter().map(|draw| DrawView::new(draw, run)).collect(),
            debts: debts.into_iter().map(|(debtor, creditor, amount)| DebtView { debtor, creditor, amount: show(amount) }).collect(),
        }
    }
}

/// The vendors that have not paid in a run, by code. Whoever took part in the run hears of them.
///
/// With `Accept: text/csv`, what is paid out of collateral comes as a file for whoever pays, a row for each draw: vendor, payee, amount, currency,
/// reference, account_holder, iban, bic, paid_at, bank_reference, booked_on.
#[utoipa::path(get, path = "/v1/runs/{id}/defaults", tag = "settlement", params(("id" = Uuid, Path), PageParams),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, description = "the defaults", content((Paged<DefaultView> = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = ProblemView, description = "not_found")))]
async fn list_defaults(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path(id): Path<Uuid>,
    format: Format,
    page: Page,
) -> Result<Response, ApiError> {
    let (viewer, id) = (viewer(caller)?, RunId::new(id));
    match format {
        Format::Json => {
            let (defaults, run) = app.settlement.list_defaults(viewer, id, page.after()?, page.limit_plus_one()).await?;
            let defaults: Paged<Default> = page.of(defaults, |default| default.vendor.clone());
            Ok(Json(defaults.map(|default| DefaultView::new(default, &run))).into_response())
        }
        Format::Csv => {
            let (defaults, run) = app.settlement.list_defaults(viewer, id, None, i64::MAX).await?;
            Ok(([(header::CONTENT_TYPE, CSV)], draws_csv(&run, &defaults)).into_response())
        }
    }
}

/// Declare that a vendor has not paid in a run, and carry out the `failure_rule` of its scheme. Declared already, it stays as it is.
///
/// Each of the vendor's transfers in the run must have ended or failed, and at least one have failed. Those become `rolled`, and something else takes
/// their place; the answer says what. `exclude_and_renet` gives everybody the position that it would have without the vendor;
/// `collateral_then_loss_share` and `pro_rata` pay with what the house holds of the vendor, and what is missing is borne by those who were to be paid, or
/// by its creditors. What somebody bears the vendor goes on owing, and but for `carry_over` it is left out of the scheme's next runs until that is
/// lifted. The rule is for the first default of a run: a later one is carried over. Where a scheme has `grace_hours`, the house does all of this by itself
/// when they are over; without, it waits for this request. `GET /v1/runs/{id}/what-if-default` shows beforehand what a default of everything would come to.
#[utoipa::path(put, path = "/v1/runs/{id}/defaults/{vendor}", tag = "settlement", request_body = DeclareDefault,
    params(("id" = Uuid, Path), ("vendor" = String, Path, description = "the vendor's code")), security(("operator_key" = [])),
    responses((status = 200, body = DefaultView),
        (status = "4XX", body = ProblemView, description = "not_found, vendor_not_payer, run_not_settling, transfer_on_its_way, nothing_failed, house_is_creditor, window_full, reason_malformed")))]
async fn declare_default(
    State(app): State<App>,
    operator: Operator,
    Path((id, vendor)): Path<(Uuid, String)>,
    Body(body): Body<DeclareDefault>,
) -> Result<Json<DefaultView>, ApiError> {
    let actor = Actor::Operator(operator.key);
    let (default, run) = app.settlement.declare_default(RunId::new(id), &vendor, &body.reason, &actor).await?;
    Ok(Json(DefaultView::new(default, &run)))
}

/// Say that what a default pays to a vendor out of the other's collateral has been paid. Said again in the same words, it stays as it is.
///
/// With other words and a `reason`, what was said is put right: `bank_reference` and `booked_on` are both replaced, `paid_at` stays, and what was said
/// before, by whom it was corrected, when and why, is kept in `corrections`.
#[utoipa::path(put, path = "/v1/runs/{id}/defaults/{vendor}/draws/{payee}", tag = "settlement", request_body = PayDraw,
    params(("id" = Uuid, Path), ("vendor" = String, Path, description = "the code of the vendor that has not paid"),
        ("payee" = String, Path, description = "the code of the vendor that is paid")), security(("operator_key" = [])),
    responses((status = 200, body = DefaultView),
        (status = "4XX", body = ProblemView, description = "not_found, draw_not_found, draw_paid, draw_not_paid, bank_reference_malformed, booked_on_malformed, booked_on_in_future, reason_malformed")))]
async fn pay_draw(
    State(app): State<App>,
    operator: Operator,
    Path((id, vendor, payee)): Path<(Uuid, String, String)>,
    Body(PayDraw { bank_reference, booked_on, reason }): Body<PayDraw>,
) -> Result<Json<DefaultView>, ApiError> {
    let (actor, payment) = (Actor::Operator(operator.key), NewPayment { bank_reference, booked_on, reason });
    let (default, run) = app.settlement.pay_draw(RunId::new(id), &vendor, &payee, &payment, &actor).await?;
    Ok(Json(DefaultView::new(default, &run)))
}
