//! Binary COPY: the fastest way to put many rows into a table.

use crate::{Fault, Tx};
use std::pin::Pin;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

/// One COPY under way. Dropped unfinished, it fails the tx.
pub struct CopyIn {
    writer: Pin<Box<BinaryCopyInWriter>>,
}

impl CopyIn {
    /// Starts a `COPY .. FROM STDIN BINARY` whose columns have these types.
    pub async fn begin(tx: &Tx<'_>, statement: &str, types: &[Type]) -> Result<Self, Fault> {
        let statement = tx.prepare_cached(statement).await?;
        let sink = tx.copy_in(&statement).await?;
        Ok(Self { writer: Box::pin(BinaryCopyInWriter::new(sink, types)) })
    }

    /// Adds a row.
    pub async fn row(&mut self, values: &[&(dyn ToSql + Sync)]) -> Result<(), Fault> {
        Ok(self.writer.as_mut().write(values).await?)
    }

    /// Ends the COPY; its rows are now part of the tx.
    pub async fn finish(mut self) -> Result<(), Fault> {
        self.writer.as_mut().finish().await?;
        Ok(())
    }
}

impl std::fmt::Debug for CopyIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyIn").finish_non_exhaustive()
    }
}
