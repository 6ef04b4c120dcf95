//! Loads that take turns on one server: whatever disturbs the machine in a round disturbs all of them.

use super::{Bench, HOUSE};
use crate::figures::{Taken, Unit, ratio_of_rounds};
use crate::load::{Expect, Kind, Load};
use crate::market::Draw;
use crate::pgbench::{self, Script};
use crate::plan::Part;
use crate::report::Side;
use crate::seed::House;
use crate::server::Server;
use crate::store::NAIVE_SCRIPT;
use crate::{BenchError, Logins};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// One kind of load.
#[derive(Debug, Clone, Copy)]
struct Turn {
    part: Part,
    name: &'static str,
    title: &'static str,
    /// None: a yardstick.
    bulk: Option<bool>,
}

const TURNS: [Turn; 8] = [
    Turn { part: Part::Tpcb, name: "tpcb", title: "TPC-B of pgbench", bulk: None },
    Turn { part: Part::Naive, name: "naive", title: "one swap per tx, by pgbench", bulk: None },
    Turn { part: Part::Singles, name: "singles", title: "single converts over HTTP", bulk: Some(false) },
    Turn { part: Part::Bulk, name: "bulk", title: "bulk converts over HTTP", bulk: Some(true) },
    Turn { part: Part::HotPair, name: "hot-pair.singles", title: "single converts, all of one pair", bulk: Some(false) },
    Turn { part: Part::HotPair, name: "hot-pair.bulk", title: "bulk converts, all of one pair", bulk: Some(true) },
    Turn { part: Part::HotAccount, name: "hot-account.singles", title: "single converts, a fifth by one user", bulk: Some(false) },
    Turn { part: Part::HotAccount, name: "hot-account.bulk", title: "bulk converts, a fifth by one user", bulk: Some(true) },
];

/// The databases that the turns work on.
struct Grounds {
    house: Option<(House, Server)>,
    naive: Option<(Logins, PathBuf)>,
    tpcb: Option<Logins>,
}

/// The turns of every load, by its name.
pub(super) type Rounds = BTreeMap<String, Vec<Taken>>;

/// A load on a house, offered to one server or to several.
#[derive(Debug)]
pub(super) struct HouseTurn<'a> {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) bulk: bool,
    pub(super) draw: Draw,
    pub(super) house: &'a House,
    pub(super) servers: Vec<&'a Server>,
}

/// How fast one load was, round by round.
pub(super) fn speeds(rounds: &Rounds, name: &str) -> Vec<f64> {
    rounds.get(name).into_iter().flatten().map(|taken| taken.per_second).collect()
}

