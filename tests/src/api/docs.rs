//! The reference comes from the program alone, a generator of clients can read it, and its examples work as they are.

use crate::support::{Answer, Market, audit};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The values of `src="..."` and `href="..."`.
fn references(html: &str) -> Vec<&str> {
    let starts = html.match_indices("src=\"").chain(html.match_indices("href=\"")).map(|(at, name)| at + name.len());
    starts.map(|at| html[at..].split('"').next().expect("the value ends")).collect()
}

#[test]
fn the_reference_page_loads_nothing_from_another_host() {
    audit(async |house| {
        let page = house.nobody().get("/docs/").await;
        assert_eq!((page.status.as_u16(), page.header("content-type").starts_with("text/html")), (200, true), "{}", page.text());
        let html = page.text();
        let assets = references(&html);
        let kinds = |ending: &str| assets.iter().filter(|asset| asset.ends_with(ending)).count();
        assert!(kinds(".js") >= 3 && kinds(".css") >= 1, "{assets:?}");

        for asset in assets {
            assert!(!asset.contains("//") && !asset.starts_with('/'), "{asset} is not beside the page");
            let answer = house.nobody().get(&format!("/docs/{}", asset.trim_start_matches("./"))).await;
            assert_eq!(answer.status, 200, "{asset}");
            if asset.ends_with(".css") {
                let text = answer.text();
                let loads = text.split("url(").skip(1).map(|rest| rest.trim_start_matches(['"', '\'']));
                let elsewhere: Vec<&str> = loads.filter(|rest| rest.starts_with("http") || rest.starts_with("//")).collect();
                assert!(elsewhere.is_empty() && !text.contains("@import"), "{asset}: {elsewhere:?}");
            }
            if asset.ends_with("initializer.js") {
                let text = answer.text();
                assert!(text.contains("\"/openapi.json\""), "it shows this house: {text}");
                assert!(!text.contains("://"), "it asks no other host: {text}");
            }
        }
    });
}

#[test]
fn a_key_may_be_as_long_as_the_reference_says() {
    audit(async |house| {
        let Market { alice, .. } = Market::open(house, "0.01", "7").await;
        let document = house.nobody().get("/openapi.json").await.ok();
        let body = r#"{"from": "MILES", "to": "BEANS", "send": "1"}"#;
        for (path, media_type, fine) in [("/v1/swaps", "application/json", 201), ("/v1/swaps/bulk", "application/x-ndjson", 200)] {
            let parameters = document["paths"][path]["post"]["parameters"].as_array().unwrap();
            let header = parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key").unwrap();
            let length = usize::try_from(header["schema"]["maxLength"].as_u64().unwrap()).unwrap();
            for (length, status) in [(length, fine), (length + 1, 400)] {
                let request = alice.client.request(Method::POST, path).header("Idempotency-Key", "k".repeat(length));
                let answer = Answer::of(request.header("Content-Type", media_type).body(body)).await;
                assert_eq!(answer.status, status, "{path}: {length}");
            }
        }
    });
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// Path, method and operation, of all operations.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().expect("there are paths");
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("a path has methods");
        methods.iter().map(|(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    operations.collect()
}

/// The names of the variable parts of a path.
fn variables(path: &str) -> BTreeSet<&str> {
    path.split('{').skip(1).map(|rest| rest.split('}').next().expect("the name ends")).collect()
}

/// Every `$ref` below the value.
fn pointers(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(fields.values().flat_map(pointers)).collect()
        }
        Value::Array(items) => items.iter().flat_map(pointers).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_description_keeps_the_rules_of_openapi() {
    audit(async |house| {
        let document = house.nobody().get("/openapi.json").await.ok();
        assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")), "{}", document["openapi"]);
        assert!(is_text(&document["info"]["title"]) && is_text(&document["info"]["version"]));
        let references = pointers(&document);
        assert!(references.len() > 50, "only {} references", references.len());
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} is in another document"));
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }

        let mut ids = BTreeSet::new();
        for (path, method, operation) in operations(&document) {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId"));
            assert!(ids.insert(id), "{method} {path}: another operation is called {id}");
            assert!(is_text(&operation["summary"]), "{id} has no summary");
            let security = operation["security"].as_array().unwrap_or_else(|| panic!("{id} does not say who may call it"));
            for scheme in security.iter().filter_map(Value::as_object).flat_map(|requirement| requirement.keys()) {
                assert!(document["components"]["securitySchemes"][scheme].is_object(), "{id}: {scheme} is unknown");
            }

            let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
            let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
            assert!(in_path.clone().all(|parameter| parameter["required"] == true), "{id}");
            let declared: BTreeSet<&str> = in_path.map(|parameter| parameter["name"].as_str().expect("it has a name")).collect();
            assert_eq!(declared, variables(path), "{id}");

            let responses = operation["responses"].as_object().expect("an operation has responses");
            assert!(responses.keys().any(|status| status.starts_with('2')), "{id} never succeeds");
            for (status, response) in responses {
                assert!(is_text(&response["description"]), "{id}: {status} has no description");
                if status.starts_with(['4', '5']) {
                    assert!(response["content"]["application/problem+json"].is_object(), "{id}: {status} is no problem");
                }
            }
            if parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key") {
                let codes = responses["4XX"]["description"].as_str().unwrap();
                for code in ["required", "malformed", "reused", "in_use"] {
                    assert!(codes.contains(&format!("idempotency_key_{code}")), "{id}: {codes}");
                }
            }
        }
        assert!(ids.len() > 30, "only {} operations", ids.len());
    });
}

