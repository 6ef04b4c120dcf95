//! A server under test: `scriphouse serve` in a process of its own, with the settings it has when nobody says otherwise.

use crate::usage::{self, Memory};
use crate::{BenchError, Place};
use std::fs::File;
use std::net::SocketAddr;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A running server. It is told to end by [`Server::stop`], and killed if it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) pid: u32,
    pub(crate) address: SocketAddr,
    /// Printed where the database had no operator's key yet.
    pub(crate) operator_key: Option<String>,
}

impl Server {
    /// Starts one on the database that the URL names, and waits until it listens.
    pub(crate) async fn start(place: &Place, server_url: &str, settings: &[(&str, String)]) -> Result<Self, BenchError> {
        let log_path = place.server_log();
        let log = File::options().create(true).append(true).open(&log_path).map_err(BenchError::io("the server's log"))?;
        let mut process = Command::new(&place.program)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("SCRIPHOUSE__DATABASE__URL", server_url)
            .envs(settings.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(BenchError::io("the server could not be started"))?;
        let output = process.stdout.take().expect("it is piped");
        let pid = process.id().unwrap_or_default();
        let mut lines = BufReader::new(output).lines();
        match read_address(&mut lines).await? {
            Some((address, operator_key)) => {
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                Ok(Self { process, pid, address, operator_key })
            }
            None => {
                let said = std::fs::read_to_string(&log_path).unwrap_or_default();
                let said = said.lines().last().unwrap_or("nothing").to_owned();
                Err(BenchError::Program { program: "scriphouse serve".to_owned(), said })
            }
        }
    }

    /// SIGTERM, and waits for its end.
    pub(crate) async fn stop(mut self) -> Result<(), BenchError> {
        let told = Command::new("kill").args(["-TERM", &self.pid.to_string()]).status().await;
        told.map_err(BenchError::io("kill"))?;
        let status = self.process.wait().await.map_err(BenchError::io("the server's end"))?;
        let said = || BenchError::Program { program: "scriphouse serve".to_owned(), said: status.to_string() };
        if status.success() { Ok(()) } else { Err(said()) }
    }

    /// What it uses now, and the most it used.
    pub(crate) fn memory(&self) -> Option<Memory> {
        usage::memory_of(self.pid)
    }
}

/// The address that it prints when it is ready, and the operator's key if it printed one before.
async fn read_address(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<Option<(SocketAddr, Option<String>)>, BenchError> {
    let mut operator_key = None;
    while let Some(line) = lines.next_line().await.map_err(BenchError::io("the server's output"))? {
        if let Some(key) = line.split_whitespace().find(|word| word.starts_with("sk_")) {
            operator_key = Some(key.to_owned());
        }
        if let Some((_, address)) = line.split_once("http://") {
            let address = address.trim().parse().map_err(|_| BenchError::Unreadable(format!("the server listens at `{line}`")))?;
            return Ok(Some((address, operator_key)));
        }
    }
    Ok(None)
}
