//! Routes and bodies of vendor keys.

use super::{AccessRefusal, Key, Maker, NewKey, Scope};
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Created, Path};
use crate::http::credential::{Operator, Vendor};
use crate::http::page::{Page, PageParams, Paged};
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
    OpenApiRouter::new().routes(routes!(list_keys, create_key)).routes(routes!(revoke_key)).routes(routes!(replace_key))
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "till 4"}))]
pub struct CreateKey {
    /// What you call it.
    #[schema(example = "till 4", min_length = 1, max_length = 100)]
    name: String,
    /// What it may do; left out, as much as the key that makes it.
    scopes: Option<Vec<Scope>>,
    /// When it ends by itself; left out, with the key that makes it, or never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl CreateKey {
    fn into_key(self, held: &[Scope], now: Timestamp) -> Result<NewKey, AccessRefusal> {
        NewKey::try_new(self.name, self.scopes.unwrap_or_else(|| held.to_vec()), self.expires_at, now)
    }
}

/// A key without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyView {
    /// The part that is not secret.
    id: Uuid,
    name: String,
    scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When somebody ended it.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<Key> for KeyView {
    fn from(key: Key) -> Self {
        let Key { id, name, scopes, created_at, expires_at, revoked_at } = key;
        Self { id, name, scopes, created_at, expires_at, revoked_at }
    }
}

/// A key with its secret, which is never shown again.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewKeyView {
    key: KeyView,
    /// The credential.
    #[schema(example = "sk_...")]
    api_key: String,
}

impl From<(Key, String)> for NewKeyView {
    fn from((key, api_key): (Key, String)) -> Self {
        Self { key: key.into(), api_key }
    }
}

/// Your keys, in the order of their making, those that ended included.
#[utoipa::path(get, path = "/v1/vendor/keys", tag = "vendor", params(PageParams), security(("vendor_key" = ["keys"])),
    responses((status = 200, body = Paged<KeyView>), (status = "4XX", body = ProblemView)))]
async fn list_keys(State(app): State<App>, vendor: Vendor, page: Page) -> Result<Json<Paged<KeyView>>, ApiError> {
    vendor.require(Scope::Keys)?;
    let keys = app.access.list_vendor_keys(vendor.id, page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(keys, |key| key.id)))
}

/// Make a further key.
///
/// Several keys live side by side, so a key is rotated without a gap: make the new one, move to it, revoke the old one.
#[utoipa::path(post, path = "/v1/vendor/keys", tag = "vendor", request_body = CreateKey, security(("vendor_key" = ["keys"])),
    responses((status = 201, body = NewKeyView),
        (status = "4XX", body = ProblemView, description = "key_name_malformed, expires_in_the_past, scope_not_held, outlives_its_maker")))]
async fn create_key(State(app): State<App>, vendor: Vendor, Body(body): Body<CreateKey>) -> Result<Created<NewKeyView>, ApiError> {
    vendor.require(Scope::Keys)?;
    let key = body.into_key(&vendor.scopes, app.access.now())?;
    let maker = Maker { scopes: &vendor.scopes, expires_at: vendor.expires_at };
    Ok(Created(app.access.create_vendor_key(vendor.id, maker, key).await?.into()))
}

/// Revoke a key, at once and for ever.
#[utoipa::path(delete, path = "/v1/vendor/keys/{id}", tag = "vendor", params(("id" = Uuid, Path, description = "the key's id")),
    security(("vendor_key" = ["keys"])),
    responses((status = 204, description = "it opens nothing any more"),
        (status = "4XX", body = ProblemView, description = "not_found, scope_not_held")))]
async fn revoke_key(State(app): State<App>, vendor: Vendor, Path(id): Path<Uuid>) -> Result<StatusCode, ApiError> {
    vendor.require(Scope::Keys)?;
    app.access.revoke_vendor_key(vendor.id, &vendor.scopes, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a key for a vendor that lost its own.
#[utoipa::path(post, path = "/v1/vendors/{code}/keys", tag = "operator", request_body = CreateKey,
    params(("code" = String, Path, description = "the vendor's code")), security(("operator_key" = [])),
    responses((status = 201, body = NewKeyView),
        (status = "4XX", body = ProblemView, description = "vendor_not_found, key_name_malformed, expires_in_the_past")))]
async fn replace_key(
    State(app): State<App>,
    _: Operator,
    Path(code): Path<String>,
    Body(body): Body<CreateKey>,
) -> Result<Created<NewKeyView>, ApiError> {
    let vendor = app.directory.named(&code).await?.ok_or(AccessRefusal::VendorNotFound { vendor: code })?;
    let key = body.into_key(&Scope::ALL, app.access.now())?;
    Ok(Created(app.access.replace_vendor_key(vendor.id, key).await?.into()))
}
