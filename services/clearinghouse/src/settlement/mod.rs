//! Settlement as it is asked for over HTTP: runs, windows, files, schedules.
//!
//! Shape: each function finds out what is meant (a scheme's code, a run that the caller may see) and asks the crate `runs`, which has
//! the rules and the SQL. What a vendor sees is decided by row security: its functions take a [`Viewer`], and a vendor's tx finds only
//! the vendor's own part, so somebody else's run or file is not there.

mod error;
mod file;
pub mod http;
mod schedules;
mod views;

use crate::app::App;
use crate::http::credential::OperatorOrVendor;
use crate::http::problem::ApiError;
use crate::{access::Scope, schemes};
pub use error::SettlementRefusal;
use ledger::{Connection, Failure, Fault, Tx};
use runs::files::FileHead;
use runs::runs::{Position, Transfer, WindowSummary};
use runs::{Run, SettleRefusal, Settled};
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

/// Closes the scheme's window for somebody's key and nets it. It goes on although the caller leaves, who may ask again.
pub(crate) async fn settle(app: &App, scheme: &str, key: &str) -> Answer<Settled> {
    let scheme = get_scheme_id(app, scheme).await?;
    let (runs, slot) = (app.runs.clone(), manual_slot(key));
    let settled = tokio::spawn(async move { runs.settle(scheme, &slot, |_step| ()).await }).await;
    match settled {
        Ok(Ok(settled)) => Ok(settled),
        Ok(Err(Failure::Refused(SettleRefusal::SchemeNotFound))) => Err(Failure::Refused(SettlementRefusal::SchemeNotFound)),
        Ok(Err(Failure::Refused(SettleRefusal::SlotMalformed))) => Err(Failure::Refused(SettlementRefusal::SlotMalformed)),
        Ok(Err(Failure::Fault(fault))) => Err(Failure::Fault(fault)),
        Err(bug) => std::panic::resume_unwind(bug.into_panic()),
    }
}

/// The slot of a run that somebody asked for; a schedule's slot is an instant and never looks like this.
pub(crate) fn manual_slot(key: &str) -> String {
    format!("manual:{key}")
}

pub(crate) async fn get_scheme_id(app: &App, code: &str) -> Answer<SchemeId> {
    let mut connection = app.db.connection().await?;
    let tx = connection.begin_house().await?;
    schemes::find_scheme_id(&tx, code).await?.ok_or(Failure::Refused(SettlementRefusal::SchemeNotFound))
}

pub(crate) async fn list_windows(app: &App, scheme: &str, before: Option<i64>, limit: i64) -> Answer<Vec<WindowSummary>> {
    let scheme = get_scheme_id(app, scheme).await?;
    let mut connection = app.db.connection().await?;
    let tx = connection.begin_house().await?;
    Ok(runs::runs::list_windows(&tx, scheme, before.unwrap_or(i64::MAX), limit).await?)
}

/// Newest first.
pub(crate) async fn list_runs(
    app: &App,
    viewer: Viewer,
    scheme: Option<SchemeId>,
    after: Option<RunId>,
    limit: i64,
) -> Result<Vec<Run>, Fault> {
    let mut connection = app.db.connection().await?;
    let tx = viewer.begin(&mut connection).await?;
    runs::runs::list(&tx, scheme, after, limit).await
}

pub(crate) async fn get_run(app: &App, viewer: Viewer, run: RunId) -> Answer<Run> {
    let mut connection = app.db.connection().await?;
    let tx = viewer.begin(&mut connection).await?;
    find_run(&tx, run).await
}

async fn find_run(tx: &Tx<'_>, run: RunId) -> Answer<Run> {
    runs::runs::find(tx, run).await?.ok_or(Failure::Refused(SettlementRefusal::RunNotFound))
}

/// The run, and its transfers with a number above `after`.
pub(crate) async fn list_transfers(app: &App, viewer: Viewer, run: RunId, after: Option<i64>, limit: i64) -> Answer<(Run, Vec<Transfer>)> {
    let mut connection = app.db.connection().await?;
    let tx = viewer.begin(&mut connection).await?;
    let found = find_run(&tx, run).await?;
    Ok((found, runs::runs::list_transfers(&tx, run, after.unwrap_or(0), limit).await?))
}

/// The run, and its positions of vendors with a code above `after`.
pub(crate) async fn list_positions(
    app: &App,
    viewer: Viewer,
    run: RunId,
    after: Option<String>,
    limit: i64,
) -> Answer<(Run, Vec<Position>)> {
    let mut connection = app.db.connection().await?;
    let tx = viewer.begin(&mut connection).await?;
    let found = find_run(&tx, run).await?;
    Ok((found, runs::runs::list_positions(&tx, run, after.as_deref().unwrap_or_default(), limit).await?))
}

/// The run's files with a name above `after`.
pub(crate) async fn list_files(app: &App, viewer: Viewer, run: RunId, after: Option<String>, limit: i64) -> Answer<Vec<FileHead>> {
    let mut connection = app.db.connection().await?;
    let tx = viewer.begin(&mut connection).await?;
    find_run(&tx, run).await?;
    Ok(runs::files::list(&tx, run, after.as_deref().unwrap_or_default(), limit).await?)
}

pub(crate) async fn get_file(app: &App, viewer: Viewer, run: RunId, name: &str) -> Answer<FileHead> {
    let mut connection = app.db.connection().await?;
    let tx = viewer.begin(&mut connection).await?;
    // PostgreSQL takes no NUL, and no file has one in its name.
    let found = if name.contains('\0') { None } else { runs::files::find(&tx, run, name).await? };
    found.ok_or(Failure::Refused(SettlementRefusal::FileNotFound))
}
