//! Why there is no figure: each is one sentence.

use std::path::PathBuf;

/// Why a measurement was not made. Half a measurement is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The folder lies in memory, where fsync costs nothing.
    #[error("{path} lies in memory ({kind}), where a commit costs nothing; choose a folder on a disk with --dir")]
    InMemory {
        /// The folder.
        path: PathBuf,
        /// The file system's type.
        kind: String,
    },
    /// The database would not survive a power cut.
    #[error("{setting} is {value}; with it a committed swap could be lost, and such a figure would mean nothing")]
    Unsafe {
        /// The setting's name.
        setting: String,
        /// What it is.
        value: String,
    },
    /// The database failed.
    #[error("the database failed: {}", words(.0))]
    Database(#[from] tokio_postgres::Error),
    /// The ledger failed while tokens were issued.
    #[error(transparent)]
    Ledger(#[from] ledger::Fault),
    /// The server's login was refused.
    #[error(transparent)]
    Connect(#[from] ledger::ConnectError),
    /// A program could not be started or read, or a file not written.
    #[error("{what}: {error}")]
    Io {
        /// What it is about.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A connection to the server broke.
    #[error("a connection to the server broke: {0}")]
    Broken(#[from] hyper::Error),
    /// An answer was another than the measurement is about.
    #[error("{what} was answered with {status}: {body}")]
    Answer {
        /// The request.
        what: String,
        /// The HTTP status.
        status: u16,
        /// The answer's first words.
        body: String,
    },
    /// A program ended badly.
    #[error("{program} failed: {said}")]
    Program {
        /// Which.
        program: String,
        /// Its last line.
        said: String,
    },
    /// Something that was said could not be read.
    #[error("{0}")]
    Unreadable(String),
}

impl BenchError {
    /// For `map_err`: what the input or output was about.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        |error| Self::Io { what, error }
    }
}

/// The driver says only "db error" and keeps the words in the cause.
fn words(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}
