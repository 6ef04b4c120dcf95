//! `scriphouse migrate`: brings the database's schema up to date.

use super::{CommandError, Context, Sharing, say};
use crate::private_postgres::{connect, set_server_password};
use clap::Args;

/// Brings the database up to date: roles, then the migrations that have not run yet.
///
/// On a PostgreSQL of yours this takes the administrator's login, database.admin_url; the server itself never uses it.
/// The database must exist (CREATE DATABASE scriphouse). The first time, the administrator must be a superuser, because a role is
/// made that passes row security. The private PostgreSQL is migrated at every start, so there this command is seldom needed.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Gives the role scriphouse_server the password that stands in database.url, so that the server can log in.
    #[arg(long)]
    set_server_password: bool,
}

pub(crate) async fn run(args: &MigrateArgs, context: &Context) -> Result<(), CommandError> {
    let migrations_run = if context.settings.database.url.is_none() && context.settings.database.admin_url.is_none() {
        let database = context.open(Sharing::Shared).await?;
        let migrations_run = database.migrations_run();
        database.close().await;
        migrations_run
    } else {
        migrate_external(args, context).await?
    };
    match migrations_run {
        0 => say("the database is up to date"),
        1 => say("1 migration ran"),
        more => say(format!("{more} migrations ran")),
    }
}

async fn migrate_external(args: &MigrateArgs, context: &Context) -> Result<usize, CommandError> {
    let settings = &context.settings.database;
    let Some(admin_url) = &settings.admin_url else {
        return Err(CommandError::input(
            "migrating needs the administrator's login; set database.admin_url, or SCRIPHOUSE__DATABASE__ADMIN_URL in the environment",
        ));
    };
    let password = if args.set_server_password { Some(server_password(settings.url.as_deref())?) } else { None };

    let mut admin = connect(admin_url).await.map_err(ledger::Fault::from)?;
    let migrations_run = schema::migrate(&mut admin).await.map_err(|error| CommandError::fault(error.to_string()))?;
    if let Some(password) = password {
        set_server_password(&admin, &password).await.map_err(ledger::Fault::from)?;
    }
    Ok(migrations_run)
}

fn server_password(url: Option<&str>) -> Result<String, CommandError> {
    let config = url.and_then(|url| url.parse::<tokio_postgres::Config>().ok());
    let password = config
        .filter(|config| config.get_user() == Some("scriphouse_server"))
        .and_then(|config| String::from_utf8(config.get_password()?.to_vec()).ok());
    password.ok_or_else(|| CommandError::input("--set-server-password needs a database.url with the user scriphouse_server and a password"))
}
