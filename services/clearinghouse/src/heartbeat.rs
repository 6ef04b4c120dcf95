//! The heartbeat: what happens without being asked for, every second or so.
//!
//! Each beat settles the schemes whose schedules are due, and those in which a vendor owes more than their threshold, completes what a
//! crash left behind, approves what vendors had time to dispute, rolls what failed and was not tried again in time or carries out another rule
//! of its scheme, and gives back what expired trades held.
//! `tokio-cron-scheduler` only wakes it: it may wake too often, too late or not at all, because every beat asks the database what is
//! due and claims it there. A beat never overlaps another one of this process; those of other processes it may meet.

use crate::app::App;
use ledger::Fault;
use scriphouse_config::Settings;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// A heart that beats until it is stopped.
pub(crate) struct Heartbeat {
    scheduler: Option<JobScheduler>,
    app: Beating,
}

/// The house, to whoever is beating; taken away when the heart stops, because the scheduler keeps its jobs for ever.
type Beating = Arc<Mutex<Option<App>>>;

/// Starts beating, if the settings say that this process shall.
pub(crate) async fn start(app: App, settings: &Settings) -> Result<Heartbeat, JobSchedulerError> {
    let beating: Beating = Arc::new(Mutex::new(Some(app)));
    if !settings.scheduler.enabled {
        return Ok(Heartbeat { scheduler: None, app: beating });
    }
    let scheduler = start_scheduler(beating.clone(), settings.scheduler.beat_ms).await?;
    Ok(Heartbeat { scheduler: Some(scheduler), app: beating })
}

async fn start_scheduler(app: Beating, beat_ms: u64) -> Result<JobScheduler, JobSchedulerError> {
    // The scheduler counts whole seconds.
    let every = Duration::from_secs(beat_ms.div_ceil(1000).max(1));
    let scheduler = JobScheduler::new().await?;
    let job = Job::new_repeated_async(every, move |_job, _scheduler| {
        let app = app.clone();
        Box::pin(async move {
            // The beat before is still at work: it will see what is due.
            let Ok(app) = app.try_lock() else { return };
            if let Some(app) = app.as_ref() {
                beat(app).await;
            }
        })
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

/// Each duty in a task of its own: neither a fault nor a bug in one keeps the others from being done.
async fn beat(app: &App) {
    let (settling, relieving, resuming, approving) = (app.clone(), app.clone(), app.clone(), app.clone());
    let (rolling, declaring, releasing) = (app.clone(), app.clone(), app.clone());
    let now = app.clock.now();
    report("settle the schedules", tokio::spawn(async move { settling.runs.beat(now).await.map(drop) })).await;
    report("settle above thresholds", tokio::spawn(async move { relieving.runs.settle_above_thresholds().await.map(drop) })).await;
    report("complete closed windows", tokio::spawn(async move { resuming.runs.resume().await.map(drop) })).await;
    report("approve what nobody disputes", tokio::spawn(async move { approving.runs.approve_due(now).await.map(drop) })).await;
    report("roll what failed", tokio::spawn(async move { rolling.settlement.roll_due(now).await.map(drop) })).await;
    report("declare defaults", tokio::spawn(async move { declaring.settlement.declare_due().await.map(drop) })).await;
    report("release expired trades", tokio::spawn(async move { releasing.trades.expire().await.map(drop) })).await;
}

async fn report(duty: &'static str, task: JoinHandle<Result<(), Fault>>) {
    match task.await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => tracing::error!(duty, %fault, "the heartbeat met a fault"),
        Err(panic) => tracing::error!(duty, %panic, "the heartbeat met a bug"),
    }
}

impl Heartbeat {
    /// Lets the beat that is under way end, and beats no more.
    pub(crate) async fn stop(self) {
        if let Some(mut scheduler) = self.scheduler
            && let Err(error) = scheduler.shutdown().await
        {
            tracing::warn!(%error, "the scheduler did not stop; it has nothing left to beat");
        }
        drop(self.app.lock().await.take());
    }
}

impl std::fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heartbeat").finish_non_exhaustive()
    }
}
