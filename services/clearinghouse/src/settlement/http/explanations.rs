//! Routes and bodies of what is behind a run: JSON in pages, CSV whole.

use super::viewer;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::Path;
use crate::http::credential::{Operator, OperatorOrVendor};
use crate::http::format::{CSV, Format};
use crate::http::page::{Page, PageParams, cursor};
use crate::http::problem::ProblemView;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, TryStreamExt};
use runs::explanations::{
    Broken, ExplainedItem, ExplainedLoop, ExplainedPart, ExplainedPosition, ExplainedStep, ExplainedTransfer, Origin, Pieces, Slice, Sums,
};
use scrip::{Micro, RunId, Scale};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(explain_transfer)).routes(routes!(explain_position))
}

/// What is behind a transfer: debts that lead around, from payer to payee and back by what is paid.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExplainedTransferView {
    /// Counts the run's transfers from 1.
    number: i64,
    #[schema(example = "SH-5A24AD2BB5D6-1")]
    reference: String,
    /// A vendor's code, or HOUSE.
    payer: String,
    /// A vendor's code, or HOUSE.
    payee: String,
    /// What all of its loops sum to.
    #[schema(example = "3.66")]
    amount: String,
    currency: String,
    /// obligations, or pairs: of a run with more than 1000000 obligations, the sums per debtor and creditor are explained.
    #[schema(example = "obligations")]
    level: String,
    /// How many loops there are in all.
    loop_count: usize,
    /// So many as the page takes, and as have 10000 parts together.
    loops: Vec<LoopView>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// An amount that goes once around, through no vendor twice.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LoopView {
    /// Counts the transfer's loops from 1.
    number: usize,
    /// So much of the transfer, and of each step.
    #[schema(example = "3.66")]
    amount: String,
    /// path: one chain of debts, and what is paid for it. exchange: several chains, whose payers pay each other's payees.
    #[schema(example = "path")]
    kind: String,
    /// Each leads to the vendor at which the next begins, the last to that of the first.
    steps: Vec<LoopStepView>,
}

/// One step of a loop.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum LoopStepView {
    /// From a debtor to its creditor.
    Owed {
        /// A vendor's code.
        debtor: String,
        /// A vendor's code.
        creditor: String,
        /// How many obligations have a part in it.
        part_count: usize,
        /// They sum to the amount of the loop, if all are shown.
        parts: Vec<PartView>,
    },
    /// From a payee back to its payer.
    Transfer {
        /// A vendor's code, or HOUSE.
        payer: String,
        /// A vendor's code, or HOUSE.
        payee: String,
        /// Counts the run's transfers from 1.
        number: i64,
        /// What payer, payee and their banks call it.
        reference: String,
    },
    /// From who stays owed, by the next window, back to who stays in debt.
    Carry {
        /// A vendor's code.
        debtor: String,
        /// A vendor's code.
        creditor: String,
    },
}

/// So much of one obligation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PartView {
    #[serde(flatten)]
    origin: OriginView,
    #[schema(example = "3.66")]
    amount: String,
}

/// Where an obligation comes from; null where sums are explained.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct OriginView {
    /// Its id, as statements name it (column `reference`).
    obligation: Option<Uuid>,
    /// swap, fee, reversal, carry, import, rolled or default.
    #[schema(example = "swap")]
    source: Option<String>,
    /// The swap that made it, or the import, run or dispute.
    operation: Option<Uuid>,
}

impl OriginView {
    fn new(origin: Option<Origin>) -> Self {
        origin.map_or_else(Self::default, |Origin { obligation, source, operation }| Self {
            obligation: Some(obligation),
            source: Some(source.as_str().to_owned()),
            operation: Some(operation),
        })
    }
}

impl ExplainedTransferView {
    fn new(explained: ExplainedTransfer, after: usize) -> Self {
        let ExplainedTransfer { run, level, number, reference, transfer, loop_count, loops } = explained;
        let told = after.saturating_add(loops.len());
        Self {
            number,
            reference,
            payer: transfer.payer.to_string(),
            payee: transfer.payee.to_string(),
            amount: transfer.amount.display_at_least(run.digits),
            currency: run.currency,
            level: level.as_str().to_owned(),
            loop_count,
            loops: loops.into_iter().map(|told| LoopView::new(told, run.digits)).collect(),
            next: (told < loop_count).then(|| cursor(told)),
        }
    }
}

impl LoopView {
    fn new(told: ExplainedLoop, digits: Scale) -> Self {
        let ExplainedLoop { number, amount, kind, steps } = told;
        let steps = steps.into_iter().map(|step| LoopStepView::new(step, digits)).collect();
        Self { number, amount: amount.display_at_least(digits), kind: kind.name().to_owned(), steps }
    }
}

impl LoopStepView {
    fn new(step: ExplainedStep, digits: Scale) -> Self {
        match step {
            ExplainedStep::Owed { debtor, creditor, part_count, parts } => {
                let part = |ExplainedPart { origin, amount }| PartView {
                    origin: OriginView::new(origin),
                    amount: Micro::display_at_least(amount, digits),
                };
                let parts = parts.into_iter().map(part).collect();
                Self::Owed { debtor: debtor.to_string(), creditor: creditor.to_string(), part_count, parts }
            }
            ExplainedStep::Transfer { payer, payee, number, reference } => {
                Self::Transfer { payer: payer.to_string(), payee: payee.to_string(), number, reference }
            }
            ExplainedStep::Carry { debtor, creditor } => Self::Carry { debtor: debtor.to_string(), creditor: creditor.to_string() },
        }
    }
}

