//! Routes and bodies of what is to be paid, as a bank takes it, and of the templates for that.

use super::download::content_digest;
use super::viewer;
use crate::app::App;
use crate::http::api_error::ApiError;
use crate::http::body::{Body, Path, Query};
use crate::http::credential::{Operator, OperatorOrVendor};
use crate::http::page::{Page, PageParams, Paged};
use crate::http::problem::ProblemView;
use crate::http::version::{IfMatch, Versioned};
use crate::settlement::SettlementRefusal;
use crate::settlement::payments::PaymentsAsked;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use runs::payments::{BankTemplate, NewColumn, NewTemplate};
use scrip::RunId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(keep_bank_template, get_bank_template))
        .routes(routes!(list_bank_templates))
        .routes(routes!(get_payments))
}

/// How a bank wants payments.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"separator": ";", "decimal_sign": ",", "day_format": "DD.MM.YYYY", "header": true, "latin": true,
    "columns": [{"header": "Name", "field": "payee_account_holder"}, {"header": "IBAN", "field": "payee_iban"},
        {"header": "Betrag", "field": "amount"}, {"header": "Art", "text": "SEPA"}, {"header": "Zweck", "field": "remittance"}]}))]
pub(super) struct BankTemplateBody {
    /// What stands between two cells: a comma, a semicolon or a tab.
    #[schema(example = ";")]
    separator: String,
    /// What stands before the decimals of an amount: a point or a comma.
    #[schema(example = ",")]
    decimal_sign: String,
    /// How a day is written: YYYY-MM-DD, YYYYMMDD, DD.MM.YYYY, DD/MM/YYYY or MM/DD/YYYY.
    #[schema(example = "DD.MM.YYYY")]
    day_format: String,
    /// Whether the first row names the columns.
    header: bool,
    /// Whether names are written in the letters that SEPA takes, 70 at most, as in pain.001, and none begins with `+` or `-`; else as they were given, with an
    /// apostrophe before what a spreadsheet would run. Headers and texts of the template stand as they are.
    latin: bool,
    /// 1 to 50, in their order.
    #[schema(min_items = 1, max_items = 50)]
    columns: Vec<ColumnBody>,
}

/// A column, with either a `field` or a `text`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnBody {
    /// What stands above it: one line of at most 70 characters, or nothing.
    #[schema(example = "IBAN", max_length = 70)]
    header: String,
    /// What of a payment it says: number, reference, remittance, amount, currency, pay_on, scheme, run, or of either side payer, payer_account_holder,
    /// payer_iban, payer_bic, payee, payee_account_holder, payee_iban, payee_bic.
    #[schema(example = "payee_iban")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What every row says in it; may be empty.
    #[schema(max_length = 70)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl From<BankTemplateBody> for NewTemplate {
    fn from(body: BankTemplateBody) -> Self {
        let BankTemplateBody { separator, decimal_sign, day_format, header, latin, columns } = body;
        let columns = columns.into_iter().map(|ColumnBody { header, field, text }| NewColumn { header, field, text }).collect();
        Self { separator, decimal_sign, day_format, has_header: header, is_latin: latin, columns }
    }
}

impl From<NewTemplate> for BankTemplateBody {
    fn from(template: NewTemplate) -> Self {
        let NewTemplate { separator, decimal_sign, day_format, has_header, is_latin, columns } = template;
        let columns = columns.into_iter().map(|NewColumn { header, field, text }| ColumnBody { header, field, text }).collect();
        Self { separator, decimal_sign, day_format, header: has_header, latin: is_latin, columns }
    }
}

/// A template under its name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankTemplateView {
    #[schema(example = "SPARKASSE")]
    code: String,
    #[serde(flatten)]
    template: BankTemplateBody,
    /// Also the `ETag`.
    version: i64,
}

impl From<BankTemplate> for BankTemplateView {
    fn from(BankTemplate { code, template, version }: BankTemplate) -> Self {
        Self { code: code.to_string(), template: template.as_written().clone().into(), version }
    }
}

/// Which payments.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PaymentParams {
    /// The code of a bank template.
    #[param(example = "SPARKASSE")]
    template: String,
    /// Only those of this payer; `HOUSE` is the house.
    payer: Option<String>,
    /// The day that they are asked for, in the column `pay_on`; today in UTC where nothing is said.
    #[param(example = "2026-11-27")]
    pay_on: Option<String>,
    /// What becomes of payments whose payer or payee gave no account that the template asks for: `refuse`, there is no file then, which is so where nothing
    /// is said; or `leave_out`, they are not in it.
    incomplete: Option<String>,
}

