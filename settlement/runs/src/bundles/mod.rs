//! Bundles: one archive per run, with which an auditor proves the whole run without the database and without the network.
//!
//! Shape: `records` says what the members are, `archive` what is around them; `write` makes a bundle within one snapshot and [`verify`]
//! holds one against itself: the same netting, seals and rows as everywhere in the house, over a file instead of the database.
//! [`Bundles`] is the service: it bounds how many are written at once and for how long. Every byte of a bundle is determined by
//! what is stored, so nothing in it can be changed without a member or the archive being wrong.
//!
//! Absent: names of users (they are ids, as in the leaves), credentials, and balances. A bundle is not signed: it proves that a run
//! follows from its obligations, and the hashes that [`Verified`] shows are to be held against those that were kept when the run was made.

mod archive;
mod cells;
mod records;
mod store;
mod verify;
mod write;

use crate::runs;
use bytes::Bytes;
use ledger::{Db, Failure, Fault};
use scrip::RunId;
use std::sync::Arc;
use std::time::Duration;
pub use store::STATEMENTS;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
pub use verify::{Checked, NotProven, Verified, WindowSeal, verify};

/// How long a bundle may be under way: it keeps the database from tidying up behind it.
const WRITE_TIME_MAX: Duration = Duration::from_secs(60 * 60);

/// Chunks of some megabytes that wait for a slow reader.
const CHUNKS_WAITING_MAX: usize = 2;

/// Why no bundle is begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleRefusal {
    /// There is no such run.
    #[error("there is no such run")]
    RunNotFound,
    /// As many as may be are under way.
    #[error("as many bundles as the house writes at once are under way; try again shortly")]
    Overloaded,
}

/// Why a bundle that was begun has no end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A file of the run is too large for a member of the archive, which takes 8 GiB.
    #[error("{member} is too large for a bundle")]
    TooLarge {
        /// The member.
        member: String,
    },
    /// It was not taken within an hour.
    #[error("the bundle was not taken within {} minutes", WRITE_TIME_MAX.as_secs().div_euclid(60))]
    TooSlow,
    /// Nobody takes it any more.
    #[error("nobody takes the bundle")]
    Left,
    /// The writer met a bug.
    #[error("writing the bundle met a bug")]
    Bug,
}

/// The service: bundles of the runs in a database.
#[derive(Debug, Clone)]
pub struct Bundles {
    db: Db,
    places: Arc<Semaphore>,
}

impl Bundles {
    /// So many at once, each on a connection of its own: a slow reader holds up nobody else.
    pub fn new(db: &Db, bundles_max: usize) -> Self {
        Self { db: db.apart(bundles_max), places: Arc::new(Semaphore::new(bundles_max)) }
    }

    /// Begins the bundle of a run; refuses rather than waits. It is as the database is now, whenever it is taken.
    pub async fn open(&self, run: RunId) -> Result<Bundle, Failure<BundleRefusal>> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Failure::Refused(BundleRefusal::Overloaded))?;
        let name = {
            let mut connection = self.db.connection().await?;
            let tx = connection.begin_house().await?;
            let found = runs::find(&tx, run).await?.ok_or(Failure::Refused(BundleRefusal::RunNotFound))?;
            format!("{}-run-{:06}.tar", found.scheme, found.number)
        };
        let (sender, chunks) = mpsc::channel(CHUNKS_WAITING_MAX);
        let mut writer = JoinSet::new();
        writer.spawn(write_in_time(self.db.clone(), run, sender));
        Ok(Bundle { name, chunks, writer, _place: place })
    }
}

async fn write_in_time(db: Db, run: RunId, sender: Sender<Bytes>) -> Result<(), Broken> {
    let writing = async {
        let mut connection = db.connection().await?;
        let tx = connection.begin_snapshot().await?;
        write::write(&tx, run, &sender).await
    };
    tokio::time::timeout(WRITE_TIME_MAX, writing).await.unwrap_or(Err(Broken::TooSlow))
}

/// A bundle on its way; it takes a place until it is dropped, and is written no further then.
#[derive(Debug)]
pub struct Bundle {
    name: String,
    chunks: Receiver<Bytes>,
    /// Ends with the writer's answer; aborts it when dropped.
    writer: JoinSet<Result<(), Broken>>,
    _place: OwnedSemaphorePermit,
}

impl Bundle {
    /// What to call it: the scheme and the number of the run.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next bytes; none after the last. Whatever breaks off says why: an archive without its end is never taken for whole.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        if let Some(chunk) = self.chunks.recv().await {
            return Ok(Some(chunk));
        }
        match self.writer.join_next().await {
            Some(Ok(written)) => written.map(|()| None),
            Some(Err(_panic)) => Err(Broken::Bug),
            None => Ok(None),
        }
    }
}
