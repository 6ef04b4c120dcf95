//! A PostgreSQL of the operator's own: the administrator migrates it, the server works on it with a login that cannot harm it.

use crate::support::Client;
use crate::support::cluster::{TestDatabase, fresh_database, unmigrated_database};
use crate::support::program::{Served, refused, run, run_with, succeeded};
use serde_json::json;
use std::path::Path;

const ADMIN_URL: &str = "SCRIPHOUSE__DATABASE__ADMIN_URL";

fn migrate(database: &TestDatabase) -> String {
    succeeded(&run_with(&[(ADMIN_URL, &database.admin_url)], &["migrate"]))
}

fn migration_count() -> usize {
    std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/migrations")).expect("the migrations are there").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_migrated_once_and_then_served() {
    let database = unmigrated_database().await;
    let on_it = ["--database-url", &database.server_url];

    assert_eq!(migrate(&database), format!("{} migrations ran\n", migration_count()));
    assert_eq!(migrate(&database), "the database is up to date\n");

    let served = Served::start_with(&on_it);
    let operator = Client::new(&served.base).with(&served.operator_key());
    operator.post("/v1/schemes", json!({"code": "EURO", "currency": "EUR", "strategy": "direct"})).await.created();
    let miles = json!({"code": "MILES", "name": "Air Miles", "scale": 2, "unit_value": "0.01", "scheme": "EURO"});
    operator.post("/v1/vendors", miles).await.created();
    served.stop();
    succeeded(&run(&[&on_it[..], &["verify"]].concat()));

    let served = Served::start_with(&on_it);
    assert!(served.said.iter().all(|line| !line.contains("sk_")), "the key is shown once");
    assert_eq!(Client::new(&served.base).with(operator.bearer()).get("/v1/vendors/MILES").await.ok()["name"], "Air Miles");
    served.stop();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_refuses_a_login_that_could_harm_the_books_and_a_database_that_was_never_migrated() {
    let (migrated, empty) = (fresh_database().await, unmigrated_database().await);
    let serve = |url: &str| run(&["--database-url", url, "serve", "--listen", "127.0.0.1:0"]);

    refused(&serve(&migrated.admin_url), 1, &["scriphouse_admin", "superuser"]);
    refused(&serve(&empty.server_url), 1, &["no Scriphouse schema", "scriphouse migrate"]);
    refused(&serve("postgres://scriphouse_server@127.0.0.1:1/nowhere"), 1, &["database"]);
    refused(&serve("not a login"), 2, &["database URL"]);

    migrated.drop().await;
    empty.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_needs_the_administrator_and_gives_the_server_its_password() {
    let database = unmigrated_database().await;
    let migrate = |server_url: &str| {
        run_with(&[(ADMIN_URL, &database.admin_url)], &["--database-url", server_url, "migrate", "--set-server-password"])
    };

    refused(&run(&["--database-url", &database.server_url, "migrate"]), 2, &["database.admin_url", ADMIN_URL]);
    refused(&migrate("host=127.0.0.1 user=scriphouse_server"), 2, &["--set-server-password", "password"]);
    refused(&migrate("host=127.0.0.1 user=somebody password=secret"), 2, &["--set-server-password", "scriphouse_server"]);
    // Nothing was done before the mistake was found. The password is the one it has, because the login is the whole cluster's.
    assert_eq!(succeeded(&migrate(&database.server_url)), format!("{} migrations ran\n", migration_count()));
    succeeded(&run(&["--database-url", &database.server_url, "verify"]));

    database.drop().await;
}
