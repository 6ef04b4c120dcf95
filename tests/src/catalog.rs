//! The schema against its rules: what the database's own catalog says.

use crate::support::{audit, cluster};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Tables of the house itself: no vendor's and no user's rows.
const WITHOUT_TENANT: &[&str] = &[
    "schemes",
    "windows",
    "seals",
    "run_windows",
    "run_steps",
    "schedules",
    "calendars",
    "bank_templates",
    "window_totals",
    "window_leaves",
    "terms_version",
    "house_account",
    "draw_corrections",
    "confirmations",
    "confirmation_entries",
    "confirmation_assignments",
    "refinery_schema_history",
];

#[test]
fn every_table_with_a_tenant_has_forced_row_security() {
    audit(async |house| {
        let rows = house
            .db_admin()
            .await
            .query(
                "SELECT c.relname::text, c.relrowsecurity AND c.relforcerowsecurity,
                        EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
                 FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1",
                &[],
            )
            .await
            .unwrap();
        assert!(rows.len() > 25);
        for row in rows {
            let (table, secured, has_policy): (String, bool, bool) = (row.get(0), row.get(1), row.get(2));
            let tenant = !WITHOUT_TENANT.contains(&table.as_str());
            assert_eq!((secured, has_policy), (tenant, tenant), "{table}");
        }
    });
}

#[test]
fn every_constraint_and_index_bears_a_name_of_ours() {
    audit(async |house| {
        let rows = house
            .db_admin()
            .await
            .query(
                "SELECT c.relname::text, k.conname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                 WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'refinery_schema_history'",
                &[],
            )
            .await
            .unwrap();
        assert!(rows.len() > 80);
        for row in rows {
            let (table, name): (String, String) = (row.get(0), row.get(1));
            assert!(name.starts_with(&format!("{table}_")), "{name} of {table}");
            for generated in ["_check", "_fkey", "_key"] {
                assert!(!name.ends_with(generated) && !name.ends_with(&format!("{generated}1")), "{name} was named by the database");
            }
        }
    });
}

#[test]
fn every_distributed_unique_key_contains_the_user() {
    audit(async |house| {
        let rows = house
            .db_admin()
            .await
            .query(
                "SELECT c.relname::text, i.relname::text,
                        EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.oid AND a.attname IN ('user_id', 'actor_id'))
                 FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
                 WHERE x.indisunique AND c.relname IN ('accounts', 'entries', 'swaps', 'trades', 'obligations', 'idempotency')",
                &[],
            )
            .await
            .unwrap();
        assert!(rows.len() >= 6);
        for row in rows {
            assert!(row.get::<_, bool>(2), "{} of {} lacks user_id", row.get::<_, String>(1), row.get::<_, String>(0));
        }
    });
}

#[test]
fn every_statement_prepares() {
    audit(async |house| {
        let admin = house.db_admin().await;
        let statements: Vec<&str> = ledger::statements()
            .chain(runs::statements())
            .chain(clearinghouse::statements())
            .chain(bench::STATEMENTS.iter().copied())
            .collect();
        assert!(statements.len() > 90, "only {} statements", statements.len());
        for statement in statements {
            admin.prepare(statement).await.unwrap_or_else(|e| panic!("{e}: {statement}"));
        }
    });
}

#[test]
fn the_migrations_make_the_schema_file() {
    audit(async |house| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/scriphouse.sql");
        if std::env::var_os("SCRIPHOUSE_WRITE_SCHEMA").is_some() {
            std::fs::write(&file, db_dump(&house.database.admin_url)).unwrap();
        }
        let text = std::fs::read_to_string(&file).expect("schema/scriphouse.sql is there");
        let admin = house.db_admin().await;
        let empty = cluster::unmigrated_database().await;
        let from_file = empty.db_admin().await;
        from_file.batch_execute(&text).await.expect("schema/scriphouse.sql loads into an empty database");

        let (migrated, written) = (db_facts(&admin).await, db_facts(&from_file).await);

        drop(from_file);
        empty.drop().await;
        let hint = "write it anew: SCRIPHOUSE_WRITE_SCHEMA=1 cargo test -p scriphouse-tests the_migrations_make_the_schema_file";
        let difference: Vec<&String> = migrated.symmetric_difference(&written).collect();
        assert!(difference.is_empty(), "schema/scriphouse.sql is not what the migrations make; {hint}\n{difference:#?}");
        assert!(migrated.len() > 400, "only {} facts", migrated.len());
    });
}

#[test]
fn every_view_shows_only_what_row_security_shows() {
    audit(async |house| {
        let sql = "SELECT count(*) FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace";
        let secured = format!("{sql} AND reloptions @> ARRAY['security_invoker=true']");
        assert_eq!((house.db_count(sql).await, house.db_count(&secured).await), (1, 1));
    });
}

