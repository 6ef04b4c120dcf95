//! The route and the body of what a failure to pay would come to.

use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Path, Query};
use crate::http::credential::Operator;
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use netting::clearing::{Draw, Effect, WhatIf};
use runs::explanations::WhatIfDefault;
use scrip::{Micro, RunId, Scale};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(what_if_default))
}

/// A page's worth of those who are hit hardest.
const SHOWN_MAX: usize = 200;

/// Who does not pay, and who bears it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhatIfDefaultParams {
    /// The codes of those who do not pay, separated by commas, at most 32.
    #[param(example = "AIRMILES,BEANS")]
    vendor: String,
    /// carry_over, exclude_and_renet, collateral_then_loss_share or pro_rata; the scheme's `failure_rule` where nothing is said.
    rule: Option<String>,
}

/// What everybody's position would come to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WhatIfDefaultView {
    run: Uuid,
    /// Who bears it.
    #[schema(example = "carry_over")]
    rule: String,
    #[schema(example = "EUR")]
    currency: String,
    /// By how much those who pay are short, in all.
    #[schema(example = "80.00")]
    shortfall: String,
    /// Who does not pay, in the order in which they were named.
    defaulters: Vec<DefaulterView>,
    /// How many others have a position in the run.
    vendor_count: usize,
    /// The first 200 of them, the hardest hit first.
    vendors: Vec<EffectView>,
}

/// A vendor that does not pay.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DefaulterView {
    /// What the house holds of it, now. Two rules pay with it: collateral_then_loss_share and pro_rata.
    #[schema(example = "50.00")]
    collateral: String,
    /// What would be paid at once out of it, by payee; the first 200.
    draws: Vec<WhatIfDrawView>,
    #[serde(flatten)]
    effect: EffectView,
}

/// What would be paid to one vendor out of the collateral of another.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WhatIfDrawView {
    #[schema(example = "COFFEE")]
    payee: String,
    /// In whole minor units of the currency.
    #[schema(example = "40.00")]
    amount: String,
}

/// What a failure comes to for one vendor.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EffectView {
    #[schema(example = "BEANS")]
    vendor: String,
    /// Its position if all pay. Positive: to be paid; negative: to pay.
    #[schema(example = "60.00")]
    expected: String,
    /// Its position under the rule. Of who does not pay: less what is paid of its collateral, in whole minor units.
    #[schema(example = "20.00")]
    outcome: String,
    /// What it would receive less or pay more; zero where it would not be hit.
    #[schema(example = "40.00")]
    short: String,
}

impl EffectView {
    fn new(effect: &Effect, digits: Scale) -> Self {
        let Effect { party, defaults: _, expected, outcome, short } = effect;
        let [expected, outcome, short] = [expected, outcome, short].map(|amount| amount.display_at_least(digits));
        Self { vendor: party.to_string(), expected, outcome, short }
    }
}

impl From<WhatIfDefault> for WhatIfDefaultView {
    fn from(WhatIfDefault { run, collateral, what_if }: WhatIfDefault) -> Self {
        let WhatIf { rule, effects, draws, shortfall } = what_if;
        let (failing, mut others): (Vec<Effect>, Vec<Effect>) = effects.into_iter().partition(|effect| effect.defaults);
        others.sort_by(|one, other| (Reverse(one.short), &one.party).cmp(&(Reverse(other.short), &other.party)));
        let show = |amount: Micro| amount.display_at_least(run.digits);
        let draw = |draw: &Draw| WhatIfDrawView { payee: draw.payee.to_string(), amount: show(draw.amount) };
        let defaulter = |(vendor, collateral): (String, Micro)| {
            let effect = failing.iter().find(|effect| effect.party.as_str() == vendor)?;
            let draws = draws.iter().filter(|draw| draw.party == effect.party).take(SHOWN_MAX).map(draw).collect();
            Some(DefaulterView { collateral: show(collateral), draws, effect: EffectView::new(effect, run.digits) })
        };
        Self {
            run: run.id.uuid(),
            rule: rule.name().to_owned(),
            shortfall: show(shortfall),
            defaulters: collateral.into_iter().filter_map(defaulter).collect(),
            vendor_count: others.len(),
            vendors: others.iter().take(SHOWN_MAX).map(|effect| EffectView::new(effect, run.digits)).collect(),
            currency: run.currency,
        }
    }
}

/// See what everybody's position would come to if some vendors made none of their transfers. Nothing is decided or stored. What the run held back is left
/// out: it is owed whatever happens. Where one vendor fails and is the first to, its `draws` are to the unit what its default will pay.
///
/// `exclude_and_renet` takes out whatever they owe or are owed; `collateral_then_loss_share` takes what the house holds of theirs and shares the rest
/// among those who were to be paid; `pro_rata` pays all that they owe at one rate; `carry_over` leaves owed what they do not transfer.
#[utoipa::path(get, path = "/v1/runs/{id}/what-if-default", tag = "settlement", params(("id" = Uuid, Path), WhatIfDefaultParams),
    security(("operator_key" = [])),
    responses((status = 200, body = WhatIfDefaultView),
        (status = "4XX", body = ProblemView, description = "not_found, vendor_not_in_run, vendor_named_twice, defaulters_out_of_range, failure_rule_unknown, house_is_creditor, algorithm_version_differs"),
        (status = 503, body = ProblemView, description = "overloaded: as many explanations as the house makes at once are under way")))]
async fn what_if_default(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<Uuid>,
    Query(params): Query<WhatIfDefaultParams>,
) -> Result<Json<WhatIfDefaultView>, ApiError> {
    let what_if = app.settlement.what_if_default(RunId::new(id), &params.vendor, params.rule.as_deref()).await?;
    Ok(Json(what_if.into()))
}
