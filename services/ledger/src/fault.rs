//! The two ways an operation can fail to happen: the rules refuse it, or the world is at fault.

/// The world failed: the database is gone, the pool is empty, a disk is full. Nothing of the operation was kept, unless the
/// connection was lost in the very commit: then nobody knows, and repeating the request with its key finds out.
///
/// Logged once, at the edge; a caller is told only that it may try again.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database answered with an error or not at all.
    #[error("the database failed: {0}")]
    Database(#[from] tokio_postgres::Error),
    /// No connection became free in time.
    #[error("no database connection: {0}")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// Something is stored that the program cannot read.
    #[error("stored data is unreadable: {0}")]
    Unreadable(String),
    /// A file that is made of stored rows could not be written, for want of room on a disk for instance.
    #[error("a file could not be written: {0}")]
    Unwritten(String),
    /// What one vendor owes another in one window no longer fits in 64 bits of micro-units.
    #[error("a position is too large")]
    PositionTooLarge,
    /// The batch that the posting was part of failed; nothing of it was kept.
    #[error("a batch of postings failed: {0}")]
    Batch(std::sync::Arc<Fault>),
    /// The posting engine stopped, or met a bug, before it could answer.
    #[error("the posting engine could not answer")]
    EngineGone,
}

impl Fault {
    /// The database's own state code for the error, such as `40P01` for a deadlock.
    pub fn sql_state(&self) -> Option<&tokio_postgres::error::SqlState> {
        match self {
            Self::Database(error) => error.code(),
            Self::Batch(fault) => fault.sql_state(),
            Self::Pool(_) | Self::Unreadable(_) | Self::Unwritten(_) | Self::PositionTooLarge | Self::EngineGone => None,
        }
    }

    /// The name of the violated constraint, where one was violated.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Database(error) => error.as_db_error().and_then(|e| e.constraint()),
            Self::Batch(fault) => fault.constraint(),
            Self::Pool(_) | Self::Unreadable(_) | Self::Unwritten(_) | Self::PositionTooLarge | Self::EngineGone => None,
        }
    }
}

/// An operation that did not happen: refused by a rule (`R` says which), or stopped by a fault.
#[derive(Debug)]
pub enum Failure<R> {
    /// The rules say no.
    Refused(R),
    /// The world failed.
    Fault(Fault),
}

impl<R, E: Into<Fault>> From<E> for Failure<R> {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}
