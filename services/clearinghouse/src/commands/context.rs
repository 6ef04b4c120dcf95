//! What a command works with: the settings, the clock, and the database, wherever that is.

use super::CommandError;
use crate::private_postgres::{self, PrivatePostgres, default_data_dir};
use ledger::{Clock, Db};
use scriphouse_config::Settings;
use std::path::PathBuf;

/// The settings, with the command line's flags on top, and the clock.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
}

/// Whether a private PostgreSQL must be this program's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// A second program on the same data directory is refused: `serve`.
    Exclusive,
    /// If another program runs it, that one is used; else it is started for as long as the command takes.
    Shared,
    /// The same, and there must be one already: a mistyped directory is no empty house whose books are right.
    Existing,
}

impl Context {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, clock: Clock::system() }
    }

    /// The database of the settings; a private PostgreSQL is started if none is named.
    pub(crate) async fn open(&self, sharing: Sharing) -> Result<Database, CommandError> {
        let settings = &self.settings.database;
        if let Some(url) = &settings.url {
            return Ok(Database { server_url: url.clone(), postgres: Postgres::NotOurs });
        }
        let data_dir = self.data_dir()?;
        if sharing == Sharing::Existing && !private_postgres::exists(&data_dir) {
            let sentence = format!("there is no house in {}; `scriphouse serve` with the same --data-dir makes one", data_dir.display());
            return Err(CommandError::input(sentence));
        }
        match PrivatePostgres::start(&data_dir).await {
            Ok(private) => Ok(Database::from_private(private)),
            Err(private_postgres::Error::Busy { data_dir }) if sharing != Sharing::Exclusive => {
                Ok(Database { server_url: PrivatePostgres::attach(&data_dir).await?.server_url, postgres: Postgres::NotOurs })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Where a private PostgreSQL keeps its data.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, CommandError> {
        Ok(self.settings.database.data_dir.clone().map_or_else(default_data_dir, Ok)?)
    }

    /// The server's pool on a database that [`Context::open`] found; refuses one that is not migrated or not safe.
    pub(crate) async fn connect(&self, database: &Database) -> Result<Db, CommandError> {
        Ok(Db::connect(&database.server_url, self.settings.database.connections_max).await?)
    }
}

/// Where the database is. A private PostgreSQL runs until [`Database::close`], or until this is dropped.
#[derive(Debug)]
pub(crate) struct Database {
    /// The server's login.
    pub(crate) server_url: String,
    postgres: Postgres,
}

#[derive(Debug)]
enum Postgres {
    /// It runs whether this program does or not.
    NotOurs,
    Ours(PrivatePostgres),
}

impl Database {
    /// A new one in a temporary folder, gone when the program ends: for trying things out.
    pub(crate) async fn throwaway() -> Result<Self, CommandError> {
        Ok(Self::from_private(PrivatePostgres::start_throwaway().await?))
    }

    /// How many migrations ran when it was opened: none on a database that this program does not run.
    pub(crate) fn migrations_run(&self) -> usize {
        match &self.postgres {
            Postgres::NotOurs => 0,
            Postgres::Ours(private) => private.migrations_run(),
        }
    }

    /// Stops PostgreSQL if it is this program's. Let go of every [`Db`] first.
    pub(crate) async fn close(self) {
        match self.postgres {
            Postgres::NotOurs => {}
            Postgres::Ours(private) => private.stop().await,
        }
    }

    fn from_private(private: PrivatePostgres) -> Self {
        Self { server_url: private.logins().server_url.clone(), postgres: Postgres::Ours(private) }
    }
}
