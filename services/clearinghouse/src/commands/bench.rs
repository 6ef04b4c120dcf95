//! `scriphouse bench`: how fast the house is on this machine, measured against a plain PostgreSQL on the same disk.
//!
//! Shape: a private PostgreSQL with the settings of production in a new folder, then the `bench` crate, which starts this program again
//! as the servers under test. Everything is gone afterwards but the printed figures and the chart.

use super::{CommandError, Context, say};
use crate::private_postgres::PrivatePostgres;
use bench::{BenchError, Logins, Part, Place, Plan, Report};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Measures swaps, netting and files per second on this machine, and compares them with what PostgreSQL's own benchmark reaches there.
///
/// Starts a PostgreSQL of its own with everything on that keeps an acknowledged swap safe, fills it with 200,000 accounts of 200 vendors, and
/// offers load to `scriphouse serve` from another process. Loads and yardsticks take turns, so that what disturbs the machine disturbs all;
/// ratios are taken within a round. In the end the books must prove. It leaves nothing behind but the figures and the chart.
///
/// Build it with optimisations: `make bench`, or `cargo run --release --bin scriphouse -- bench`. All of it takes some forty minutes, on a
/// machine that does nothing else, and some 20 GB of disk.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// A look in about a minute: a tenth of the size, short turns, without growth and overload.
    #[arg(long)]
    quick: bool,
    /// Measure only these parts: tpcb, naive, singles, bulk, hot-pair, hot-account, processes, growth, settlement, netting, overload.
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    only: Vec<Part>,
    /// Print one JSON object instead of the tables: {"figures": {name: number}, "bars": [..], "machine": {..}, "how": "..", "failures": []}.
    #[arg(long)]
    json: bool,
    /// Where the chart is written: bench.svg, and bench.json with every figure.
    #[arg(long, value_name = "DIR", default_value = "bench-results")]
    out: PathBuf,
    /// Where the database is made: a folder on the disk that is to be measured. Default: the system's temporary folder.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// How often each part has its turn.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: Option<u32>,
    /// How many seconds one turn is measured.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: Option<u32>,
    /// Accounts in the house: ten for each user.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=100_000_000))]
    accounts: Option<u32>,
    /// Connections of single swaps, and clients of the yardsticks.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=128))]
    connections: Option<u32>,
    /// Swaps in one bulk request.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5_000))]
    bulk_lines: Option<u32>,
    /// Obligations in the window that is settled, and in the network that is netted.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    obligations: Option<u32>,
}

impl BenchArgs {
    fn plan(&self) -> Plan {
        let mut plan = if self.quick { Plan::quick() } else { Plan::full() };
        if !self.only.is_empty() {
            plan.parts = self.only.iter().copied().collect();
        }
        plan.rounds = self.rounds.unwrap_or(plan.rounds);
        plan.take = self.seconds.map_or(plan.take, |seconds| Duration::from_secs(seconds.into()));
        plan.users = self.accounts.map_or(plan.users, |accounts| accounts.div_ceil(10));
        plan.connections = self.connections.unwrap_or(plan.connections);
        plan.bulk_lines = self.bulk_lines.unwrap_or(plan.bulk_lines);
        if let Some(obligations) = self.obligations {
            (plan.obligations, plan.networks) = (obligations.into(), vec![obligations]);
        }
        plan
    }
}

pub(crate) async fn run(args: &BenchArgs, _context: &Context) -> Result<(), CommandError> {
    let parent = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    let parent = parent.canonicalize().map_err(|error| CommandError::input(format!("{}: {error}", parent.display())))?;
    bench::check_folder(&parent)?;
    let bar = spinner();
    bar.set_message("starting PostgreSQL");
    let folder = folder_for_everybody(&parent)?;
    let postgres = PrivatePostgres::start_throwaway_in(folder.path()).await?;
    let measured = measure(args, &postgres, &bar).await;
    bar.set_message("stopping PostgreSQL");
    postgres.stop().await;
    bar.finish_and_clear();
    let report = measured?;
    write_results(&args.out, &report)?;
    if args.json {
        say(report.to_json())?
    } else {
        say(&report)?
    }
    match report.failures() {
        [] => Ok(()),
        failures => Err(CommandError::fault(failures.join("; "))),
    }
}

async fn measure(args: &BenchArgs, postgres: &PrivatePostgres, bar: &ProgressBar) -> Result<Report, CommandError> {
    let dir = tempfile::tempdir().map_err(|error| CommandError::fault(format!("no temporary folder could be made: {error}")))?;
    let program = std::env::current_exe().map_err(|error| CommandError::fault(format!("this program cannot be found: {error}")))?;
    let logins = postgres.logins().clone();
    let place = Place {
        logins_of: Box::new(move |name| {
            let there = logins.in_database(name);
            Logins { server_url: there.server_url, admin_url: there.admin_url }
        }),
        program,
        pgbench: postgres.program("pgbench"),
        dir: dir.path().to_owned(),
        sarafu: Some(PathBuf::from("../shared/data/sarafu-obligations.csv")).filter(|path| path.exists()),
    };
    // A log can follow it too: RUST_LOG=info.
    let tell = |what: &str| {
        tracing::info!("{what}");
        bar.set_message(what.to_owned());
    };
    let measured = bench::run(&args.plan(), &place, &tell).await;
    if !measured.as_ref().is_ok_and(|report| report.failures().is_empty()) && std::fs::create_dir_all(&args.out).is_ok() {
        // The folder vanishes; what the servers said may be the explanation. Where they said nothing there is nothing to keep.
        std::fs::copy(place.server_log(), args.out.join("server.log")).ok();
    }
    Ok(measured?)
}

fn write_results(out: &Path, report: &Report) -> Result<(), CommandError> {
    let unwritten = |error: std::io::Error| CommandError::fault(format!("{} cannot be written: {error}", out.display()));
    std::fs::create_dir_all(out).map_err(unwritten)?;
    std::fs::write(out.join("bench.json"), format!("{:#}\n", report.to_json())).map_err(unwritten)?;
    report.to_svg().map_or(Ok(()), |chart| std::fs::write(out.join("bench.svg"), chart)).map_err(unwritten)
}

/// PostgreSQL runs as another user where this program runs as root, and makes its data there.
fn folder_for_everybody(parent: &Path) -> Result<TempDir, CommandError> {
    let made = tempfile::Builder::new().prefix("scriphouse-bench-").permissions(Permissions::from_mode(0o1777)).tempdir_in(parent);
    made.map_err(|error| CommandError::fault(format!("no folder could be made in {}: {error}", parent.display())))
}

/// Draws to standard error, and only if that is a terminal.
fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}").expect("the template is fixed");
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl From<BenchError> for CommandError {
    fn from(error: BenchError) -> Self {
        let of_the_input = matches!(error, BenchError::InMemory { .. });
        if of_the_input { Self::input(error.to_string()) } else { Self::fault(error.to_string()) }
    }
}
