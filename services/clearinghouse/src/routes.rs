//! All routes of the house, their description, and the edge that every request passes through.

use crate::app::App;
use crate::http::docs;
use crate::http::edge::{self, Edge};
use crate::{access, accounts, caps, house, issues, rates, schemes, settlement, swaps, trades, users, vendors};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The house as it is served.
pub fn router(app: &App) -> Edge {
    let (routes, description) = OpenApiRouter::with_openapi(docs::Description::openapi())
        .routes(routes!(docs::get_health))
        .merge(schemes::http::routes())
        .merge(vendors::http::routes())
        .merge(access::http::routes())
        .merge(rates::http::routes())
        .merge(caps::http::routes())
        .merge(house::http::routes())
        .merge(issues::http::routes())
        .merge(users::http::routes())
        .merge(accounts::http::routes())
        .merge(swaps::http::routes())
        .merge(swaps::bulk::http::routes())
        .merge(trades::http::routes())
        .merge(settlement::http::routes())
        .split_for_parts();
    edge::around(routes.with_state(app.clone()).merge(docs::routes(description)), app.limits())
}
