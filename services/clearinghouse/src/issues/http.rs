//! Route and bodies of issues.

use super::{IssueMade, NewIssue};
use crate::access::Scope;
use crate::amount::AmountText;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::Posted;
use crate::http::credential::Vendor;
use crate::http::idempotency::{IdempotencyKey, Keyed};
use crate::http::problem::ProblemView;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_issue))
}

/// Tokens for a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"user": "alice", "amount": "1000"}))]
pub struct CreateIssue {
    /// The user's handle or id.
    #[schema(example = "alice")]
    user: String,
    /// In whole tokens.
    amount: AmountText,
}

impl From<CreateIssue> for NewIssue {
    fn from(CreateIssue { user, amount }: CreateIssue) -> Self {
        Self { user, amount }
    }
}

/// What was issued.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssueView {
    /// The issue's id, which its entry names.
    id: Uuid,
    /// The vendor's code.
    vendor: String,
    /// The user's id.
    user: Uuid,
    /// In whole tokens.
    #[schema(example = "100.00")]
    amount: String,
    /// The account's balance right after.
    #[schema(example = "100.00")]
    balance_after: String,
    #[schema(value_type = String, format = DateTime)]
    booked_at: Timestamp,
}

impl From<IssueMade> for IssueView {
    fn from(IssueMade { issued, vendor, replayed: _ }: IssueMade) -> Self {
        Self {
            id: issued.operation.uuid(),
            vendor: vendor.code.to_string(),
            user: issued.user.uuid(),
            amount: issued.amount.display(vendor.scale).to_string(),
            balance_after: issued.balance_after.display(vendor.scale).to_string(),
            booked_at: issued.booked_at,
        }
    }
}

/// Issue your tokens to a user who has an account with you.
#[utoipa::path(post, path = "/v1/vendor/issues", tag = "vendor", params(IdempotencyKey), request_body = CreateIssue,
    security(("vendor_key" = ["issue"])),
    responses((status = 201, body = IssueView), (status = "4XX", body = ProblemView,
        description = "amount_malformed, amount_too_many_decimals, amount_zero, amount_too_large, user_not_found, account_not_found, \
            switched_off, vendor_suspended")))]
async fn create_issue(State(app): State<App>, vendor: Vendor, request: Keyed<CreateIssue>) -> Result<Posted<IssueView>, ApiError> {
    vendor.require(Scope::Issue)?;
    let claim = request.claim(vendor.id.uuid());
    let made = app.issues.issue(vendor.id, claim, request.body.map(NewIssue::from)).await?;
    Ok(Posted::created(made.replayed, made.into()))
}
