//! The API's own description, generated from the handlers, and a page that shows it without the internet.
//!
//! A handler states its access, its bodies and the codes of its refusals. What all of them share is added here once: the bearer
//! credentials, what every answer is, the answers to a bad credential, key, query or body, and the media type of problems.

use super::problem::{PROBLEM_JSON, ProblemView};
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// What does not come from a handler.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Scriphouse API",
        description = "The house between vendors that issue tokens and users who hold and swap them.\n\n\
            Amounts are decimal **strings** in whole tokens (`\"12.50\"`), never JSON numbers. Vendors and schemes are named by their codes. \
            Instants are RFC 3339 in UTC. Every POST that moves tokens needs an `Idempotency-Key`: repeating it with the same body gives the first \
            answer and `Idempotency-Replayed: true`. Errors are RFC 9457 problems; programs decide by `code` and `retryable`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemView)),
    tags(
        (name = "house", description = "Whether the house answers"),
        (name = "operator", description = "The operator: vendors, schemes"),
        (name = "vendor", description = "A vendor and its own things"),
        (name = "vendors", description = "What everybody may know of vendors and rates"),
        (name = "caps", description = "What vendors may owe, and how much of that is left"),
        (name = "users", description = "Users and their sessions"),
        (name = "accounts", description = "A user's accounts"),
        (name = "swaps", description = "Converting and sending"),
        (name = "trades", description = "Exchanges between two users"),
        (name = "settlement", description = "Windows, runs and their files, and what became of their transfers")
    )
)]
pub struct Description;

/// `/openapi.json` and `/docs/`.
pub(crate) fn routes(description: utoipa::openapi::OpenApi) -> Router {
    let document = Arc::new(complete(serde_json::to_value(description).expect("a description is JSON")));
    let text: Arc<str> = document.to_string().into();
    let page = SwaggerUi::new("/docs").config(Config::from("/openapi.json").validator_url("none").persist_authorization(false));
    Router::from(page).route("/openapi.json", get(async move || ([(CONTENT_TYPE, "application/json")], text.to_string())))
}

/// Adds what all operations share.
fn complete(mut document: Value) -> Value {
    document["components"]["securitySchemes"] = json!({
        "operator_key": bearer("An operator's key, `sk_...`"),
        "vendor_key": bearer("A vendor's key, `sk_...`; the scopes that an operation names are needed"),
        "user_session": bearer("A user's session, `us_...`, from POST /v1/sessions"),
    });
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let operations = paths.filter_map(Value::as_object_mut).flatten();
    for (method, operation) in operations.filter(|(_, operation)| operation.get("responses").is_some()) {
        complete_refusals(operation);
        complete_responses(method, &mut operation["responses"]);
    }
    document
}

fn bearer(description: &str) -> Value {
    json!({ "type": "http", "scheme": "bearer", "description": description })
}

/// Names the refusals that come from what an operation asks for.
fn complete_refusals(operation: &mut Value) {
    let is_public = operation["security"].as_array().is_none_or(|all| all.iter().any(|one| one == &json!({})));
    let has_body = operation.get("requestBody").is_some();
    let parameters = || operation["parameters"].as_array().into_iter().flatten();
    let has_query = parameters().any(|parameter| parameter["in"] == "query");
    let has_idempotency_key = parameters().any(|parameter| parameter["name"] == "Idempotency-Key");
    let mut codes: Vec<&str> = Vec::new();
    if !is_public {
        codes.extend(["unauthenticated", "forbidden"]);
    }
    if operation["security"].as_array().into_iter().flatten().any(|one| one["vendor_key"].get(0).is_some()) {
        codes.push("missing_scope");
    }
    if has_body {
        codes.extend(["invalid_body", "unsupported_media_type", "body_too_large"]);
    }
    if has_query {
        codes.push("invalid_query");
    }
    if has_idempotency_key {
        codes.extend(["idempotency_key_required (400)", "idempotency_key_malformed (400)"]);
        codes.extend(["idempotency_key_reused (422)", "idempotency_key_in_use (409)"]);
    }
    let responses = &mut operation["responses"];
    let own = responses["4XX"]["description"].as_str().unwrap_or_default().to_owned();
    let all: Vec<&str> = [own.as_str()].into_iter().chain(codes).filter(|code| !code.is_empty()).collect();
    if !all.is_empty() {
        responses["4XX"] = problem(&all.join(", "));
    }
    responses["5XX"] = problem("internal, unavailable, overloaded, timed_out");
}

/// Says of each answer what it is, and of each that is a no that it is a problem.
fn complete_responses(method: &str, responses: &mut Value) {
    for (status, response) in responses.as_object_mut().into_iter().flatten() {
        let own = response["description"].as_str().filter(|own| !own.is_empty()).map(str::to_owned);
        let description = own.unwrap_or_else(|| description(method, status).to_owned());
        if status.starts_with(['4', '5']) {
            *response = problem(&description);
        } else {
            response["description"] = description.into();
        }
    }
}

fn description(method: &str, status: &str) -> &'static str {
    match (method, status) {
        ("get", "200") => "what was asked for",
        ("patch" | "put", "200") => "as it is after the change",
        (_, "201") => "what was made",
        (_, "204") => "done; there is nothing to show",
        (_, status) if status.starts_with('4') => "the request was refused",
        (_, status) if status.starts_with('5') => "the house failed",
        _ => "done, and how it is now",
    }
}

fn problem(description: &str) -> Value {
    json!({ "description": description, "content": { PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } } })
}

/// The house answers.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Health {
    /// Always `ok`; otherwise there is no answer.
    status: &'static str,
}

/// Whether the house answers.
///
/// Says nothing of the database: a process that cannot reach it still answers, and refuses what needs it.
#[utoipa::path(get, path = "/v1/health", tag = "house", security(()), responses((status = 200, body = Health)))]
pub async fn get_health() -> Json<Health> {
    Json(Health { status: "ok" })
}
