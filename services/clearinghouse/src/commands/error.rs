//! How a command ends that did not do its work.

use super::debts_file::FileError;
use super::net::NetError;
use crate::private_postgres;
use ledger::{ConnectError, Failure, Fault};
use scriphouse_config::SettingsError;
use std::fmt::Display;
use tokio_cron_scheduler::JobSchedulerError;

/// One sentence for the person at the terminal, and what a script is told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub(crate) struct CommandError {
    /// What went wrong and, where there is one, the way out.
    pub(crate) sentence: String,
    /// 1: a proof failed or the world is at fault; 2: the input or the usage is wrong.
    pub(crate) exit_code: u8,
}

impl CommandError {
    /// What was given to the command is wrong.
    pub(crate) fn input(sentence: impl Into<String>) -> Self {
        Self { sentence: one_line(sentence.into()), exit_code: 2 }
    }

    /// A proof failed, or the world is at fault.
    pub(crate) fn fault(sentence: impl Into<String>) -> Self {
        Self { sentence: one_line(sentence.into()), exit_code: 1 }
    }
}

fn one_line(text: String) -> String {
    if text.contains('\n') { text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text }
}

impl From<SettingsError> for CommandError {
    fn from(error: SettingsError) -> Self {
        Self::input(error.to_string())
    }
}

impl From<Fault> for CommandError {
    fn from(fault: Fault) -> Self {
        Self::fault(with_cause(&fault))
    }
}

impl<R: Display> From<Failure<R>> for CommandError {
    fn from(failure: Failure<R>) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::input(refusal.to_string()),
            Failure::Fault(fault) => fault.into(),
        }
    }
}

impl From<private_postgres::Error> for CommandError {
    fn from(error: private_postgres::Error) -> Self {
        Self::fault(with_cause(&error))
    }
}

impl From<ConnectError> for CommandError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Url(_) => Self::input(error.to_string()),
            ConnectError::Fault(_) | ConnectError::TooPowerful { .. } | ConnectError::NotDurable { .. } | ConnectError::NotMigrated => {
                Self::fault(with_cause(&error))
            }
        }
    }
}

impl From<JobSchedulerError> for CommandError {
    fn from(error: JobSchedulerError) -> Self {
        Self::fault(format!("the heartbeat cannot start: {error}"))
    }
}

impl From<NetError> for CommandError {
    fn from(error: NetError) -> Self {
        match error {
            NetError::Unwritten { .. } => Self::fault(error.to_string()),
            NetError::NotAFolder { .. } | NetError::File(_) | NetError::Unnetted { .. } | NetError::WouldOverwrite { .. } => {
                Self::input(error.to_string())
            }
        }
    }
}

impl From<FileError> for CommandError {
    fn from(error: FileError) -> Self {
        Self::input(error.to_string())
    }
}

/// The database's driver says only "db error" and keeps the words in the cause.
fn with_cause(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !sentence.contains(&words) {
            sentence = format!("{sentence}: {words}");
        }
        cause = inner.source();
    }
    sentence
}