/// What became of each obligation that a vendor owes or is owed in a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExplainedPositionView {
    #[schema(example = "AIRMILES")]
    vendor: String,
    currency: String,
    /// obligations, or pairs: of a run with more than 1000000 obligations, the sums per debtor and creditor are explained.
    #[schema(example = "obligations")]
    level: String,
    /// What others owe it; its amount is that of the position.
    owed: SumsView,
    /// What it owes others; its amount is that of the position.
    owes: SumsView,
    /// How many items there are in all.
    item_count: usize,
    /// By debtor, creditor, and the order in which they were booked.
    items: Vec<ItemView>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// What became of so much: `amount = paid + carried + set_off`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SumsView {
    #[schema(example = "10.00")]
    amount: String,
    /// Settled where a transfer ends its chain of debts.
    #[schema(example = "3.66")]
    paid: String,
    /// Left owed, to be paid with the next window.
    #[schema(example = "0.0067")]
    carried: String,
    /// Settled in circles, without money.
    #[schema(example = "6.3333")]
    set_off: String,
}

/// An obligation, or the sum of all from one vendor to another.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemView {
    #[serde(flatten)]
    origin: OriginView,
    debtor: String,
    creditor: String,
    #[serde(flatten)]
    sums: SumsView,
}

impl SumsView {
    fn new(sums: Sums, digits: Scale) -> Self {
        let Sums { amount, paid, carried, set_off } = sums;
        let [amount, paid, carried, set_off] = [amount, paid, carried, set_off].map(|sum| sum.display_at_least(digits));
        Self { amount, paid, carried, set_off }
    }
}

impl ExplainedPositionView {
    fn new(explained: ExplainedPosition, after: usize) -> Self {
        let ExplainedPosition { run, level, vendor, owed, owes, item_count, items } = explained;
        let told = after.saturating_add(items.len());
        let item = |ExplainedItem { origin, debtor, creditor, sums }| ItemView {
            origin: OriginView::new(origin),
            debtor,
            creditor,
            sums: SumsView::new(sums, run.digits),
        };
        Self {
            vendor,
            level: level.as_str().to_owned(),
            owed: SumsView::new(owed, run.digits),
            owes: SumsView::new(owes, run.digits),
            item_count,
            items: items.into_iter().map(item).collect(),
            next: (told < item_count).then(|| cursor(told)),
            currency: run.currency,
        }
    }
}

/// Explain a transfer: which obligations are behind it, down to the swaps.
///
/// Each loop is an amount that leads from the payer along debts, and back along what is paid for them; the loops sum to the transfer. With
/// `Accept: text/csv` all of it comes as CSV, a row for each part and each payment: loop, kind, step, type (owed, transfer or carry), from, to,
/// reference, operation, amount, currency.
///
/// Only for the operator: it says what vendors owe each other. A vendor asks for its position.
#[utoipa::path(get, path = "/v1/runs/{id}/transfers/{number}/explain", tag = "settlement",
    params(("id" = Uuid, Path), ("number" = i64, Path, description = "counts the run's transfers from 1"), PageParams),
    security(("operator_key" = [])),
    responses((status = 200, description = "its loops", content((ExplainedTransferView = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = ProblemView, description = "not_found, algorithm_version_differs, explanation_takes_too_long"),
        (status = 503, body = ProblemView, description = "overloaded: as many explanations as the house makes at once are under way")))]
async fn explain_transfer(
    State(app): State<App>,
    _: Operator,
    Path((id, number)): Path<(Uuid, i64)>,
    format: Format,
    page: Page,
) -> Result<Response, ApiError> {
    let (run, slice) = (RunId::new(id), read_slice(&page)?);
    match format {
        Format::Json => {
            let explained = app.settlement.explain_transfer(run, number, slice).await?;
            Ok(Json(ExplainedTransferView::new(explained, slice.after)).into_response())
        }
        Format::Csv => Ok(download(app.settlement.write_explained_transfer(run, number).await?)),
    }
}

/// Explain a position: what of each obligation that the vendor owes or is owed is paid, carried into the next window, or set off.
///
/// With `Accept: text/csv` all of it comes as CSV, a row for each obligation: obligation, source, operation, debtor, creditor, amount, paid,
/// carried, set_off, currency. A vendor sees its own.
#[utoipa::path(get, path = "/v1/runs/{id}/positions/{vendor}/explain", tag = "settlement",
    params(("id" = Uuid, Path), ("vendor" = String, Path, description = "the vendor's code"), PageParams),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, description = "its obligations", content((ExplainedPositionView = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = ProblemView, description = "not_found, algorithm_version_differs"),
        (status = 503, body = ProblemView, description = "overloaded: as many explanations as the house makes at once are under way")))]
async fn explain_position(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path((id, vendor)): Path<(Uuid, String)>,
    format: Format,
    page: Page,
) -> Result<Response, ApiError> {
    let (viewer, run, slice) = (viewer(caller)?, RunId::new(id), read_slice(&page)?);
    match format {
        Format::Json => {
            let explained = app.settlement.explain_position(viewer, run, &vendor, slice).await?;
            Ok(Json(ExplainedPositionView::new(explained, slice.after)).into_response())
        }
        Format::Csv => Ok(download(app.settlement.write_explained_position(viewer, run, &vendor).await?)),
    }
}

fn read_slice(page: &Page) -> Result<Slice, ApiError> {
    Ok(Slice { after: page.after()?.unwrap_or(0), limit: page.limit() })
}

fn download(pieces: Pieces) -> Response {
    let pieces = stream::try_unfold(pieces, async |mut pieces| Ok(pieces.next().await?.map(|piece| (piece, pieces))));
    // The status has been sent by now; the caller sees a download that breaks off, and why is told here.
    let pieces = pieces.inspect_err(|broken: &Broken| tracing::error!(%broken, "an explanation broke off"));
    ([(header::CONTENT_TYPE, CSV)], Body::from_stream(pieces)).into_response()
}
