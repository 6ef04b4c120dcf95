//! Why there is no private PostgreSQL: each is one sentence that says what to do about it.

use std::path::{Path, PathBuf};

/// Why the private PostgreSQL does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No usable PostgreSQL is installed.
    #[error(
        "no PostgreSQL {major_min} or newer was found on this machine; install it (Debian and Ubuntu: apt-get install postgresql), \
         put its bin folder on PATH, or name a database of yours with --database-url"
    )]
    BinariesMissing {
        /// The oldest version that would do.
        major_min: u32,
    },
    /// The data belongs to a version that is not installed.
    #[error("the data was made by PostgreSQL {major}, which is not installed; install postgresql-{major}, or choose another --data-dir")]
    BinariesOfOtherVersion {
        /// The version that made it.
        major: u32,
    },
    /// PostgreSQL refuses root, and the machine has no other user for it.
    #[error("PostgreSQL does not run as root and this machine has neither a user `postgres` nor `nobody`; run scriphouse as a normal user")]
    NobodyToRunAs,
    /// The database's user cannot reach the data.
    #[error(
        "the data directory {data_dir} lies under {closed}, which the user {user} that runs PostgreSQL may not enter; \
         choose another with --data-dir"
    )]
    PathClosed {
        /// Where the data should be.
        data_dir: PathBuf,
        /// The folder above it that is closed.
        closed: PathBuf,
        /// As whom PostgreSQL runs.
        user: String,
    },
    /// Somebody else owns the data directory.
    #[error("another scriphouse already runs on the data directory {data_dir}; stop it, or choose another with --data-dir")]
    Busy {
        /// The directory.
        data_dir: PathBuf,
    },
    /// Somebody else owns the data directory and does not get ready.
    #[error("another scriphouse holds the data directory {data_dir} but its PostgreSQL does not answer; look into postgres.log there")]
    NotServed {
        /// The directory.
        data_dir: PathBuf,
    },
    /// A server of an earlier run does not stop.
    #[error("a PostgreSQL of an earlier run still works on the data and does not stop; end its process {postmaster} and start again")]
    LeftoverRuns {
        /// Its main process.
        postmaster: u32,
    },
    /// The folder holds something else.
    #[error("{path} is not a PostgreSQL data directory; choose another with --data-dir")]
    NotACluster {
        /// The folder.
        path: PathBuf,
    },
    /// Neither XDG_DATA_HOME nor HOME is set.
    #[error("there is no home folder to keep the data in; say where with --data-dir")]
    NoDataDir,
    /// Not even the temporary folder is short enough for a socket.
    #[error("the path {path} is too long for a socket; choose a shorter --data-dir or set TMPDIR to a short one")]
    SocketPathTooLong {
        /// The path.
        path: PathBuf,
    },
    /// `initdb` failed.
    #[error("making the database failed, initdb said: {said}")]
    InitdbFailed {
        /// The last line of what it said.
        said: String,
    },
    /// `postgres` ended at once.
    #[error("PostgreSQL did not start, the last line of {log} is: {said}")]
    StartFailed {
        /// Where all of it stands.
        log: PathBuf,
        /// The last line.
        said: String,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes for a password")]
    NoRandomness,
    /// A file or program could not be used.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The start was cut off.
    #[error("starting PostgreSQL was interrupted: {0}")]
    Interrupted(String),
    /// The database is there but cannot be prepared.
    #[error("preparing the database failed: {0}")]
    Database(#[from] tokio_postgres::Error),
    /// The schema is newer than the program, or a migration is wrong.
    #[error(transparent)]
    Migrate(#[from] schema::MigrateError),
}

impl Error {
    /// For `map_err`: says which file or program it was.
    pub(super) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// PostgreSQL's own reason stands at the end of its log.
    pub(super) fn start_failed(log: &Path) -> Self {
        let text = std::fs::read(log).unwrap_or_default();
        Self::StartFailed { log: log.to_owned(), said: super::cluster::last_line(&String::from_utf8_lossy(&text)) }
    }
}
