//! Access to the database: one pool, and transactions that say on whose behalf they run.
//!
//! The server's login has no rights of its own. Each tx takes a role with `SET LOCAL`, so nothing survives it: the pool hands
//! out plain connections, and PgBouncer in transaction mode may stand in between (1.21 or newer, with `max_prepared_statements`
//! set, because statements are prepared). Tenant SQL runs as the app role and sees only
//! the rows of its vendor or user (row security); the engine, the runs and the operator use the house role.

use crate::Fault;
use crate::pipeline::Pipeline;
use deadpool_postgres::{Config, Object, Pool, PoolConfig, Runtime, Timeouts};
use futures_util::FutureExt;
use jiff::Timestamp;
use scrip::{UserId, VendorId};
use std::ops::Deref;
use std::time::Duration;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};

/// The database, shared by the whole program.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    config: Config,
}

/// The settings hold the password.
impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("connections_max", &self.connections_max()).finish_non_exhaustive()
    }
}

/// Why the server will not work on this database.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be read or the pool cannot be built.
    #[error("the database URL is not usable: {0}")]
    Url(String),
    /// The database cannot be asked.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The login could read past row security or change what nobody may change, or could do so outside of a tx that asks for it.
    #[error(
        "the server refuses to log in as {login}, which is a superuser, owns tables, or has the house's rights without asking for them; use a login with NOINHERIT that is only a member of scriphouse_app and scriphouse_house"
    )]
    TooPowerful {
        /// The login's name.
        login: String,
    },
    /// A committed swap could be lost when the machine loses power.
    #[error("the server refuses a database with {setting} off, because a committed swap could be lost; turn it on")]
    NotDurable {
        /// The setting's name.
        setting: String,
    },
    /// The schema is missing or old.
    #[error("the database has no Scriphouse schema yet, one of an earlier release, or lacks its roles; run `scriphouse migrate`")]
    NotMigrated,
}

impl Db {
    /// Connects with at most `connections_max` connections and checks that the login and the settings are safe to work with.
    pub async fn connect(url: &str, connections_max: usize) -> Result<Self, ConnectError> {
        let config = Config {
            url: Some(url.to_owned()),
            pool: Some(PoolConfig {
                max_size: connections_max,
                timeouts: Timeouts {
                    wait: Some(Duration::from_secs(10)),
                    create: Some(Duration::from_secs(10)),
                    recycle: Some(Duration::from_secs(10)),
                },
                ..PoolConfig::default()
            }),
            connect_timeout: Some(Duration::from_secs(10)),
            // A database that has vanished without a word is noticed within a minute.
            keepalives: Some(true),
            keepalives_idle: Some(Duration::from_secs(30)),
            ..Config::default()
        };
        let db = Self { pool: create_pool(&config)?, config };
        db.check_login().await?;
        Ok(db)
    }

    /// The same database with connections of its own, so that whoever waits for one of the others does not hold this one up.
    ///
    /// # Panics
    /// Never: the same settings have made a pool before.
    #[must_use]
    pub fn apart(&self, connections_max: usize) -> Self {
        let pool = PoolConfig { max_size: connections_max, ..self.config.pool.unwrap_or_default() };
        let config = Config { pool: Some(pool), ..self.config.clone() };
        Self { pool: create_pool(&config).expect("the same settings have made a pool before"), config }
    }

    async fn check_login(&self) -> Result<(), ConnectError> {
        let connection = self.connection().await?;
        let row = connection.client.query_one(CHECK_LOGIN, &[]).await.map_err(Fault::from)?;
        let login: String = row.get(0);
        if row.get::<_, bool>(1) || row.get::<_, bool>(2) {
            return Err(ConnectError::TooPowerful { login });
        }
        for (column, setting) in [(3, "fsync"), (4, "synchronous_commit"), (5, "full_page_writes")] {
            if row.get::<_, String>(column) == "off" {
                return Err(ConnectError::NotDurable { setting: setting.to_owned() });
            }
        }
        if !row.get::<_, bool>(6) { Err(ConnectError::NotMigrated) } else { Ok(()) }
    }

    /// A connection from the pool; waits at most ten seconds for one.
    pub async fn connection(&self) -> Result<Connection, Fault> {
        Ok(Connection { client: self.pool.get().await? })
    }

    /// How many connections the pool may open.
    pub fn connections_max(&self) -> usize {
        self.pool.status().max_size
    }
}

fn create_pool(config: &Config) -> Result<Pool, ConnectError> {
    config.create_pool(Some(Runtime::Tokio1), NoTls).map_err(|e| ConnectError::Url(e.to_string()))
}

