//! Routes and bodies of schedules; only the operator's.

use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Created, Path};
use crate::http::credential::Operator;
use crate::http::page::Paged;
use crate::http::problem::ProblemView;
use crate::settlement::{ScheduleTerms, SettlementRefusal};
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use runs::schedules::{Misfire, OnClosed, Schedule, ScheduleId, ScheduleRefusal};
use scrip::Code;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_schedule, list_schedules)).routes(routes!(update_schedule))
}

/// How many slots to come are shown.
const OCCURRENCES: usize = 5;

/// When the scheme shall settle by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"cron": "0 18 * * MON-FRI", "zone": "Europe/Berlin", "calendar": "TARGET"}))]
pub(super) struct CreateSchedule {
    /// Minute, hour, day of month, month, day of week; a sixth field before them is the second.
    #[schema(example = "0 18 * * MON-FRI")]
    cron: String,
    /// The IANA zone that the cron text is read in.
    #[schema(example = "Europe/Berlin")]
    zone: String,
    /// What to do about slots that nobody was awake for: `run_once` for all of them (what happens if nothing is said), `skip`, `run_all`.
    #[schema(example = "run_once")]
    misfire: Option<String>,
    /// The code of the calendar to go by; without one no day is closed.
    #[schema(example = "TARGET")]
    calendar: Option<String>,
    /// What becomes of a slot on a day that the calendar closes: `following` moves it to the next open day, at the same time of the wall
    /// clock (what happens if nothing is said), `skip` leaves it out.
    #[schema(example = "following")]
    on_closed: Option<String>,
}

impl CreateSchedule {
    fn into_terms(self) -> Result<ScheduleTerms, SettlementRefusal> {
        let Self { cron, zone, misfire, calendar, on_closed } = self;
        let misfire = misfire.as_deref().map_or(Some(Misfire::RunOnce), Misfire::parse).ok_or(SettlementRefusal::MisfireUnknown)?;
        let on_closed = on_closed.as_deref().map(|name| OnClosed::parse(name).ok_or(SettlementRefusal::OnClosedUnknown)).transpose()?;
        let observance = match (calendar, on_closed) {
            (Some(calendar), on_closed) => Some((read_calendar(calendar)?, on_closed.unwrap_or(OnClosed::Following))),
            (None, Some(_)) => return Err(SettlementRefusal::CalendarRequired),
            (None, None) => None,
        };
        Ok(ScheduleTerms { cron, zone, misfire, observance })
    }
}

/// What is no code names no calendar.
fn read_calendar(calendar: String) -> Result<Code, SettlementRefusal> {
    Code::parse(&calendar).map_err(|_| SettlementRefusal::Schedule(ScheduleRefusal::CalendarNotFound { calendar }))
}

/// A schedule to be switched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateSchedule {
    /// Whether it fires. What it misses while it is off is not made up for.
    enabled: bool,
}

/// When a scheme settles by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScheduleView {
    id: Uuid,
    #[schema(example = "0 18 * * MON-FRI")]
    cron: String,
    #[schema(example = "Europe/Berlin")]
    zone: String,
    #[schema(example = "run_once")]
    misfire: String,
    /// The calendar that it goes by; null where no day is closed.
    #[schema(example = "TARGET")]
    calendar: Option<String>,
    /// What becomes of a slot on a closed day; null without a calendar.
    #[schema(example = "following")]
    on_closed: Option<String>,
    enabled: bool,
    /// The next five slots; none while it is off.
    #[schema(value_type = Vec<String>, format = DateTime)]
    next: Vec<Timestamp>,
}

impl From<Schedule> for ScheduleView {
    fn from(schedule: Schedule) -> Self {
        let next = schedule.next_occurrences(OCCURRENCES);
        let Schedule { id, scheme: _, cron, zone, misfire, observance, enabled, next_at: _ } = schedule;
        let calendar = observance.as_ref().map(|observance| observance.calendar.to_string());
        let on_closed = observance.map(|observance| observance.on_closed.as_str().to_owned());
        Self { id: id.0, cron, zone, misfire: misfire.as_str().to_owned(), calendar, on_closed, enabled, next }
    }
}

/// Let the scheme settle by itself. However many processes run, a slot is claimed once.
#[utoipa::path(post, path = "/v1/schemes/{scheme}/schedules", tag = "settlement", request_body = CreateSchedule,
    params(("scheme" = String, Path, description = "the scheme's code")), security(("operator_key" = [])),
    responses((status = 201, body = ScheduleView), (status = "4XX", body = ProblemView,
        description = "scheme_not_found, cron_malformed, zone_unknown, schedule_never_fires, misfire_unknown, calendar_not_found, on_closed_unknown, calendar_required")))]
async fn create_schedule(
    State(app): State<App>,
    _: Operator,
    Path(scheme): Path<String>,
    Body(body): Body<CreateSchedule>,
) -> Result<Created<ScheduleView>, ApiError> {
    let terms = body.into_terms()?;
    Ok(Created(app.settlement.create_schedule(&scheme, terms).await?.into()))
}

/// A scheme's schedules, the oldest first.
#[utoipa::path(get, path = "/v1/schemes/{scheme}/schedules", tag = "settlement",
    params(("scheme" = String, Path, description = "the scheme's code")), security(("operator_key" = [])),
    responses((status = 200, body = Paged<ScheduleView>), (status = "4XX", body = ProblemView, description = "scheme_not_found")))]
async fn list_schedules(State(app): State<App>, _: Operator, Path(scheme): Path<String>) -> Result<Json<Paged<ScheduleView>>, ApiError> {
    let schedules = app.settlement.list_schedules(&scheme).await?;
    Ok(Json(Paged { items: schedules.into_iter().map(ScheduleView::from).collect(), next: None }))
}

/// Switch a schedule on or off.
#[utoipa::path(patch, path = "/v1/schedules/{id}", tag = "settlement", request_body = UpdateSchedule, params(("id" = Uuid, Path)),
    security(("operator_key" = [])),
    responses((status = 200, body = ScheduleView), (status = "4XX", body = ProblemView, description = "not_found, schedule_never_fires")))]
async fn update_schedule(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<Uuid>,
    Body(body): Body<UpdateSchedule>,
) -> Result<Json<ScheduleView>, ApiError> {
    Ok(Json(app.settlement.update_schedule(ScheduleId(id), body.enabled).await?.into()))
}
