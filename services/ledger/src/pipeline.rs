//! Requests that are sent to the database without waiting for the answers to those before them.
//!
//! tokio-postgres sends a request when its future is first polled, and the database works requests off in the order in which they come.
//! So [`send`] polls once, and the answer is awaited when it is needed: a tx costs as many round trips as it has questions whose answers
//! decide what comes next, however many statements it has.

use crate::{Fault, Tx};
use deadpool_postgres::Object;
use futures_util::FutureExt;
use std::ops::Deref;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

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

/// A statement that writes rows, and what it is to be executed with.
pub(crate) struct Step<'a> {
    statement: &'static str,
    parameters: Vec<Box<dyn ToSql + Sync + Send + 'a>>,
}

impl<'a> Step<'a> {
    /// As [`step!`] makes it.
    pub(crate) fn new(statement: &'static str, parameters: Vec<Box<dyn ToSql + Sync + Send + 'a>>) -> Self {
        Self { statement, parameters }
    }

    /// Executes it by itself.
    pub(crate) async fn execute(&self, tx: &Tx<'_>) -> Result<(), Fault> {
        let statement = tx.prepare_cached(self.statement).await?;
        tx.client().execute_raw(&statement, self.parameters()).await?;
        Ok(())
    }

    fn parameters(&self) -> impl ExactSizeIterator<Item = &(dyn ToSql + Sync + 'a)> {
        self.parameters.iter().map(|parameter| {
            let parameter: &(dyn ToSql + Sync + 'a) = &**parameter;
            parameter
        })
    }
}

/// One statement that does what all the steps do: begun, planned and answered once, which costs more than a few rows do. In it the last
/// step stands first, because PostgreSQL begins with the last; it promises no order, and no rule may depend on one.
fn merge<'s, 'a>(steps: &'s [Step<'a>]) -> (String, Vec<&'s (dyn ToSql + Sync + 'a)>) {
    let (mut text, mut parameters) = (String::with_capacity(4096), Vec::new());
    for (n, step) in steps.iter().enumerate().rev() {
        text.push_str(if parameters.is_empty() { "WITH " } else { ", " });
        text.push_str(&format!("step_{n} AS ("));
        push_renumbered(&mut text, step.statement, parameters.len());
        text.push(')');
        parameters.extend(step.parameters());
    }
    text.push_str(" SELECT WHERE false");
    (text, parameters)
}

/// The statement with `$1` as the parameter after those `before` it.
fn push_renumbered(text: &mut String, statement: &str, before: usize) {
    let mut pieces = statement.split('$');
    text.extend(pieces.next());
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        let (number, rest) = piece.split_at(end);
        let number: usize = number.parse().expect("a dollar sign in a statement is followed by the number of a parameter");
        text.push_str(&format!("${}", number.saturating_add(before)));
        text.push_str(rest);
    }
}

/// One column of the rows, as an array.
pub(crate) fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// A [`Step`] from a statement and its parameters.
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

    /// Sends the steps, those of a group as one statement in which none sees the rows of another, and the commit behind them; then waits
    /// for all of it. The first group that fails is the fault, and then nothing of the tx is kept: the database refuses what follows it,
    /// and takes the commit for a rollback.
    pub(crate) async fn commit_after(mut self, groups: &[Vec<Step<'_>>]) -> Result<(), Fault> {
        let mut statements = Vec::with_capacity(groups.len());
        for steps in groups {
            let (text, parameters) = merge(steps);
            statements.push((self.client.prepare_cached(&text).await?, parameters));
        }
        let mut sent = Vec::with_capacity(groups.len());
        for (statement, parameters) in &statements {
            let mut request = Box::pin(self.client.execute_raw(statement, parameters.iter().copied()));
            match (&mut request).now_or_never() {
                // Whatever ends at once has not reached the database: the commit must not either.
                Some(ended) => drop(ended?),
                None => sent.push(request),
            }
        }
        let committed = send(self.client.batch_execute("COMMIT"));
        for group in sent {
            group.await?;
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

#[cfg(test)]
mod tests {
    use super::merge;

    #[test]
    fn steps_keep_their_parameters_when_they_become_one_statement() {
        let eleven = step!("INSERT INTO a VALUES ($1, ($2::bigint[])[3], $10, $11)", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
        let two = step!("INSERT INTO b VALUES ($2, $1)", "x", "y");

        let steps = [two, eleven];
        let (text, parameters) = merge(&steps);

        let expected = "WITH step_1 AS (INSERT INTO a VALUES ($1, ($2::bigint[])[3], $10, $11)), \
                        step_0 AS (INSERT INTO b VALUES ($13, $12)) SELECT WHERE false";
        assert_eq!(text, expected);
        let shown: Vec<String> = parameters.iter().map(|parameter| format!("{parameter:?}")).collect();
        assert_eq!(shown, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "\"x\"", "\"y\""]);
    }
}
