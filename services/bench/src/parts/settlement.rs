//! One window with millions of obligations: closed, proven, sealed, netted, written to files; and a long statement downloaded.
//!
//! The obligations are written as imports are, in the scheme's open window. Every tenth names the first vendor, so that its statement is as
//! long as all others together. The plain way is one `GROUP BY` of the same rows, and one `COPY .. TO STDOUT`.

use super::Bench;
use crate::client::{self, Connection};
use crate::figures::{Unit, median};
use crate::market::{self, SCHEME};
use crate::number::real;
use crate::report::Side;
use crate::seed::House;
use crate::store::{self, OpenWindow};
use crate::{BenchError, usage};
use fastrand::Rng;
use ledger::obligations::{NewObligation, Recorder, record};
use ledger::{Db, Tx, lock_scheme_shared, new_id, read_time};
use scrip::{Micro, OperationId, VendorId};
use serde_json::Value;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use tokio::process::Command;
use tokio_postgres::Client;
use uuid::Uuid;

/// Users of this house: nobody swaps in it.
const USERS: u32 = 10;
/// Obligations that are written in one tx.
const CHUNK: u64 = 100_000;
/// One obligation of this many names the first vendor.
const FIRST_SHARE: u32 = 10;
/// How often the plain way is measured, and how often a file is downloaded.
const TIMES: u32 = 3;
/// What is compared with the plain `GROUP BY`.
const COMPARED: [&str; 4] = ["close", "prove", "seal", "net"];

impl Bench<'_> {
    pub(super) async fn measure_settlement(&mut self) -> Result<(), BenchError> {
        let house = self.fill_house("settling", USERS).await?;
        let admin = store::connect(&house.logins.admin_url).await?;
        let window = store::find_open_window(&admin, SCHEME).await?;
        self.write_obligations(&house, window).await?;
        self.tell("settling down");
        store::settle_down(&admin).await?;

        let plain = self.time_group_by(&admin, window.window).await?;
        let settled = self.settle(&house).await?;
        let seconds = |step: &str| settled["seconds"][step].as_f64();
        for (step, took) in settled["seconds"].as_object().into_iter().flatten() {
            self.report.figure(format!("settlement.{step}_seconds"), took.as_f64().unwrap_or_default(), Unit::Seconds);
        }
        let all: Option<f64> = COMPARED.iter().map(|step| seconds(step)).sum();
        self.report.bar("close, prove, seal and net / plain GROUP BY", all.map(|all| all / plain), Side::AtMost, 4.0);
        self.measure_statement(&house, &admin, window.window).await
    }

    async fn write_obligations(&mut self, house: &House, window: OpenWindow) -> Result<(), BenchError> {
        let db = Db::connect(&house.logins.server_url, 2).await?;
        let mut connection = db.connection().await?;
        let (mut rng, started, mut written) = (Rng::with_seed(3), Instant::now(), 0);
        while written < self.plan.obligations {
            self.tell(format!("writing obligations: {written} of {}", self.plan.obligations));
            let chunk: Vec<NewObligation> =
                (written..self.plan.obligations.min(written + CHUNK)).map(|_| draw(&mut rng, &house.vendors)).collect();
            let tx = connection.begin_house().await?;
            write_chunk(&tx, window, &chunk).await?;
            tx.commit().await?;
            written += CHUNK;
        }
        self.report.figure("settlement.obligations", real(self.plan.obligations), Unit::Count);
        self.report.figure("settlement.writing_per_second", real(self.plan.obligations) / started.elapsed().as_secs_f64(), Unit::PerSecond);
        Ok(())
    }

    async fn time_group_by(&mut self, admin: &Client, window: Uuid) -> Result<f64, BenchError> {
        let mut took = Vec::new();
        for _ in 0..TIMES {
            self.tell("summing with a plain GROUP BY");
            let started = Instant::now();
            store::sum_by_pair(admin, window).await?;
            took.push(started.elapsed().as_secs_f64());
        }
        let took = median(took).unwrap_or_default();
        self.report.figure("settlement.group_by_seconds", took, Unit::Seconds);
        Ok(took)
    }

    /// `scriphouse settle` in a process of its own; what it says, and how much memory it took.
    async fn settle(&mut self, house: &House) -> Result<Value, BenchError> {
        self.tell("settling");
        let started = Instant::now();
        let mut command = Command::new(&self.place.program);
        command.args(["settle", SCHEME, "--json"]).env("SCRIPHOUSE__DATABASE__URL", &house.logins.server_url);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let process = command.spawn().map_err(BenchError::io("scriphouse settle"))?;
        let pid = process.id().unwrap_or_default();
        let watching = tokio::spawn(watch_peak(pid));
        let output = process.wait_with_output().await.map_err(BenchError::io("scriphouse settle"))?;
        let took = started.elapsed().as_secs_f64();
        let peak = watching.await.ok().flatten();
        let settled = read_json(&output)?;
        self.report.figure("settlement.whole_seconds", took, Unit::Seconds);
        if let Some(peak) = peak {
            self.report.figure("settlement.memory_peak_mib", peak, Unit::Mebibytes);
        }
        Ok(settled)
    }

    async fn measure_statement(&mut self, house: &House, admin: &Client, window: Uuid) -> Result<(), BenchError> {
        let first = house.vendors.first().copied().unwrap_or_default();
        let server = self.start_server(house).await?;
        let mut connection = Connection::open(server.address).await?;
        let path = format!("/v1/schemes/{SCHEME}/runs");
        let runs = connection.call(client::get(&path, &house.operator_key)).await?;
        let run = runs["items"][0]["id"].as_str().ok_or_else(|| BenchError::Unreadable("the run is missing".to_owned()))?;
        let path = format!("/v1/runs/{run}/files/statement-{}.csv", market::vendor_code(0));

        let before = server.memory();
        let forgotten = usage::forget_peak(server.pid);
        let (mut streamed, mut copied, mut bytes, mut lines) = (Vec::new(), Vec::new(), 0, 0);
        for _ in 0..TIMES {
            self.tell("downloading a statement");
            let started = Instant::now();
            bytes = connection.download(client::get(&path, &house.operator_key)).await?;
            streamed.push(started.elapsed().as_secs_f64());
            self.tell("copying the same rows");
            let started = Instant::now();
            lines = store::copy_statement(admin, window, first).await?;
            copied.push(started.elapsed().as_secs_f64());
        }
        let growth = before.zip(server.memory()).filter(|_| forgotten).map(|(before, after)| after.peak - before.now);
        server.stop().await?;

        let ratio = crate::figures::ratio_of_rounds(&streamed, &copied);
        let report = &mut self.report;
        report.figure("statement.lines", real(lines), Unit::Count);
        report.figure("statement.size_mib", real(bytes) / 1024.0 / 1024.0, Unit::Mebibytes);
        report.figure("statement.download_seconds", median(streamed).unwrap_or_default(), Unit::Seconds);
        report.figure("statement.copy_seconds", median(copied).unwrap_or_default(), Unit::Seconds);
        report.bar("downloading a statement / COPY of its rows", ratio, Side::AtMost, 3.0);
        report.bar_of("growth of the server's memory meanwhile", growth, Side::AtMost, 64.0, Unit::Mebibytes);
        Ok(())
    }
}

