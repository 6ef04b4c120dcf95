//! Books that an earlier release wrote, after this one has migrated them: that they prove is asked at the end of every test.

use crate::support::{Debts, FIVE_DEBTS, audit};
use ledger::{ConnectError, Db};
use serde_json::json;

/// Takes back what the seventh migration did, and those after it. Until then swaps added to the issuances of both vendors, and positions knew no tokens.
const AS_VERSION_SIX: &str = "
    CREATE TEMPORARY TABLE totals AS SELECT vendor_id, issued, retired FROM token_totals;
    DELETE FROM issuances;
    INSERT INTO issuances (vendor_id, writer, issued, retired)
    SELECT vendor_id, 3, issued - 1, retired FROM totals UNION ALL SELECT vendor_id, 11, 1, 0 FROM totals;
    DROP VIEW token_totals;
    DROP INDEX positions_by_creditor, positions_by_debtor;
    ALTER TABLE positions DROP COLUMN send_units, DROP COLUMN receive_units;
    ALTER TABLE obligations DROP CONSTRAINT obligations_pkey, ADD CONSTRAINT obligations_pkey PRIMARY KEY (id, user_id);
    CREATE INDEX obligations_by_window ON obligations (window_id);
    DROP TABLE debit_caps, bilateral_caps, exposures, house_account, bank_templates;
    DROP INDEX transfers_by_payer, transfers_rolled_by_payer, transfers_rolled_by_payee;
    CREATE INDEX transfers_by_payer ON transfers (payer_id);
    ALTER TABLE windows DROP COLUMN settled_at;
    ALTER TABLE schemes DROP COLUMN settle_threshold_micro;
    ALTER TABLE transfers DROP COLUMN default_id;
    DROP TABLE draw_corrections, default_debts, default_draws, defaults;
    DROP TABLE confirmation_assignments, confirmation_entries, transfer_steps, confirmations;
    DROP TRIGGER transfers_step_allowed ON transfers;
    DROP FUNCTION check_confirmation_assignments, check_transfer_step, transfer_may_become;
    ALTER TABLE transfers DROP COLUMN attempt, DROP COLUMN disputed_from, DROP CONSTRAINT transfers_rolled_between_vendors;
    DROP TABLE run_holdings, exclusions, disputes, acknowledgements;
    DROP INDEX runs_proposed;
    ALTER TABLE runs DROP COLUMN disputable_until, DROP COLUMN approval;
    ALTER TABLE scheme_members DROP COLUMN collateral_micro, DROP COLUMN collateral_version;
    DROP INDEX transfers_failed, transfers_unfinished;
    ALTER TABLE schemes DROP COLUMN dispute_hours, DROP COLUMN grace_hours, DROP COLUMN failure_rule;
    DROP TRIGGER runs_step ON runs;
    DROP FUNCTION check_run_step;
    DROP TABLE run_steps, run_carries;
    ALTER TABLE run_windows DROP CONSTRAINT run_windows_pkey, ADD CONSTRAINT run_windows_pkey PRIMARY KEY (window_id);
    DROP INDEX run_windows_by_window;
    CREATE INDEX run_windows_by_run ON run_windows (run_id);
    ALTER TABLE windows DROP COLUMN run_id, DROP COLUMN held;
    ALTER TABLE runs DROP COLUMN number, DROP COLUMN min_transfer_micro, DROP COLUMN remaining_micro;
    ALTER TABLE schemes DROP COLUMN approval, DROP COLUMN min_transfer_micro, DROP COLUMN version;
    ALTER TABLE schedules DROP COLUMN on_closed, DROP COLUMN calendar_code;
    DROP TABLE calendars;
    DELETE FROM refinery_schema_history WHERE version >= 7;
";

/// What a server that looks for the newest migration must miss.
const AS_BEFORE_THE_LAST: &str = "ALTER TABLE confirmation_entries DROP COLUMN account_iban";

const AS_VERSION_FIFTEEN: &str = "
    DROP INDEX run_carries_by_debtor, transfers_by_payer, transfers_rolled_by_payer, transfers_rolled_by_payee;
    CREATE INDEX transfers_by_payer ON transfers (payer_id);
    DROP TABLE house_account, confirmation_assignments, draw_corrections, bank_templates;
    DROP FUNCTION check_confirmation_assignments;
    ALTER TABLE default_draws DROP COLUMN number, DROP COLUMN paid_at, DROP COLUMN paid_by, DROP COLUMN bank_reference, DROP COLUMN booked_on;
    ALTER TABLE scheme_members DROP COLUMN collateral_version;
    ALTER TABLE runs DROP COLUMN approval;
    DELETE FROM refinery_schema_history WHERE version >= 16;