impl Bench<'_> {
    pub(super) async fn measure_turns(&mut self) -> Result<(), BenchError> {
        let grounds = self.prepare_grounds().await?;
        let turns: Vec<Turn> = TURNS.into_iter().filter(|turn| self.plan.has(turn.part)).collect();
        let mut rounds = Rounds::new();
        for round in 0..=self.plan.rounds {
            let (time, label) = self.round(round);
            for turn in &turns {
                self.tell(format!("{label}: {}", turn.title));
                let taken = self.take_turn(turn, &grounds, time).await?;
                if round > 0 {
                    rounds.entry(turn.name.to_owned()).or_default().push(taken);
                }
            }
        }
        for turn in &turns {
            self.report.row(turn.name, turn.title, rounds.get(turn.name).map_or(&[], Vec::as_slice));
        }
        self.compare(&rounds);
        if let Some((_, server)) = grounds.house {
            if let Some(memory) = server.memory() {
                self.report.figure("server.memory_peak_mib", memory.peak, Unit::Mebibytes);
            }
            server.stop().await?;
        }
        Ok(())
    }

    async fn prepare_grounds(&mut self) -> Result<Grounds, BenchError> {
        let mut grounds = Grounds { house: None, naive: None, tpcb: None };
        if self.plan.has(Part::Tpcb) {
            self.tell("filling the tables of TPC-B");
            let logins = self.create_database("tpcb", "template0").await?;
            pgbench::fill_tpcb(self.place, &logins, self.plan.tpcb_scale).await?;
            grounds.tpcb = Some(logins);
        }
        let on_house = TURNS.iter().any(|turn| turn.part != Part::Tpcb && self.plan.has(turn.part));
        if !on_house {
            return Ok(grounds);
        }
        let house = self.house().await?;
        if self.plan.has(Part::Naive) {
            // A copy of the house: what the script writes has no seals, so those books would not prove.
            let script = self.place.dir.join("naive.sql");
            std::fs::write(&script, NAIVE_SCRIPT).map_err(BenchError::io("the script for pgbench"))?;
            grounds.naive = Some((self.create_database("naive", HOUSE).await?, script));
        }
        let server = self.start_server(&house).await?;
        grounds.house = Some((house, server));
        Ok(grounds)
    }

    async fn take_turn(&self, turn: &Turn, grounds: &Grounds, time: Duration) -> Result<Taken, BenchError> {
        let plan = self.plan;
        match (turn.part, &grounds.tpcb, &grounds.naive, &grounds.house) {
            (Part::Tpcb, Some(logins), ..) => pgbench::run(self.place, logins, plan, Script::Tpcb, time, &self.watched(&[])).await,
            (Part::Naive, _, Some((logins, script)), _) => {
                pgbench::run(self.place, logins, plan, Script::File(script, plan.users), time, &self.watched(&[])).await
            }
            (_, _, _, Some((house, server))) => {
                let load = self.load(turn.bulk == Some(true), Draw::of(turn.part), time, &[server]);
                Ok(load.offer(house).await?.taken)
            }
            _ => unreachable!("grounds were prepared for every turn"),
        }
    }

    /// Rounds of loads on houses, reported.
    pub(super) async fn take_rounds(&mut self, turns: &[HouseTurn<'_>]) -> Result<Rounds, BenchError> {
        let mut rounds = Rounds::new();
        for round in 0..=self.plan.rounds {
            let (time, label) = self.round(round);
            for turn in turns {
                self.tell(format!("{label}: {}", turn.title));
                let taken = self.load(turn.bulk, turn.draw, time, &turn.servers).offer(turn.house).await?.taken;
                if round > 0 {
                    rounds.entry(turn.name.clone()).or_default().push(taken);
                }
            }
        }
        for turn in turns {
            self.report.row(&turn.name, &turn.title, rounds.get(&turn.name).map_or(&[], Vec::as_slice));
        }
        Ok(rounds)
    }

    /// How long a turn of this round is, and what it is called. The first only warms up: caches, connections, prepared statements.
    fn round(&self, round: u32) -> (Duration, String) {
        if round == 0 {
            (self.plan.warm, "warming up".to_owned())
        } else {
            (self.plan.take, format!("round {round} of {}", self.plan.rounds))
        }
    }

    /// The plan's load of one kind on these servers.
    pub(super) fn load(&self, bulk: bool, draw: Draw, take: Duration, servers: &[&Server]) -> Load {
        let plan = self.plan;
        let (kind, connections) =
            if bulk { (Kind::Bulk { lines: plan.bulk_lines }, plan.bulk_connections) } else { (Kind::Singles, plan.connections) };
        Load {
            kind,
            connections,
            draw,
            expect: Expect::Made,
            warm: plan.warm / 2,
            take,
            pace: None,
            watched: self.watched(servers),
            addresses: servers.iter().map(|server| server.address).collect(),
        }
    }

    fn compare(&mut self, rounds: &Rounds) {
        let ratio = |above: &str, below: &str| ratio_of_rounds(&speeds(rounds, above), &speeds(rounds, below));
        let p99: Vec<f64> = rounds.get("singles").into_iter().flatten().filter_map(|taken| taken.p99_ms).collect();
        let mean: Vec<f64> = rounds.get("tpcb").into_iter().flatten().map(|taken| taken.mean_ms).collect();
        let report = &mut self.report;
        report.bar("single converts over HTTP / TPC-B", ratio("singles", "tpcb"), Side::AtLeast, 2.0);
        report.bar("bulk converts / TPC-B", ratio("bulk", "tpcb"), Side::AtLeast, 6.0);
        report.bar("bulk converts / one swap per tx", ratio("bulk", "naive"), Side::AtLeast, 10.0);
        report.bar("p99 of single converts / mean latency of TPC-B", ratio_of_rounds(&p99, &mean), Side::AtMost, 2.0);
        for part in ["hot-pair", "hot-account"] {
            for kind in ["singles", "bulk"] {
                report.bar(format!("{part}, {kind} / uniform"), ratio(&format!("{part}.{kind}"), kind), Side::AtLeast, 0.5);
            }
        }
    }
}
