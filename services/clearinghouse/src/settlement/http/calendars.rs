//! Routes and bodies of calendars; only the operator's.

use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Path};
use crate::http::credential::Operator;
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use crate::http::version::{IfMatch, Versioned};
use crate::settlement::SettlementRefusal;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use runs::calendars::{Calendar, CalendarHead, ClosedDays, Kept};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(keep_calendar, get_calendar)).routes(routes!(list_calendars))
}

/// The days on which banks are closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"closed_on": ["2026-12-25", "2027-01-01"], "weekends": true}))]
pub(super) struct KeepCalendar {
    /// Single dates of the years 2000 to 2199, at most 4,000; one that is named twice counts once.
    #[schema(max_items = 4000, example = json!(["2026-12-25", "2027-01-01"]))]
    closed_on: Vec<String>,
    /// Whether Saturdays and Sundays are closed.
    weekends: bool,
}

impl KeepCalendar {
    fn into_closed_days(self) -> Result<ClosedDays, SettlementRefusal> {
        ClosedDays::parse(&self.closed_on, self.weekends).map_err(SettlementRefusal::Calendar)
    }
}

/// A calendar.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CalendarView {
    #[schema(example = "TARGET")]
    code: String,
    /// In order.
    #[schema(example = json!(["2026-12-25", "2027-01-01"]))]
    closed_on: Vec<String>,
    /// Whether Saturdays and Sundays are closed.
    weekends: bool,
    /// Also the `ETag`.
    version: i64,
}

impl From<Calendar> for CalendarView {
    fn from(calendar: Calendar) -> Self {
        let Calendar { code, closed_days, version } = calendar;
        let closed_on = closed_days.dates().map(|date| date.to_string()).collect();
        Self { code: code.to_string(), closed_on, weekends: closed_days.weekends(), version }
    }
}

/// A calendar without its dates.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CalendarHeadView {
    #[schema(example = "TARGET")]
    code: String,
    /// Whether Saturdays and Sundays are closed.
    weekends: bool,
    /// How many single dates it has.
    date_count: i32,
    /// The first of them; null without any.
    #[schema(format = Date, example = "2026-12-25")]
    first_on: Option<String>,
    /// The last of them: after it, only weekends are closed.
    #[schema(format = Date, example = "2027-01-01")]
    last_on: Option<String>,
    version: i64,
}

impl From<CalendarHead> for CalendarHeadView {
    fn from(head: CalendarHead) -> Self {
        let CalendarHead { code, weekends, date_count, first_on, last_on, version } = head;
        let [first_on, last_on] = [first_on, last_on].map(|date| date.map(|date| date.to_string()));
        Self { code: code.to_string(), weekends, date_count, first_on, last_on, version }
    }
}

/// Make a calendar, or replace it whole. Every schedule that goes by it is planned anew at once; what is due already stays due. A calendar
/// that would leave an enabled schedule without any slot to come is refused, and the schedule named.
#[utoipa::path(put, path = "/v1/calendars/{code}", tag = "settlement", request_body = KeepCalendar,
    params(("code" = String, Path, description = "names the calendar, for ever"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version that is replaced, or `*`. Without it a calendar is only made.", example = "\"1\"")),
    security(("operator_key" = [])),
    responses((status = 200, body = CalendarView, description = "replaced", headers(("ETag" = String, description = "the new version"))),
        (status = 201, body = CalendarView, description = "made", headers(("ETag" = String, description = "the version"))),
        (status = "4XX", body = ProblemView,
            description = "code_malformed, calendar_malformed, if_match_required, version_mismatch, calendar_not_found, calendar_stops_schedule")))]
async fn keep_calendar(
    State(app): State<App>,
    _: Operator,
    Path(code): Path<String>,
    expected: Option<IfMatch>,
    Body(body): Body<KeepCalendar>,
) -> Result<(StatusCode, Versioned<CalendarView>), ApiError> {
    let closed_days = body.into_closed_days()?;
    let is_expected = expected.map(|expected| move |version| expected.matches(version));
    Ok(kept(app.settlement.keep_calendar(&code, is_expected, closed_days).await?))
}

fn kept(kept: Kept) -> (StatusCode, Versioned<CalendarView>) {
    (if kept.made_now { StatusCode::CREATED } else { StatusCode::OK }, versioned(kept.calendar))
}

fn versioned(calendar: Calendar) -> Versioned<CalendarView> {
    Versioned { version: calendar.version, view: calendar.into() }
}

/// One calendar.
#[utoipa::path(get, path = "/v1/calendars/{code}", tag = "settlement", params(("code" = String, Path, description = "the calendar's code")),
    security(("operator_key" = [])),
    responses((status = 200, body = CalendarView, headers(("ETag" = String, description = "the version"))),
        (status = "4XX", body = ProblemView, description = "calendar_not_found")))]
async fn get_calendar(State(app): State<App>, _: Operator, Path(code): Path<String>) -> Result<Versioned<CalendarView>, ApiError> {
    Ok(versioned(app.settlement.get_calendar(&code).await?))
}

/// All calendars by code, without their dates.
#[utoipa::path(get, path = "/v1/calendars", tag = "settlement", params(PageParams), security(("operator_key" = [])),
    responses((status = 200, body = Paged<CalendarHeadView>), (status = "4XX", body = ProblemView)))]
async fn list_calendars(State(app): State<App>, _: Operator, page: Page) -> Result<Json<Paged<CalendarHeadView>>, ApiError> {
    let calendars = app.settlement.list_calendars(page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(calendars, |calendar| calendar.code.clone())))
}