// The column is one that the newest migration made: a server does not work on an older schema than its own.
const CHECK_LOGIN: &str = "
    SELECT session_user::text,
           EXISTS (SELECT FROM pg_roles WHERE rolname = session_user AND rolbypassrls)
               OR EXISTS (SELECT FROM pg_roles r WHERE (r.rolsuper OR r.rolname = 'scriphouse_owner') AND pg_has_role(session_user, r.oid, 'MEMBER'))
               OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname IN ('scriphouse_house', 'scriphouse_app') AND pg_has_role(session_user, r.oid, 'USAGE')),
           EXISTS (SELECT FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
                   WHERE r.rolname = session_user AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace),
           current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),
           EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('public.confirmation_entries') AND attname = 'account_iban' AND NOT attisdropped)
               AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriphouse_house')
               AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriphouse_app')";

/// The database's time: `now()` would be the start of the tx.
pub async fn read_time(tx: &Tx<'_>) -> Result<Timestamp, Fault> {
    Ok(tx.query_one(READ_TIME, &[]).await?.try_get(0)?)
}

/// Every statement of this file, for the test that prepares them all.
pub(crate) const STATEMENTS: &[&str] = &[CHECK_LOGIN, READ_TIME];

const READ_TIME: &str = "SELECT clock_timestamp()";

/// One connection, on loan from the pool; the only thing to do with it is to begin a tx.
#[derive(Debug)]
pub struct Connection {
    client: Object,
}

impl Connection {
    /// A tx of the house: sees every vendor.
    pub async fn begin_house(&mut self) -> Result<Tx<'_>, Fault> {
        self.begin("SET LOCAL ROLE scriphouse_house").await
    }

    /// A read-only tx of the house in which every statement sees the same instant.
    pub async fn begin_snapshot(&mut self) -> Result<Tx<'_>, Fault> {
        self.begin("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL ROLE scriphouse_house").await
    }

    /// A tx that sees what this vendor may see.
    pub async fn begin_vendor(&mut self, vendor: VendorId) -> Result<Tx<'_>, Fault> {
        self.begin(&format!("SET LOCAL ROLE scriphouse_app; SET LOCAL scriphouse.vendor_id = '{vendor}'")).await
    }

    /// A tx that sees what this user may see.
    pub async fn begin_user(&mut self, user: UserId) -> Result<Tx<'_>, Fault> {
        self.begin(&format!("SET LOCAL ROLE scriphouse_app; SET LOCAL scriphouse.user_id = '{user}'")).await
    }

    /// One question of the house, in a tx of its own that keeps nothing; begin, question and end are one round trip.
    pub async fn ask_as_house(&mut self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Fault> {
        Pipeline::begin(&mut self.client, "SET LOCAL ROLE scriphouse_house")?.ask(statement, parameters).await
    }

    /// A tx of the posting engine: the house's, with plans that walk the given keys in their order and find each row by its index. They
    /// are made once; a plan made for the sizes of the moment would read small tables whole, and lock rows in any order.
    pub(crate) fn begin_posting(&mut self) -> Result<Pipeline<'_>, Fault> {
        Pipeline::begin(
            &mut self.client,
            "SET LOCAL ROLE scriphouse_house; SET LOCAL plan_cache_mode = force_generic_plan; \
             SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off",
        )
    }

    /// The same for whoever only looks at what a posting would come to: all that it reads is of one instant.
    pub(crate) fn begin_preview(&mut self) -> Result<Pipeline<'_>, Fault> {
        Pipeline::begin(
            &mut self.client,
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL ROLE scriphouse_house; \
             SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off",
        )
    }

    /// The role is on its way when this returns, ahead of whatever is sent next: polling once sends, and nobody need wait for the
    /// answer, because a tx in which it fails refuses every later statement.
    async fn begin(&mut self, whose: &str) -> Result<Tx<'_>, Fault> {
        let tx = self.client.transaction().await?;
        if let Some(answered) = tx.batch_execute(whose).now_or_never() {
            answered?;
        }
        Ok(Tx { tx })
    }
}

/// A database tx. Dropped without [`Tx::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Tx<'a> {
    tx: deadpool_postgres::Transaction<'a>,
}

impl Tx<'_> {
    /// Makes what the tx did last.
    pub async fn commit(self) -> Result<(), Fault> {
        Ok(self.tx.commit().await?)
    }
}

impl<'a> Deref for Tx<'a> {
    type Target = deadpool_postgres::Transaction<'a>;

    fn deref(&self) -> &Self::Target {
        &self.tx
    }
}