/// Everything that a schema says, as text: columns, views, constraints, triggers, indexes, policies, grants, functions, storage.
async fn db_facts(admin: &tokio_postgres::Client) -> BTreeSet<String> {
    let rows = admin
        .query(
            "WITH tables AS (SELECT oid, relname, reloptions, relacl, relrowsecurity, relforcerowsecurity FROM pg_class
                             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'refinery_schema_history')
             SELECT format('table %s %s %s %s %s', relname, reloptions, relacl::text, relrowsecurity, relforcerowsecurity) FROM tables
             UNION ALL
             SELECT format('column %s.%s %s %s %s %s %s', t.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                           pg_get_expr(d.adbin, d.adrelid), a.attcollation::regcollation, a.attacl::text)
             FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
             LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
             UNION ALL
             SELECT format('constraint %s %s %s', t.relname, c.conname, pg_get_constraintdef(c.oid)) FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid
             UNION ALL
             SELECT 'trigger ' || pg_get_triggerdef(g.oid) FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal
             UNION ALL
             SELECT 'index ' || pg_get_indexdef(i.indexrelid) FROM tables t JOIN pg_index i ON i.indrelid = t.oid
             UNION ALL
             SELECT format('policy %s %s %s %s %s %s', p.tablename, p.policyname, p.roles, p.cmd, p.qual, p.with_check) FROM pg_policies p
             UNION ALL
             SELECT format('view %s %s %s %s', relname, reloptions, relacl::text, pg_get_viewdef(oid)) FROM pg_class
             WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
             UNION ALL
             SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The schema as `pg_dump` writes it, without comments and settings.
fn db_dump(admin_url: &str) -> String {
    let output = Command::new("pg_dump").args(["--schema-only", "--exclude-table=refinery_schema_history", "--dbname", admin_url]).output();
    let output = output.expect("pg_dump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("the schema is text");
    let kept = |line: &&str| !["--", "SET ", "\\", "SELECT pg_catalog"].iter().any(|start| line.starts_with(start));
    let mut schema = String::from("-- The whole schema, written from the migrations; do not edit. See README.md.\n");
    let mut blank = false;
    for line in text.lines().filter(kept) {
        if !(blank && line.is_empty()) {
            schema.push_str(line);
            schema.push('\n');
        }
        blank = line.is_empty();
    }
    schema
}

#[test]
fn migrating_twice_changes_nothing() {
    audit(async |house| {
        let mut admin = house.db_admin().await;
        let second = house.db_admin();
        let (one, mut other) = (schema::migrate(&mut admin).await.unwrap(), second.await);
        assert_eq!((one, schema::migrate(&mut other).await.unwrap()), (0, 0));
    });
}

#[test]
fn the_server_refuses_a_login_that_is_too_powerful() {
    audit(async |house| {
        let refused = ledger::Db::connect(&house.database.admin_url, 1).await.expect_err("the administrator is too powerful");
        assert!(matches!(refused, ledger::ConnectError::TooPowerful { .. }), "{refused}");
    });
}

#[test]
fn the_server_refuses_a_login_that_has_the_houses_rights_without_asking() {
    audit(async |house| {
        let login = format!("inherits_{}", house.database.name);
        let url = house.database.server_url.replace("scriphouse_server", &login);
        let settings: tokio_postgres::Config = url.parse().unwrap();
        let password = String::from_utf8(settings.get_password().expect("the login has a password").to_vec()).unwrap();
        let admin = house.db_admin().await;
        admin.batch_execute(&format!("CREATE ROLE {login} LOGIN INHERIT PASSWORD '{password}' IN ROLE scriphouse_house")).await.unwrap();

        let refused = ledger::Db::connect(&url, 1).await.expect_err("what fails to begin a tx would still have rights");

        assert!(matches!(&refused, ledger::ConnectError::TooPowerful { login: refused } if *refused == login), "{refused}");
        admin.batch_execute(&format!("DROP ROLE {login}")).await.unwrap();
    });
}

#[test]
fn the_server_refuses_a_database_that_could_lose_a_committed_swap() {
    audit(async |house| {
        let admin = house.db_admin().await;
        let name = &house.database.name;
        admin.batch_execute(&format!("ALTER DATABASE {name} SET synchronous_commit = off")).await.unwrap();
        let refused = ledger::Db::connect(&house.database.server_url, 1).await.expect_err("a commit that does not wait for the disk");
        assert!(matches!(&refused, ledger::ConnectError::NotDurable { setting } if setting == "synchronous_commit"), "{refused}");
        admin.batch_execute(&format!("ALTER DATABASE {name} RESET synchronous_commit")).await.unwrap();
    });
}

#[test]
fn every_refusal_code_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let documented = std::fs::read_to_string(root.join("services/clearinghouse/README.md")).expect("the README is there");
    let mut codes = BTreeSet::new();
    collect_codes(&root.join("services/clearinghouse/src"), &mut codes);
    assert!(codes.len() > 40, "only {} codes found", codes.len());
    for code in codes {
        assert!(documented.contains(&format!("`{code}`")), "services/clearinghouse/README.md does not list the code {code}");
    }
}

/// The codes that problems are made with: `Problem::kind("the_code"` or `Problem::new(status, "the_code"`.
fn collect_codes(dir: &Path, codes: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_codes(&path, codes);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for piece in text.split("Problem::").skip(1) {
            let call: String = piece.chars().take(120).collect();
            let Some(code) = call.split('"').nth(1).filter(|_| call.starts_with(|c: char| c.is_ascii_lowercase())) else { continue };
            if code.contains(|c: char| c.is_ascii_lowercase()) && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
                codes.insert(code.to_owned());
            }
        }
    }
}
