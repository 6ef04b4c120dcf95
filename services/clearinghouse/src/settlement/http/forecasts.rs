//! Routes and bodies of forecasts.

use crate::access::Scope;
use crate::amount::ShownAmount;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::Path;
use crate::http::credential::{Operator, Vendor};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use runs::forecasts::{Forecast, VendorForecast};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(forecast_scheme)).routes(routes!(forecast_own))
}

/// What a scheme's open window is on the way to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WatchedView {
    /// The window's number.
    window: i64,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// The instant that everything is said for.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// When the first of the scheme's schedules closes it; null: none does.
    #[schema(value_type = Option<String>, format = DateTime)]
    closes_at: Option<Timestamp>,
    #[schema(example = "EUR")]
    currency: String,
}

/// What one vendor is on the way to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VendorForecastView {
    #[schema(example = "AIRMILES")]
    vendor: String,
    /// What it is owed so far, in the open window and in those before it that no run settles: what the next run nets.
    #[schema(value_type = String, example = "150.000000")]
    owed: ShownAmount,
    /// What it owes of that.
    #[schema(value_type = String, example = "400.000000")]
    owes: ShownAmount,
    /// `owed` less `owes`; negative where it would have to pay.
    #[schema(value_type = String, example = "-250.000000")]
    net: ShownAmount,
    /// How much swaps change that in a day, as they have since the window was opened. Null in its first minute.
    #[schema(value_type = Option<String>, example = "-1000.000000")]
    pace_per_day: Option<ShownAmount>,
    /// What `net` will be when the window closes. Null where that is not known, or no pace.
    #[schema(value_type = Option<String>, example = "-750.000000")]
    net_at_close: Option<ShownAmount>,
    /// The most that it may owe less what it is owed, over everything unsettled. Null: no cap.
    #[schema(value_type = Option<String>, example = "1000.000000")]
    cap: Option<ShownAmount>,
    /// When it will be reached, if nothing is settled before; now, where it is. Null: no cap, or not within a year.
    #[schema(value_type = Option<String>, format = DateTime)]
    cap_reached_at: Option<Timestamp>,
}

impl From<VendorForecast> for VendorForecastView {
    fn from(forecast: VendorForecast) -> Self {
        let VendorForecast { vendor, so_far, pace_per_day, net_at_close, cap, cap_reached_at } = forecast;
        Self {
            vendor,
            owed: ShownAmount::micro_sum(so_far.owed),
            owes: ShownAmount::micro_sum(so_far.owes),
            net: ShownAmount::micro_sum(so_far.net_debit().saturating_neg()),
            pace_per_day: pace_per_day.map(ShownAmount::micro_sum),
            net_at_close: net_at_close.map(ShownAmount::micro_sum),
            cap: cap.map(ShownAmount::micro),
            cap_reached_at,
        }
    }
}

/// A scheme's window, and its vendors.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForecastView {
    #[serde(flatten)]
    watched: WatchedView,
    /// By code.
    vendors: Paged<VendorForecastView>,
}

/// The window that one vendor's debts fall into, and what it is on the way to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnForecastView {
    #[serde(flatten)]
    watched: WatchedView,
    #[serde(flatten)]
    forecast: VendorForecastView,
}

fn watched(forecast: Forecast) -> (WatchedView, Vec<VendorForecast>) {
    let Forecast { window, opened_at, as_of, closes_at, currency, vendors } = forecast;
    (WatchedView { window, opened_at, as_of, closes_at, currency }, vendors)
}

/// What each vendor's position will come to when the window closes, and when it reaches its cap, if swaps go on as they have since the window was
/// opened. What was imported, carried or owed again counts, but has no pace. An estimate: nothing is decided on it, and disputes and exclusions are not
/// looked at.
#[utoipa::path(get, path = "/v1/schemes/{scheme}/forecast", tag = "settlement",
    params(("scheme" = String, Path, description = "the scheme's code"), PageParams), security(("operator_key" = [])),
    responses((status = 200, body = ForecastView), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn forecast_scheme(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    page: Page,
) -> Result<Json<ForecastView>, ApiError> {
    let (watched, vendors) = watched(app.settlement.forecast_scheme(&scheme, page.after()?, page.limit_plus_one()).await?);
    Ok(Json(ForecastView { watched, vendors: page.of(vendors, |vendor| vendor.vendor.clone()) }))
}

/// What your position will come to when your scheme's window closes, and when you reach your cap, if swaps go on as they have.
#[utoipa::path(get, path = "/v1/vendor/forecast", tag = "settlement", security(("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = OwnForecastView), (status = "4XX", body = ProblemView, description = "no_scheme: you settle in none")))]
async fn forecast_own(State(app): State<App>, vendor: Vendor) -> Result<Json<OwnForecastView>, ApiError> {
    vendor.require(Scope::SettlementRead)?;
    let (forecast, own) = app.settlement.forecast_vendor(vendor.id).await?;
    Ok(Json(OwnForecastView { watched: watched(forecast).0, forecast: own.into() }))
}
