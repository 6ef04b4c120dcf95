//! What the administrator's login does: the database, its schema, the password of the server's login.

use super::{Error, Logins};
use tokio_postgres::{Client, NoTls};

/// The one database of the cluster.
pub(super) const DATABASE: &str = "scriphouse";

const FIND_DATABASE: &str = "
    SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'scriphouse')";

const CREATE_DATABASE: &str = "
    CREATE DATABASE scriphouse";

/// Every statement of this file that takes its values as parameters.
pub const STATEMENTS: &[&str] = &[FIND_DATABASE, CREATE_DATABASE];

/// Makes the database if it is missing and brings its schema up to date; returns how many migrations ran.
pub(super) async fn prepare(logins: &Logins) -> Result<usize, Error> {
    let cluster = connect(&logins.in_database("postgres").admin_url).await?;
    if !cluster.query_one(FIND_DATABASE, &[]).await?.try_get::<_, bool>(0)? {
        cluster.batch_execute(CREATE_DATABASE).await?;
    }
    let mut admin = connect(&logins.admin_url).await?;
    let migrations_run = schema::migrate(&mut admin).await?;

    // Last: whoever can log in as the server finds the schema complete.
    let config: tokio_postgres::Config = logins.server_url.parse()?;
    let password = String::from_utf8_lossy(config.get_password().unwrap_or_default()).into_owned();
    set_server_password(&admin, &password).await?;
    Ok(migrations_run)
}

/// Sets the password that `scriphouse_server` logs in with. PostgreSQL takes no parameter there.
pub(crate) async fn set_server_password(admin: &Client, password: &str) -> Result<(), tokio_postgres::Error> {
    admin.batch_execute(&format!("ALTER ROLE scriphouse_server PASSWORD {}", quote(password))).await
}

/// A text literal that means the same whatever `standard_conforming_strings` is.
fn quote(text: &str) -> String {
    format!(" E'{}'", text.replace('\\', r"\\").replace('\'', "''"))
}

/// One connection, outside any pool; it lives as long as its client.
pub(crate) async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a database connection ended");
        }
    });
    Ok(client)
}