impl PaymentParams {
    fn into_asked(self) -> Result<PaymentsAsked, SettlementRefusal> {
        let Self { template, payer, pay_on, incomplete } = self;
        match incomplete.as_deref() {
            None | Some("refuse") => Ok(PaymentsAsked { template, payer, pay_on, leaves_out: false }),
            Some("leave_out") => Ok(PaymentsAsked { template, payer, pay_on, leaves_out: true }),
            Some(_) => Err(SettlementRefusal::IncompleteUnknown),
        }
    }
}

/// Make a bank template, or replace it whole: how some bank wants payments as CSV.
#[utoipa::path(put, path = "/v1/bank-templates/{code}", tag = "settlement", request_body = BankTemplateBody,
    params(("code" = String, Path, description = "names the template, for ever"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version that is replaced, or `*`. Without it a template is only made.", example = "\"1\"")),
    security(("operator_key" = [])),
    responses((status = 200, body = BankTemplateView, description = "replaced", headers(("ETag" = String, description = "the new version"))),
        (status = 201, body = BankTemplateView, description = "made", headers(("ETag" = String, description = "the version"))),
        (status = "4XX", body = ProblemView, description = "code_malformed, template_malformed, if_match_required, version_mismatch, template_not_found")))]
async fn keep_bank_template(
    State(app): State<App>,
    _: Operator,
    Path(code): Path<String>,
    expected: Option<IfMatch>,
    Body(body): Body<BankTemplateBody>,
) -> Result<(StatusCode, Versioned<BankTemplateView>), ApiError> {
    let is_expected = expected.map(|expected| move |version| expected.matches(version));
    let (kept, made_now) = app.settlement.keep_bank_template(&code, is_expected, body.into()).await?;
    Ok((if made_now { StatusCode::CREATED } else { StatusCode::OK }, versioned(kept)))
}

fn versioned(template: BankTemplate) -> Versioned<BankTemplateView> {
    Versioned { version: template.version, view: template.into() }
}

/// One bank template.
#[utoipa::path(get, path = "/v1/bank-templates/{code}", tag = "settlement", params(("code" = String, Path, description = "the template's code")),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = BankTemplateView, headers(("ETag" = String, description = "the version"))),
        (status = "4XX", body = ProblemView, description = "template_not_found")))]
async fn get_bank_template(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path(code): Path<String>,
) -> Result<Versioned<BankTemplateView>, ApiError> {
    viewer(caller)?;
    Ok(versioned(app.settlement.get_bank_template(&code).await?))
}

/// All bank templates by code.
#[utoipa::path(get, path = "/v1/bank-templates", tag = "settlement", params(PageParams),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = Paged<BankTemplateView>), (status = "4XX", body = ProblemView)))]
async fn list_bank_templates(
    State(app): State<App>,
    caller: OperatorOrVendor,
    page: Page,
) -> Result<Json<Paged<BankTemplateView>>, ApiError> {
    viewer(caller)?;
    let templates = app.settlement.list_bank_templates(page.after()?, page.limit_plus_one()).await?;
    Ok(Json(page.of(templates, |template| template.code.to_string())))
}

/// What of a run is to be paid now, as the CSV that a bank takes.
///
/// The transfers that are `instructed` or `retried`, by number, with the accounts as they are now: unlike the run's files, which say what was computed,
/// it changes while the run settles, and is not stored. Whoever sends it to a bank marks its transfers `sent` before anybody asks for the next, which has the
/// same payments until then. The operator gets all of them, a vendor those that it pays. At most 50,000, and 16 MiB.
#[utoipa::path(get, path = "/v1/runs/{id}/payments", tag = "settlement", params(("id" = Uuid, Path), PaymentParams),
    security(("operator_key" = []), ("vendor_key" = ["settlement:read"])),
    responses((status = 200, body = String, content_type = "text/csv", description = "UTF-8, by the template"),
        (status = "4XX", body = ProblemView,
            description = "not_found, template_not_found, vendor_not_payer, run_not_under_settlement, accounts_missing, pay_on_malformed, incomplete_unknown, too_many_payments")))]
async fn get_payments(
    State(app): State<App>,
    caller: OperatorOrVendor,
    Path(id): Path<Uuid>,
    Query(params): Query<PaymentParams>,
) -> Result<Response, ApiError> {
    let (viewer, asked) = (viewer(caller)?, params.into_asked()?);
    let written = app.settlement.write_payments(viewer, RunId::new(id), &asked).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"payments-{}.csv\"", asked.template)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        content_digest(&Sha256::digest(&written.text)),
    ];
    Ok((headers, written.text).into_response())
}
