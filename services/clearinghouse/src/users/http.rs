//! Routes and bodies of users and their sessions.

use super::User;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Created};
use crate::http::credential;
use crate::http::problem::ProblemView;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(register)).routes(routes!(sign_in)).routes(routes!(sign_out)).routes(routes!(get_user))
}

/// A handle and its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"handle": "alice", "password": "correct horse battery"}))]
pub struct Secrets {
    /// 3 to 128 of a-z, 0-9, . _ @ + -
    #[schema(example = "alice")]
    handle: String,
    /// 8 to 200 characters.
    #[schema(example = "correct horse battery", min_length = 8, max_length = 200, format = Password)]
    password: String,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    id: Uuid,
    #[schema(example = "alice")]
    handle: String,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        let User { id, handle } = user;
        Self { id: id.uuid(), handle }
    }
}

/// Register as a user.
#[utoipa::path(post, path = "/v1/users", tag = "users", request_body = Secrets, security(()),
    responses((status = 201, body = UserView),
        (status = "4XX", body = ProblemView, description = "handle_malformed, handle_taken, password_too_short, password_too_long")))]
async fn register(State(app): State<App>, Body(body): Body<Secrets>) -> Result<Created<UserView>, ApiError> {
    Ok(Created(app.users.register(body.handle, body.password).await?.into()))
}

/// A session's credential, shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// The credential.
    #[schema(example = "us_...")]
    token: String,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    user: UserView,
}

/// Sign in.
#[utoipa::path(post, path = "/v1/sessions", tag = "users", request_body = Secrets, security(()),
    responses((status = 201, body = SessionView), (status = "4XX", body = ProblemView, description = "wrong_handle_or_password")))]
async fn sign_in(State(app): State<App>, Body(body): Body<Secrets>) -> Result<Created<SessionView>, ApiError> {
    let (user, session) = app.users.sign_in(body.handle, body.password).await?;
    Ok(Created(SessionView { token: session.token, expires_at: session.expires_at, user: user.into() }))
}

/// Sign out: the session's credential opens nothing any more.
#[utoipa::path(delete, path = "/v1/session", tag = "users", security(("user_session" = [])),
    responses((status = 204, description = "signed out"), (status = "4XX", body = ProblemView)))]
async fn sign_out(State(app): State<App>, user: credential::User) -> Result<StatusCode, ApiError> {
    app.access.close_session(user.id, user.session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Yourself.
#[utoipa::path(get, path = "/v1/user", tag = "users", security(("user_session" = [])),
    responses((status = 200, body = UserView), (status = "4XX", body = ProblemView)))]
async fn get_user(State(app): State<App>, user: credential::User) -> Result<Json<UserView>, ApiError> {
    Ok(Json(app.users.get(user.id).await?.into()))
}
