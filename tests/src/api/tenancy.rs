//! What is somebody else's does not exist.

use crate::support::audit;
use serde_json::json;

#[test]
fn a_vendor_sees_only_its_own_part_of_a_run() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let beans = house.operator.vendor("EURO", "BEANS", "0.01").await;
        let apart = house.operator.vendor("EURO", "APART", "0.01").await;
        let alice = house.user("alice").await;
        miles.endow(&alice, "500").await;
        alice.open(&beans).await;
        alice.convert("500", &miles, &beans).await.created();
        let run = house.operator.settle("EURO").await;
        let path = format!("/v1/runs/{}", run["id"].as_str().unwrap());

        apart.client.get(&path).await.refused(404, "not_found");
        apart.client.get(&format!("{path}/files")).await.refused(404, "not_found");
        apart.client.get(&format!("{path}/files/transfers.csv")).await.refused(404, "not_found");
        assert_eq!(apart.client.get("/v1/runs").await.ok()["items"], json!([]));

        assert_eq!(miles.client.get("/v1/runs").await.ok()["items"].as_array().unwrap().len(), 1);
        let files = miles.client.get(&format!("{path}/files")).await.ok();
        let names: Vec<&str> = files["items"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["statement-MILES.csv"]);
        assert_eq!(miles.client.get(&format!("{path}/files/statement-MILES.csv")).await.status, 200);
        for foreign in [
            "statement-BEANS.csv",
            "transfers.csv",
            "positions.csv",
            "settlement.xlsx",
            "pacs.009.001.08.xml",
            "journal.hledger",
            "manifest.json",
        ] {
            miles.client.get(&format!("{path}/files/{foreign}")).await.refused(404, "not_found");
        }
        let positions = miles.client.get(&format!("{path}/positions")).await.ok();
        assert_eq!(positions["items"].as_array().unwrap().len(), 1);
        assert_eq!(positions["items"][0]["vendor"], "MILES");
    });
}

#[test]
fn a_vendor_cannot_revoke_or_see_anothers_keys() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let beans = house.operator.vendor("EURO", "BEANS", "0.01").await;
        let keys = beans.client.get("/v1/vendor/keys").await.ok();
        let id = keys["items"][0]["id"].as_str().unwrap();
        miles.client.delete(&format!("/v1/vendor/keys/{id}")).await.refused(404, "not_found");
        let own = miles.client.get("/v1/vendor/keys").await.ok();
        assert!(own["items"].as_array().unwrap().iter().all(|key| key["id"] != id));
        beans.client.get("/v1/vendor").await.ok();
    });
}

#[test]
fn bank_details_are_nobody_elses() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let payout = json!({"account_holder": "Beans Ltd", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"});
        let body = json!({"code": "BEANS", "name": "Beans", "scale": 2, "unit_value": "0.01", "scheme": "EURO", "payout": payout});
        let beans = house.operator.vendor_with(body).await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let alice = house.user("alice").await;
        assert_eq!(beans.client.get("/v1/vendor").await.ok()["payout"], payout);
        for other in [&miles.client, &alice.client] {
            let text = other.get("/v1/vendors/BEANS").await.text() + &other.get("/v1/vendors").await.text();
            assert!(!text.contains("DE89") && !text.contains("Beans Ltd"), "{text}");
        }
    });
}

#[test]
fn the_app_role_sees_nothing_without_a_tenant_and_changes_no_entry() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let miles = house.operator.vendor("EURO", "MILES", "0.01").await;
        let beans = house.operator.vendor("EURO", "BEANS", "0.01").await;
        let alice = house.user("alice").await;
        miles.endow(&alice, "500").await;
        alice.open(&beans).await;
        alice.convert("500", &miles, &beans).await.created();
        house.operator.settle("EURO").await;
        house.operator.cap(&miles, Some("100")).await;
        beans.accept(&miles, Some("100")).await;
        let admin = house.db_admin().await;

        admin.batch_execute("BEGIN; SET LOCAL ROLE scriphouse_app").await.unwrap();
        for table in [
            "accounts",
            "entries",
            "issuances",
            "swaps",
            "trades",
            "obligations",
            "positions",
            "token_totals",
            "idempotency",
            "payouts",
            "users",
            "api_keys",
            "sessions",
            "runs",
            "run_positions",
            "transfers",
            "transfer_steps",
            "exposures",
            "debit_caps",
            "bilateral_caps",
            "files",
            "file_pieces",
        ] {
            let rows: i64 = admin.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0);
            assert_eq!(rows, 0, "{table} is seen without a tenant");
        }
        admin.batch_execute("ROLLBACK").await.unwrap();

        for role in ["scriphouse_app", "scriphouse_house"] {
            for sql in [
                "UPDATE entries SET amount = 1",
                "DELETE FROM entries",
                "UPDATE obligations SET amount_micro = 1",
                "DELETE FROM obligations",
                "UPDATE swaps SET value_micro = 1",
                "UPDATE file_pieces SET bytes = ''",
                "UPDATE transfer_steps SET to_state = 'received'",
                "DELETE FROM transfer_steps",
                "UPDATE transfers SET amount_micro = 1",
                "DELETE FROM confirmation_entries",
                "DELETE FROM accounts",
            ] {
                admin.batch_execute(&format!("BEGIN; SET LOCAL ROLE {role}")).await.unwrap();
                let refused = admin.batch_execute(sql).await.expect_err(sql);
                assert_eq!(refused.code(), Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE), "{role}: {sql}");
                admin.batch_execute("ROLLBACK").await.unwrap();
            }
        }
    });
}
