//! The parts of the bench, one file each; here is what they share: the cluster, the houses that were filled, the report.

mod growth;
mod offline;
mod overload;
mod processes;
mod settlement;
mod turns;

use crate::market::{self, Market};
use crate::plan::{Part, Plan};
use crate::report::Report;
use crate::seed::{self, House};
use crate::server::Server;
use crate::usage::{self, Watched};
use crate::{BenchError, Logins, Machine, Place, Tell, Unit, store};
use std::process::Stdio;
use std::time::Instant;
use tokio::process::Command;
use tokio_postgres::Client;

/// The database that the cluster comes with: migrated and empty; every other house is made from it.
const EMPTY: &str = "scriphouse";
/// The database of the house that most parts work on.
const HOUSE: &str = "house";
/// What must be on.
const DURABLE: [&str; 3] = ["fsync", "synchronous_commit", "full_page_writes"];

/// A bench under way.
pub(crate) struct Bench<'a> {
    plan: &'a Plan,
    place: &'a Place,
    tell: Tell<'a>,
    cluster: Client,
    postmaster: Option<u32>,
    report: Report,
    /// The one that most parts work on, when it has been filled.
    house: Option<House>,
    /// Those whose books must prove in the end.
    houses: Vec<House>,
}

impl<'a> Bench<'a> {
    /// Connects, and refuses to measure a database that could lose what it has acknowledged.
    pub(crate) async fn open(plan: &'a Plan, place: &'a Place, tell: Tell<'a>) -> Result<Self, BenchError> {
        let cluster = store::connect(&(place.logins_of)("postgres").admin_url).await?;
        let settings = store::list_settings(&cluster).await?;
        for (setting, value) in &settings {
            if DURABLE.contains(&setting.as_str()) && value != "on" {
                return Err(BenchError::Unsafe { setting: setting.clone(), value: value.clone() });
            }
        }
        let postmaster = store::backend(&cluster).await?.and_then(usage::parent_of);
        let report = Report::new(Machine::inspect(settings.into_iter().collect()), how(plan));
        Ok(Self { plan, place, tell, cluster, postmaster, report, house: None, houses: Vec::new() })
    }

    /// Every part in its turn, and the proof of the books. A part that fails has no figures, and costs the others none of theirs.
    pub(crate) async fn measure(mut self) -> Report {
        if Part::IN_TURNS.iter().any(|part| self.plan.has(*part)) {
            let measured = self.measure_turns().await;
            self.note("the loads in turns", measured);
        }
        for part in Part::ALL.into_iter().filter(|part| self.plan.has(*part)) {
            let measured = match part {
                Part::Processes => self.measure_processes().await,
                Part::Growth => self.measure_growth().await,
                Part::Settlement => self.measure_settlement().await,
                Part::Netting => self.measure_netting().await,
                Part::Overload => self.measure_overload().await,
                Part::Tpcb | Part::Naive | Part::Singles | Part::Bulk | Part::HotPair | Part::HotAccount => Ok(()),
            };
            self.note(part.name(), measured);
        }
        let proven = self.verify().await;
        self.note("the proof of the books", proven);
        self.report
    }

    fn note(&mut self, what: &str, measured: Result<(), BenchError>) {
        if let Err(error) = measured {
            self.tell(format!("{what} failed: {error}"));
            self.report.fail(format!("{what}: {error}"));
        }
    }

    /// The house that most parts work on.
    async fn house(&mut self) -> Result<House, BenchError> {
        match &self.house {
            Some(house) => Ok(house.clone()),
            None => {
                let house = self.fill_house(HOUSE, self.plan.users).await?;
                Ok(self.house.insert(house).clone())
            }
        }
    }

    /// A new house with this many users, in a database of this name.
    async fn fill_house(&mut self, name: &str, users: u32) -> Result<House, BenchError> {
        let logins = self.create_database(name, EMPTY).await?;
        let house = seed::fill(self.place, logins, Market { users }, self.tell).await?;
        self.houses.push(house.clone());
        Ok(house)
    }

    async fn create_database(&self, name: &str, template: &str) -> Result<Logins, BenchError> {
        store::create_database(&self.cluster, name, template).await?;
        Ok((self.place.logins_of)(name))
    }

    async fn start_server(&self, house: &House) -> Result<Server, BenchError> {
        Server::start(self.place, &house.logins.server_url, &[]).await
    }

    fn watched(&self, servers: &[&Server]) -> Watched {
        Watched { servers: servers.iter().map(|server| server.pid).collect(), postmaster: self.postmaster }
    }

    fn tell(&self, what: impl AsRef<str>) {
        (self.tell)(what.as_ref());
    }

    /// `scriphouse verify` on every house: a figure of books that do not prove is none.
    async fn verify(&mut self) -> Result<(), BenchError> {
        let started = Instant::now();
        for house in &self.houses {
            self.tell("proving the books");
            let mut command = Command::new(&self.place.program);
            command.arg("verify").env("SCRIPHOUSE__DATABASE__URL", &house.logins.server_url).stdin(Stdio::null()).kill_on_drop(true);
            let output = command.output().await.map_err(BenchError::io("scriphouse verify"))?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).replace('\n', "; ");
                return Err(BenchError::Program { program: "scriphouse verify".to_owned(), said });
            }
        }
        if !self.houses.is_empty() {
            self.report.figure("verify.seconds", started.elapsed().as_secs_f64(), Unit::Seconds);
        }
        Ok(())
    }
}

fn how(plan: &Plan) -> String {
    let Plan { rounds, take, warm, users, .. } = plan;
    let (accounts, vendors) = (users * market::ACCOUNTS, market::VENDORS);
    format!(
        "{accounts} accounts of {vendors} vendors; loads take turns of {take:?}, after {:?} that do not count; median of {rounds} rounds.",
        *warm / 2
    )
}
