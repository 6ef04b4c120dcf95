//! Settlement as it is asked for over HTTP: runs, windows, files, schedules.
//!
//! Shape: each function finds out what is meant (a scheme's code, a run that the caller may see) and asks the crate `runs`, which has
//! the rules and the SQL. What a vendor sees is decided by row security: its methods take a [`Viewer`], and a vendor's tx finds only
//! the vendor's own part, so somebody else's run or file is not there.

mod error;
mod file;
pub mod http;
mod schedules;
mod views;

use crate::http::credential::OperatorOrVendor;
use crate::http::problem::ApiError;
use crate::{access::Scope, schemes};
pub use error::SettlementRefusal;
use ledger::{Connection, Db, Failure, Fault, Tx};
use runs::files::FileHead;
use runs::runs::{Position, Transfer, WindowSummary};
use runs::{Run, Runs, SettleRefusal, Settled};
use scrip::{RunId, SchemeId, VendorId};

type Answer<T> = Result<T, Failure<SettlementRefusal>>;

/// Whose eyes read a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// The operator: everything.
    House,
    /// A vendor: its own part.
    Vendor(VendorId),
}

impl Viewer {
    /// The credential's viewer; a vendor's key needs the scope.
    pub(crate) fn of(credential: OperatorOrVendor) -> Result<Self, ApiError> {
        match credential {
            OperatorOrVendor::Operator(_) => Ok(Self::House),
            OperatorOrVendor::Vendor(vendor) => vendor.require(Scope::SettlementRead).map(|()| Self::Vendor(vendor.id)),
        }
    }

    async fn begin(self, connection: &mut Connection) -> Result<Tx<'_>, Fault> {
        match self {
            Self::House => connection.begin_house().await,
            Self::Vendor(vendor) => connection.begin_vendor(vendor).await,
        }
    }
}

/// The settlements of the house.
#[derive(Debug, Clone)]
pub struct Settlement {
    db: Db,
    runs: Runs,
}

impl Settlement {
    /// Settlements in this database.
    pub fn new(db: Db, runs: Runs) -> Self {
        Self { db, runs }
    }

    /// Closes the scheme's window for somebody's key and nets it. It goes on although the caller leaves, who may ask again.
    pub(crate) async fn settle(&self, scheme: &str, key: &str) -> Answer<Settled> {
        let scheme = self.get_scheme_id(scheme).await?;
        let (runs, slot) = (self.runs.clone(), manual_slot(key));
        let settled = tokio::spawn(async move { runs.settle(scheme, &slot, |_step| ()).await }).await;
        match settled {
            Ok(Ok(settled)) => Ok(settled),
            Ok(Err(Failure::Refused(SettleRefusal::SchemeNotFound))) => Err(Failure::Refused(SettlementRefusal::SchemeNotFound)),
            Ok(Err(Failure::Refused(SettleRefusal::SlotMalformed))) => Err(Failure::Refused(SettlementRefusal::SlotMalformed)),
            Ok(Err(Failure::Fault(fault))) => Err(Failure::Fault(fault)),
            Err(bug) => std::panic::resume_unwind(bug.into_panic()),
        }
    }

    /// Whether the key is still free for a run, where the body cannot be read: the key is resolved first.
    pub(crate) async fn judge_key(&self, scheme: &str, key: &str) -> Answer<()> {
        let run = runs::run_id(self.get_scheme_id(scheme).await?, &manual_slot(key));
        match self.get_run(Viewer::House, run).await {
            Ok(_) => Err(Failure::Refused(SettlementRefusal::KeyReused)),
            Err(Failure::Refused(_)) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    pub(crate) async fn get_scheme_id(&self, code: &str) -> Answer<SchemeId> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        schemes::find_scheme_id(&tx, code).await?.ok_or(Failure::Refused(SettlementRefusal::SchemeNotFound))
    }

    pub(crate) async fn list_windows(&self, scheme: &str, before: Option<i64>, limit: i64) -> Answer<Vec<WindowSummary>> {
        let scheme = self.get_scheme_id(scheme).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(runs::runs::list_windows(&tx, scheme, before.unwrap_or(i64::MAX), limit).await?)
    }

    /// Newest first.
    pub(crate) async fn list_runs(
        &self,
        viewer: Viewer,
        scheme: Option<SchemeId>,
        after: Option<RunId>,
        limit: i64,
    ) -> Result<Vec<Run>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        runs::runs::list(&tx, scheme, after, limit).await
    }

    pub(crate) async fn get_run(&self, viewer: Viewer, run: RunId) -> Answer<Run> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        find_run(&tx, run).await
    }

    /// The run, and its transfers with a number above `after`.
    pub(crate) async fn list_transfers(&self, viewer: Viewer, run: RunId, after: Option<i64>, limit: i64) -> Answer<(Run, Vec<Transfer>)> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        let found = find_run(&tx, run).await?;
        Ok((found, runs::runs::list_transfers(&tx, run, after.unwrap_or(0), limit).await?))
    }

    /// The run, and its positions of vendors with a code above `after`.
    pub(crate) async fn list_positions(
        &self,
        viewer: Viewer,
        run: RunId,
        after: Option<String>,
        limit: i64,
    ) -> Answer<(Run, Vec<Position>)> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        let found = find_run(&tx, run).await?;
        Ok((found, runs::runs::list_positions(&tx, run, after.as_deref().unwrap_or_default(), limit).await?))
    }

    /// The run's files with a name above `after`.
    pub(crate) async fn list_files(&self, viewer: Viewer, run: RunId, after: Option<String>, limit: i64) -> Answer<Vec<FileHead>> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        find_run(&tx, run).await?;
        Ok(runs::files::list(&tx, run, after.as_deref().unwrap_or_default(), limit).await?)
    }

    pub(crate) async fn get_file(&self, viewer: Viewer, run: RunId, name: &str) -> Answer<FileHead> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        // PostgreSQL takes no NUL, and no file has one in its name.
        let found = if name.contains('\0') { None } else { runs::files::find(&tx, run, name).await? };
        found.ok_or(Failure::Refused(SettlementRefusal::FileNotFound))
    }
}

/// The slot of a run that somebody asked for; a schedule's slot is an instant and never looks like this.
fn manual_slot(key: &str) -> String {
    format!("manual:{key}")
}

async fn find_run(tx: &Tx<'_>, run: RunId) -> Answer<Run> {
    runs::runs::find(tx, run).await?.ok_or(Failure::Refused(SettlementRefusal::RunNotFound))
}