#[test]
fn the_examples_of_the_bodies_work_as_they_are() {
    audit(async |house| {
        let document = house.nobody().get("/openapi.json").await.ok();
        let example = |body: &str| {
            let example = document["components"]["schemas"][body]["example"].clone();
            assert!(example.is_object(), "{body} has no example");
            example
        };

        // Who the examples speak of besides: the vendor BEANS and the user bob.
        house.operator.client.post("/v1/schemes", example("CreateScheme")).await.created();
        let airmiles = house.operator.vendor_with(example("OnboardVendor")).await;
        let beans = house.operator.vendor("EUROPE", "BEANS", "0.50").await;
        house.nobody().post("/v1/users", example("Secrets")).await.created();
        let session = house.nobody().post("/v1/sessions", example("Secrets")).await.created();
        let alice = house.nobody().with(session["token"].as_str().expect("a session has a token"));
        let bob = house.user("bob").await;
        for vendor in [&airmiles, &beans] {
            alice.post("/v1/accounts", json!({"vendor": vendor.code})).await.created();
            bob.open(vendor).await;
        }

        airmiles.client.patch("/v1/vendor", "*", example("UpdateVendor")).await.ok();
        house.operator.client.put("/v1/vendors/AIRMILES/cap", Some("*"), example("UpdateDebitCap")).await.ok();
        airmiles.client.put("/v1/vendor/caps/BEANS", Some("*"), example("UpdateBilateralCap")).await.ok();
        house.operator.client.patch("/v1/schemes/EUROPE", "*", example("UpdateScheme")).await.ok();
        airmiles.client.post("/v1/vendor/keys", example("CreateKey")).await.created();
        airmiles.client.post("/v1/vendor/unit-values", example("CreateUnitValue")).await.created();
        beans.client.post("/v1/vendor/rates", example("CreateRate")).await.created();
        airmiles.client.post_once("/v1/vendor/issues", example("CreateIssue")).await.created();
        alice.post_once("/v1/swaps", example("CreateSwap")).await.created();
        alice.post_once("/v1/trades", example("ProposeTrade")).await.created();
        house.operator.client.put("/v1/calendars/TARGET", None, example("KeepCalendar")).await.created();
        house.operator.client.post("/v1/schemes/EUROPE/schedules", example("CreateSchedule")).await.created();
        let run = house.operator.settle("EUROPE").await;
        house.export(&run).await;
        airmiles.mark(&run, 1, example("MarkTransfer")).await.created();
    });
}
