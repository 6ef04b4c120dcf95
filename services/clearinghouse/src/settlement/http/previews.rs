//! Routes of a run that is not made: what it would come to, by the scheme's strategy and by all of them.

use super::views::PositionView;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::Path;
use crate::http::credential::Operator;
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use netting::{Alternative, Figures, LargestPayer, Netting, Transfer, WhatIf};
use runs::runs::Position;
use runs::{Comparison, Preview};
use scrip::{Micro, Scale};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(preview_run)).routes(routes!(compare_strategies))
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

/// All strategies side by side, for what a run would net if the scheme's window were closed now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ComparisonView {
    /// The numbers of the windows that it would net, the open one last.
    windows: Vec<i64>,
    #[schema(example = "EUR")]
    currency: String,
    /// How the scheme's next run will be netted.
    #[schema(example = "direct")]
    strategy: String,
    obligation_count: i64,
    /// The sum of the obligations.
    #[schema(example = "120.00")]
    gross: String,
    /// What would be left to pay if only two vendors at a time set off.
    bilateral: String,
    /// What would be left to pay if what is owed in circles were set off.
    conservative: String,
    /// The least money that could settle everything.
    net: String,
    /// One for each strategy.
    strategies: Vec<AlternativeView>,
}

/// What one strategy would come to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlternativeView {
    #[schema(example = "fewest")]
    strategy: String,
    /// Why the strategy does not take these obligations; then there are no figures.
    refused: Option<String>,
    #[serde(flatten)]
    figures: Option<FiguresView>,
}

/// The figures of one strategy.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FiguresView {
    transfer_count: usize,
    /// What the transfers would move; by the hub everything twice.
    #[schema(example = "30.00")]
    total: String,
    /// What would be left to pay, before rounding.
    remaining: String,
    /// What would be cancelled without money.
    set_off: String,
    /// What rounding and the smallest transfer would carry.
    carried: String,
    /// The vendor that would pay most in all.
    largest_payer: Option<String>,
    /// What it would pay.
    largest_payer_pays: Option<String>,
    largest_transfer: String,
    /// Whether the strategy provably reaches its goal.
    optimal: bool,
}

impl From<Comparison> for ComparisonView {
    fn from(comparison: Comparison) -> Self {
        let Comparison { windows, currency, strategy, obligation_count, what_if } = comparison;
        let WhatIf { digits, gross, bilateral, conservative, net, alternatives, .. } = what_if;
        let show = |amount: Micro| amount.display_at_least(digits);
        Self {
            windows,
            currency,
            strategy: strategy.name().to_owned(),
            obligation_count,
            gross: show(gross),
            bilateral: show(bilateral),
            conservative: show(conservative),
            net: show(net),
            strategies: alternatives.into_iter().map(|alternative| to_alternative_view(alternative, digits)).collect(),
        }
    }
}

fn to_alternative_view(alternative: Alternative, digits: Scale) -> AlternativeView {
    let Alternative { strategy, figures } = alternative;
    let strategy = strategy.name().to_owned();
    match figures {
        Ok(figures) => AlternativeView { strategy, refused: None, figures: Some(to_figures_view(figures, digits)) },
        Err(error) => AlternativeView { strategy, refused: Some(error.to_string()), figures: None },
    }
}

fn to_figures_view(figures: Figures, digits: Scale) -> FiguresView {
    let Figures { transfers, total, remaining, set_off, carried, largest_payer, largest_transfer, optimal, transfers_needed: _ } = figures;
    let show = |amount: Micro| amount.display_at_least(digits);
    let (largest_payer, largest_payer_pays) = largest_payer.map(|LargestPayer { party, pays }| (party.to_string(), show(pays))).unzip();
    FiguresView {
        transfer_count: transfers,
        total: show(total),
        remaining: show(remaining),
        set_off: show(set_off),
        carried: show(carried),
        largest_payer,
        largest_payer_pays,
        largest_transfer: show(largest_transfer),
        optimal,
    }
}

/// See what every strategy would make of the scheme's obligations, before one is chosen. Nothing is closed or stored.
#[utoipa::path(get, path = "/v1/schemes/{scheme}/what-if", tag = "settlement",
    params(("scheme" = String, Path, description = "the scheme's code")), security(("operator_key" = [])),
    responses((status = 200, body = ComparisonView), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn compare_strategies(State(app): State<App>, _: Operator, Path(scheme): Path<String>) -> Result<Json<ComparisonView>, ApiError> {
    Ok(Json(app.settlement.compare(&scheme).await?.into()))
}