";

/// Two writers have a part in every position of two swaps.
const TWO_WRITERS: &str = "
    WITH split AS (UPDATE positions SET amount_micro = amount_micro - 1, obligation_count = 1 WHERE obligation_count = 2 RETURNING *)
    INSERT INTO positions (window_id, writer, debtor_id, creditor_id, amount_micro, obligation_count, send_units, receive_units)
    SELECT window_id, (writer + 1) % 16, debtor_id, creditor_id, 1, 1, 0, 0 FROM split;
";

#[test]
fn the_tokens_of_swaps_from_before_are_counted_once() {
    audit(async |house| {
        house.operator.scheme("EURO").await;
        let alice = house.user("alice").await;
        let (miles, beans) = (house.operator.vendor("EURO", "MILES", "1").await, house.operator.vendor("EURO", "BEANS", "0.5").await);
        for vendor in [&miles, &beans] {
            vendor.endow(&alice, "100").await;
        }
        // Both ways in a closed window, and in the open one.
        alice.convert("10", &miles, &beans).await.created();
        alice.convert("3", &beans, &miles).await.created();
        house.operator.settle("EURO").await;
        alice.convert("3", &miles, &beans).await.created();
        alice.convert("4", &miles, &beans).await.created();
        let mut admin = house.db_admin().await;
        admin.batch_execute(TWO_WRITERS).await.unwrap();
        let issuer = house.operator.vendor("EURO", "ISSUER", "1").await;
        issuer.endow(&alice, "5").await;
        let before = (miles.supply().await, beans.supply().await, issuer.supply().await);
        admin.batch_execute(AS_VERSION_SIX).await.unwrap();
        let refused = Db::connect(&house.database.server_url, 1).await.expect_err("a server does not work on an older schema");
        assert!(matches!(refused, ConnectError::NotMigrated), "{refused}");

        assert!(schema::migrate(&mut admin).await.unwrap() >= 1);

        assert_eq!((miles.supply().await, beans.supply().await, issuer.supply().await), before);
        alice.convert("1", &miles, &beans).await.created();
        house.operator.settle("EURO").await;
        assert_eq!(beans.supply().await["issued"], "136.00");
        assert_eq!(beans.supply().await["retired"], "3.00");
    });
}

#[test]
fn what_counted_or_was_drawn_before_is_as_it_was() {
    audit(async |house| {
        let debts = Debts::open(house, "direct", "1", &FIVE_DEBTS).await;
        let terms = json!({"min_transfer": "15", "failure_rule": "collateral_then_loss_share"});
        house.operator.client.patch("/v1/schemes/EURO", "*", terms).await.ok();
        house.operator.hold("AA", "50").await.ok();
        let run = house.export(&house.operator.settle("EURO").await).await;
        let failed = json!({"to": "failed", "reason_code": "AC04", "reason": "the bank says so"});
        house.operator.mark(&run, 1, failed.clone()).await.created();
        house.operator.mark(&run, 1, json!({"to": "rolled", "reason": "next time"})).await.created();
        let next = house.export(&house.operator.settle("EURO").await).await;
        house.operator.mark(&next, 1, failed).await.created();
        let defaults = format!("/v1/runs/{}/defaults", next["id"].as_str().unwrap());
        house.operator.client.put(&format!("{defaults}/AA"), None, json!({"reason": "insolvent"})).await.ok();
        let seen = async || {
            let headroom = debts.vendors["AA"].client.get("/v1/vendor/headroom").await.ok();
            (headroom, house.operator.client.get(&defaults).await.ok())
        };
        let before = seen().await;
        assert!(before.1["items"][0]["draws"][0]["amount"] == "50.00", "{before:?}");
        let mut admin = house.db_admin().await;
        admin.batch_execute(AS_BEFORE_THE_LAST).await.unwrap();
        let refused = Db::connect(&house.database.server_url, 1).await.expect_err("a server does not work without the newest migration");
        assert!(matches!(refused, ConnectError::NotMigrated), "{refused}");
        admin.batch_execute(AS_VERSION_FIFTEEN).await.unwrap();
        let refused = Db::connect(&house.database.server_url, 1).await.expect_err("a server does not work on an older schema");
        assert!(matches!(refused, ConnectError::NotMigrated), "{refused}");

        schema::migrate(&mut admin).await.unwrap();

        assert_eq!(seen().await, before);
    });
}