async fn write_chunk(tx: &Tx<'_>, window: OpenWindow, chunk: &[NewObligation]) -> Result<(), BenchError> {
    lock_scheme_shared(tx, window.scheme).await?;
    let booked_at = read_time(tx).await?;
    Ok(record(tx, scrip::WindowId::new(window.window), Recorder::Import, OperationId::new(new_id()), booked_at, chunk).await?)
}

fn draw(rng: &mut Rng, vendors: &[Uuid]) -> NewObligation {
    let debtor = if rng.u32(..FIRST_SHARE) == 0 { 0 } else { rng.usize(..vendors.len()) };
    let creditor = (debtor + rng.usize(1..vendors.len())) % vendors.len();
    let vendor = |place: usize| VendorId::new(vendors.get(place).copied().unwrap_or_default());
    NewObligation { debtor: vendor(debtor), creditor: vendor(creditor), amount: Micro::new(rng.i64(1..1_000_000_000)) }
}

/// The most memory that a process used, in MiB, looked at until it ends.
async fn watch_peak(pid: u32) -> Option<f64> {
    let mut peak = None;
    while let Some(memory) = usage::memory_of(pid) {
        peak = Some(memory.peak);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    peak
}

fn read_json(output: &Output) -> Result<Value, BenchError> {
    let failed = || {
        let said = String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("nothing").to_owned();
        BenchError::Program { program: "scriphouse settle".to_owned(), said }
    };
    if !output.status.success() {
        return Err(failed());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| BenchError::Unreadable(format!("what settle said is no JSON: {error}")))
}
