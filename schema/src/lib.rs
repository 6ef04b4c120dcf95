//! The database schema: roles, migrations, and the one way to bring a database up to date.
//!
//! Shape: [`migrate`] takes an administrator's connection, makes the roles if they are missing, becomes the owner role and
//! runs the migrations that have not run yet, all under one advisory lock. It knows nothing of what the tables mean.

use tokio_postgres::Client;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Makes the cluster's roles; safe to run any number of times.
pub const ROLES_SQL: &str = include_str!("../roles.sql");

/// Chosen once; every process that migrates takes it, whatever its version.
const MIGRATION_LOCK: i64 = 0x5343_5249_5048;

/// Why a database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database refused a statement outside the migrations themselves.
    #[error("preparing the database for migrations failed: {0}")]
    Database(#[from] tokio_postgres::Error),
    /// A migration failed, or the database was migrated by a newer program.
    #[error("a migration failed: {0}")]
    Migration(#[from] refinery::Error),
}

/// Brings the database up to date and returns how many migrations ran (0: it already was).
///
/// `admin` must be able to create roles the first time; later runs need only membership of `scriphouse_owner`.
/// Two processes may call this at once: the second waits and finds nothing to do.
pub async fn migrate(admin: &mut Client) -> Result<usize, MigrateError> {
    admin.query_one("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await?;
    let outcome = migrate_locked(admin).await;
    admin.batch_execute("RESET ROLE").await?;
    admin.query_one("SELECT pg_advisory_unlock($1)", &[&MIGRATION_LOCK]).await?;
    outcome
}

async fn migrate_locked(admin: &mut Client) -> Result<usize, MigrateError> {
    admin.batch_execute(ROLES_SQL).await?;
    admin.batch_execute(GRANT_DATABASE_SQL).await?;
    admin.batch_execute("SET ROLE scriphouse_owner").await?;
    let report = embedded::migrations::runner().run_async(admin).await?;
    Ok(report.applied_migrations().len())
}

/// The owner makes the tables; everybody else may only use them.
const GRANT_DATABASE_SQL: &str = "
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    GRANT CREATE, USAGE ON SCHEMA public TO scriphouse_owner;
    GRANT USAGE ON SCHEMA public TO scriphouse_app, scriphouse_house, scriphouse_server;
";
