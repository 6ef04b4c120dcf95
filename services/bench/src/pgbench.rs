//! pgbench, PostgreSQL's own load generator: its TPC-B, and the script of the naive swap.

use crate::figures::Taken;
use crate::usage::Watched;
use crate::{BenchError, Logins, Place, Plan};
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::Command;
use tokio_postgres::config::Host;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Script<'a> {
    /// The one built into pgbench.
    Tpcb,
    /// A file, and how many users it may draw from.
    File(&'a Path, u32),
}

/// Fills a database with TPC-B's tables.
pub(crate) async fn fill_tpcb(place: &Place, logins: &Logins, scale: u32) -> Result<(), BenchError> {
    let mut command = command(place, logins)?;
    command.args(["--initialize", "--quiet", "--scale", &scale.to_string()]);
    succeeded(command.output().await.map_err(BenchError::io("pgbench could not be started"))?).map(drop)
}

/// Runs a script with the plan's clients for so long.
pub(crate) async fn run(
    place: &Place,
    logins: &Logins,
    plan: &Plan,
    script: Script<'_>,
    time: Duration,
    watched: &Watched,
) -> Result<Taken, BenchError> {
    let mut command = command(place, logins)?;
    let clients = plan.connections.to_string();
    let seconds = time.as_secs().max(1).to_string();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4).to_string();
    command.args(["--no-vacuum", "--protocol=prepared", "--client", &clients, "--jobs", &threads, "--time", &seconds]);
    if let Script::File(path, users) = script {
        command.arg("--file").arg(path).arg(format!("--define=users={users}"));
    }
    let before = watched.sample();
    let said = succeeded(command.output().await.map_err(BenchError::io("pgbench could not be started"))?)?;
    let shares = before.until(&watched.sample());
    let unreadable = || BenchError::Unreadable("pgbench ended no tx within a turn; make the turns longer with --seconds".to_owned());
    let (per_second, mean_ms) = read_result(&said).ok_or_else(unreadable)?;
    Ok(Taken { per_second, mean_ms, p50_ms: None, p99_ms: None, shares })
}

/// The password goes into the environment: the words of a command are everybody's to read.
fn command(place: &Place, logins: &Logins) -> Result<Command, BenchError> {
    let config: tokio_postgres::Config = logins.admin_url.parse()?;
    let mut command = Command::new(&place.pgbench);
    if let Some(Host::Unix(socket)) = config.get_hosts().first() {
        command.env("PGHOST", socket);
    }
    command.env("PGUSER", config.get_user().unwrap_or_default()).env("PGDATABASE", config.get_dbname().unwrap_or_default());
    command.env("PGPASSWORD", String::from_utf8_lossy(config.get_password().unwrap_or_default()).as_ref());
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

fn succeeded(output: Output) -> Result<String, BenchError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().find(|line| line.contains("error")).or(said.lines().last()).unwrap_or("nothing").to_owned();
    Err(BenchError::Program { program: "pgbench".to_owned(), said })
}

/// Txs per second without the time to connect, and the mean latency in milliseconds.
fn read_result(said: &str) -> Option<(f64, f64)> {
    let number = |start: &str| {
        let line = said.lines().find(|line| line.starts_with(start))?;
        line.split_once('=')?.1.split_whitespace().next()?.parse().ok()
    };
    Some((number("tps")?, number("latency average")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_read_from_what_pgbench_says() {
        let said = "number of failed transactions: 0 (0.000%)\nlatency average = 22.114 ms\ninitial connection time = 61.2 ms\n\
                    tps = 2893.971 (without initial connection time)\n";
        assert_eq!(read_result(said), Some((2893.971, 22.114)));
        assert_eq!(read_result("tps = many"), None);
    }
}
