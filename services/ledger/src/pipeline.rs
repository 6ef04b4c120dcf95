//! Requests that are sent to the database without waiting for the answers to those before them.
//!
//! tokio-postgres sends a request when its future is first polled, and the database works requests off in the order in which they come.
//! So [`send`] polls once, and the answer is awaited when it is needed: a tx costs as many round trips as it has questions whose answers
//! decide what comes next, however many statements it has.

use crate::Fault;
use deadpool_postgres::Object;
use futures_util::FutureExt;
use std::ops::Deref;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

/// Sends the request, now; what it returns waits for the answer.
pub(crate) fn send<F: Future>(request: F) -> impl Future<Output = F::Output> {
    let mut request = Box::pin(request);
    let answered = (&mut request).now_or_never();
    async move {
        match answered {
            Some(answer) => answer,
            None => request.await,
        }
    }
}

/// A prepared statement and what it is to be executed with.
pub(crate) struct Step<'a> {
    statement: Statement,
    parameters: Vec<Box<dyn ToSql + Sync + Send + 'a>>,
}

impl<'a> Step<'a> {
    /// As [`step!`] makes it.
    pub(crate) fn new(statement: &Statement, parameters: Vec<Box<dyn ToSql + Sync + Send + 'a>>) -> Self {
        Self { statement: statement.clone(), parameters }
    }

    /// Executes it in the client's tx; returns how many rows it changed.
    pub(crate) async fn execute(&self, client: &tokio_postgres::Client) -> Result<u64, Fault> {
        let parameters = self.parameters.iter().map(|parameter| {
            let parameter: &(dyn ToSql + Sync) = &**parameter;
            parameter
        });
        Ok(client.execute_raw(&self.statement, parameters).await?)
    }
}

/// One column of the rows, as an array.
pub(crate) fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// A [`Step`] from a prepared statement and its parameters.
macro_rules! step {
    ($statement:expr, $($parameter:expr),+ $(,)?) => {
        $crate::pipeline::Step::new($statement, vec![$(Box::new($parameter)),+])
    };
}
pub(crate) use step;

/// A database tx that waits neither for its begin nor, before the commit, for what it writes last. Dropped without
/// [`Pipeline::commit_after`], it leaves nothing behind.
pub(crate) struct Pipeline<'a> {
    client: &'a mut Object,
    open: bool,
}

impl<'a> Pipeline<'a> {
    /// The begin is on its way when this returns, ahead of whatever is sent next. Nobody need wait for the answer: a tx in which it
    /// fails refuses every later statement, and outside of a tx the login may do nothing.
    pub(crate) fn begin(client: &'a mut Object, whose: &str) -> Result<Self, Fault> {
        if let Some(answered) = client.batch_execute(&format!("BEGIN; {whose}")).now_or_never() {
            answered?;
        }
        Ok(Self { client, open: true })
    }

    /// Asks, and ends the tx without keeping anything, in one round trip.
    pub(crate) async fn ask(mut self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Fault> {
        let statement = self.client.prepare_cached(statement).await?;
        let rows = send(self.client.query(&statement, parameters));
        drop(send(self.client.batch_execute("ROLLBACK")));
        self.open = false;
        Ok(rows.await?)
    }

    /// Sends the steps and the commit behind them, then waits for all of it. The first step that fails is the fault, and then nothing
    /// of the tx is kept: the database refuses what follows it, and takes the commit for a rollback.
    pub(crate) async fn commit_after(mut self, steps: &[Step<'_>]) -> Result<(), Fault> {
        let mut sent = Vec::with_capacity(steps.len());
        for step in steps {
            let mut request = Box::pin(step.execute(self.client));
            match (&mut request).now_or_never() {
                // Whatever ends at once has not reached the database: the commit must not either.
                Some(ended) => drop(ended?),
                None => sent.push(request),
            }
        }
        let committed = send(self.client.batch_execute("COMMIT"));
        for step in sent {
            step.await?;
        }
        committed.await?;
        self.open = false;
        Ok(())
    }
}

impl Deref for Pipeline<'_> {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.client
    }
}

impl Drop for Pipeline<'_> {
    fn drop(&mut self) {
        if self.open {
            // Sent ahead of whatever the connection is used for next. Where the connection is gone, so is the tx.
            self.client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

impl std::fmt::Debug for Pipeline<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("open", &self.open).finish_non_exhaustive()
    }
}
