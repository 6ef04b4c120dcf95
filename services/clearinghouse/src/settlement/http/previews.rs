//! The route of a run that is not made: what it would come to.

use super::views::PositionView;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::Path;
use crate::http::credential::Operator;
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use netting::{Netting, Transfer};
use runs::Preview;
use runs::runs::Position;
use scrip::{Micro, Scale};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(preview_run))
}

/// A page's worth: whoever wants all of them makes the run.
const SHOWN_MAX: usize = 200;

/// What a run would come to if the scheme's window were closed now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewView {
    /// The numbers of the windows that it would net, the open one last.
    windows: Vec<i64>,
    #[schema(example = "EUR")]
    currency: String,
    #[schema(example = "direct")]
    strategy: String,
    obligation_count: i64,
    /// The sum of the obligations.
    #[schema(example = "24.3403")]
    gross: String,
    /// What would be paid if only two vendors at a time set off.
    bilateral: String,
    /// The least money that could settle everything.
    net: String,
    /// What the transfers would move.
    total: String,
    transfer_count: usize,
    /// The first 200 of them.
    transfers: Vec<PreviewedTransferView>,
    position_count: usize,
    /// The first 200 of them, by the vendors' codes.
    positions: Vec<PositionView>,
    /// That of the run, if nothing changes.
    input_hash: String,
    /// That of the run, if nothing changes.
    output_hash: String,
}

/// A transfer that would be made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewedTransferView {
    /// A vendor's code, or HOUSE.
    payer: String,
    /// A vendor's code, or HOUSE.
    payee: String,
    #[schema(example = "3.66")]
    amount: String,
}

impl From<Preview> for PreviewView {
    fn from(preview: Preview) -> Self {
        let Preview { windows, currency, digits, obligation_count, netting } = preview;
        let show = |amount: Micro| amount.display_at_least(digits);
        let Netting { strategy, gross, bilateral, net, total, positions, transfers, input_hash, output_hash, .. } = netting;
        Self {
            windows,
            strategy: strategy.name().to_owned(),
            obligation_count,
            gross: show(gross),
            bilateral: show(bilateral),
            net: show(net),
            total: show(total),
            transfer_count: transfers.len(),
            transfers: transfers.into_iter().take(SHOWN_MAX).map(|transfer| to_transfer_view(&transfer, digits)).collect(),
            position_count: positions.len(),
            positions: positions.into_iter().take(SHOWN_MAX).map(|position| to_position_view(position, &currency, digits)).collect(),
            input_hash: hex::encode(input_hash.bytes()),
            output_hash: hex::encode(output_hash.bytes()),
            currency,
        }
    }
}

fn to_transfer_view(transfer: &Transfer, digits: Scale) -> PreviewedTransferView {
    let Transfer { payer, payee, amount } = transfer;
    PreviewedTransferView { payer: payer.to_string(), payee: payee.to_string(), amount: amount.display_at_least(digits) }
}

fn to_position_view(position: netting::Position, currency: &str, digits: Scale) -> PositionView {
    let netting::Position { party, owed, owes, net, settled, carry } = position;
    PositionView::new(Position { vendor: party.to_string(), owed, owes, net, settled, carry }, currency, digits)
}

/// See what a run would come to now: computed as the run would be, and nothing is closed or stored. The hashes are those that the run
/// will have if nothing changes until then.
#[utoipa::path(get, path = "/v1/schemes/{scheme}/preview", tag = "settlement",
    params(("scheme" = String, Path, description = "the scheme's code")), security(("operator_key" = [])),
    responses((status = 200, body = PreviewView), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn preview_run(State(app): State<App>, _: Operator, Path(scheme): Path<String>) -> Result<Json<PreviewView>, ApiError> {
    Ok(Json(app.settlement.preview(&scheme).await?.into()))
}
