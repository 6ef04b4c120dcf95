//! The same loads on a small house, a middle one and a large one, and on the large one again when it has stored millions of swaps.

use super::Bench;
use super::turns::{HouseTurn, speeds};
use crate::figures::{Unit, ratio_of_rounds};
use crate::market::{ACCOUNTS, Draw};
use crate::number::real;
use crate::report::Side;
use crate::seed::House;
use crate::server::Server;
use crate::{BenchError, store};
use std::time::{Duration, Instant};

/// How long the house is filled with swaps before it is looked how many there are.
const FILL: Duration = Duration::from_secs(20);

impl Bench<'_> {
    pub(super) async fn measure_growth(&mut self) -> Result<(), BenchError> {
        let [small, middle, large] = self.plan.growth_users;
        let mut grounds = Vec::new();
        for (name, users) in [("small", small), ("middle", middle), ("large", large)] {
            let house = self.fill_house(name, users).await?;
            let server = self.start_server(&house).await?;
            grounds.push((house, server));
        }
        let [small, middle, large] = <[(House, Server); 3]>::try_from(grounds).expect("three houses were filled");
        self.take_rounds(&turns(&[("small", &small), ("middle", &middle), ("large", &large)])).await?;

        self.store_swaps(&large).await?;
        let rounds = self.take_rounds(&turns(&[("small-again", &small), ("full", &large)])).await?;
        for (kind, what) in [("singles", "single converts"), ("bulk", "bulk converts")] {
            let ratio = ratio_of_rounds(&speeds(&rounds, &format!("full.{kind}")), &speeds(&rounds, &format!("small-again.{kind}")));
            self.report.bar(format!("large house full of swaps / small one, {what}"), ratio, Side::AtLeast, 0.8);
        }
        for (_, server) in [small, middle, large] {
            server.stop().await?;
        }
        Ok(())
    }

    /// Bulk swaps until there are as many as the plan says.
    async fn store_swaps(&mut self, (house, server): &(House, Server)) -> Result<(), BenchError> {
        let admin = store::connect(&house.logins.admin_url).await?;
        let started = Instant::now();
        let (before, mut stored) = (store::count_swaps(&admin).await?, 0);
        while stored < self.plan.growth_swaps {
            self.tell(format!("storing swaps: {stored} of {}", self.plan.growth_swaps));
            let mut load = self.load(true, Draw::Uniform, FILL.min(self.plan.take * 2), &[server]);
            load.warm = Duration::ZERO;
            load.offer(house).await?;
            stored = store::count_swaps(&admin).await?.saturating_sub(before);
        }
        self.report.figure("growth.stored_swaps", real(stored), Unit::Count);
        self.report.figure("growth.storing_per_second", real(stored) / started.elapsed().as_secs_f64(), Unit::PerSecond);
        Ok(())
    }
}

fn turns<'a>(grounds: &[(&'static str, &'a (House, Server))]) -> Vec<HouseTurn<'a>> {
    let kinds = [("singles", "single converts", false), ("bulk", "bulk converts", true)];
    let of_kind = |(kind, what, bulk): (&str, &str, bool)| {
        let turn = |(name, (house, server)): &(&'static str, &'a (House, Server))| HouseTurn {
            name: format!("{name}.{kind}"),
            title: title(name, what, house),
            bulk,
            draw: Draw::Uniform,
            house,
            servers: vec![server],
        };
        grounds.iter().map(turn).collect::<Vec<_>>()
    };
    kinds.into_iter().flat_map(of_kind).collect()
}

fn title(name: &str, what: &str, house: &House) -> String {
    let accounts = house.market.users * ACCOUNTS;
    match name {
        "full" => format!("{what}, {accounts} accounts, swaps stored"),
        "small-again" => format!("{what}, {accounts} accounts, again"),
        _ => format!("{what}, {accounts} accounts"),
    }
}
