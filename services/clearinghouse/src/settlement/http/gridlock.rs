//! The route and the body of what of a scheme's unsettled obligations could settle at once.

use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::Path;
use crate::http::credential::Operator;
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use runs::explanations::{Gridlock, QueuedVendor, Tally};
use scrip::Scale;
use serde::Serialize;
use std::cmp::Reverse;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(resolve_gridlock))
}

/// A page's worth of those that have most to wait for.
const SHOWN_MAX: usize = 200;

/// What could settle at once, if vendors paid from what the house holds of theirs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GridlockView {
    /// The numbers of the windows that no run settles, the open one last.
    windows: Vec<i64>,
    #[schema(example = "EUR")]
    currency: String,
    /// What settles.
    settles: TallyView,
    /// What waits.
    waits: TallyView,
    /// How many vendors the scheme has.
    vendor_count: usize,
    /// The first 200 of them, those with most waiting first.
    vendors: Vec<QueuedVendorView>,
}

/// How many obligations, and what they sum to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TallyView {
    count: usize,
    #[schema(example = "120.00")]
    amount: String,
}

/// One vendor's own queue.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QueuedVendorView {
    #[schema(example = "AIRMILES")]
    vendor: String,
    /// What the house holds of the vendor's.
    #[schema(example = "50.00")]
    collateral: String,
    /// What would be left of it, with what the vendor would be paid.
    #[schema(example = "20.00")]
    after: String,
    /// What it owes and would pay.
    settles: TallyView,
    /// What it owes and could not pay yet.
    waits: TallyView,
}

impl TallyView {
    fn new(tally: Tally, digits: Scale) -> Self {
        let Tally { count, amount } = tally;
        Self { count, amount: amount.display_at_least(digits) }
    }
}

impl QueuedVendorView {
    fn new(queued: QueuedVendor, digits: Scale) -> Self {
        let QueuedVendor { vendor, collateral, after, settles, waits } = queued;
        let [collateral, after] = [collateral, after].map(|amount| amount.display_at_least(digits));
        let [settles, waits] = [settles, waits].map(|tally| TallyView::new(tally, digits));
        Self { vendor, collateral, after, settles, waits }
    }
}

impl From<Gridlock> for GridlockView {
    fn from(gridlock: Gridlock) -> Self {
        let Gridlock { windows, currency, digits, settles, waits, mut vendors } = gridlock;
        // By code among equals: the sort is stable.
        vendors.sort_by_key(|queued| Reverse(queued.waits.amount));
        Self {
            windows,
            currency,
            settles: TallyView::new(settles, digits),
            waits: TallyView::new(waits, digits),
            vendor_count: vendors.len(),
            vendors: vendors.into_iter().take(SHOWN_MAX).map(|queued| QueuedVendorView::new(queued, digits)).collect(),
        }
    }
}

/// See what of the obligations that no run settles could settle at once, if vendors paid from their collateral. Nothing is settled or stored.
///
/// Each vendor pays in the order in which its obligations were booked, and never more than it holds and is paid; what settles is the largest such
/// set. Disputes and exclusions are not looked at.
#[utoipa::path(get, path = "/v1/schemes/{scheme}/gridlock", tag = "settlement",
    params(("scheme" = String, Path, description = "the scheme's code")), security(("operator_key" = [])),
    responses((status = 200, body = GridlockView),
        (status = "4XX", body = ProblemView, description = "scheme_not_found, too_many_obligations"),
        (status = 503, body = ProblemView, description = "overloaded: as many explanations as the house makes at once are under way")))]
async fn resolve_gridlock(State(app): State<App>, _: Operator, Path(scheme): Path<String>) -> Result<Json<GridlockView>, ApiError> {
    Ok(Json(app.settlement.resolve_queue(&scheme).await?.into()))
}
