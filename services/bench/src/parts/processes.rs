//! Two servers on one database: rows are locked, so both may post at once. On two processors that gains nothing; it must cost little.

use super::Bench;
use super::turns::{HouseTurn, speeds};
use crate::BenchError;
use crate::figures::ratio_of_rounds;
use crate::market::Draw;
use crate::report::Side;

impl Bench<'_> {
    pub(super) async fn measure_processes(&mut self) -> Result<(), BenchError> {
        let house = self.house().await?;
        let (one, other) = (self.start_server(&house).await?, self.start_server(&house).await?);
        let turn = |name: &str, title: &str, bulk, two: bool| HouseTurn {
            name: name.to_owned(),
            title: title.to_owned(),
            bulk,
            draw: Draw::Uniform,
            house: &house,
            servers: if two { vec![&one, &other] } else { vec![&one] },
        };
        let turns = [
            turn("one-server.singles", "single converts, one server", false, false),
            turn("two-servers.singles", "single converts, two servers", false, true),
            turn("one-server.bulk", "bulk converts, one server", true, false),
            turn("two-servers.bulk", "bulk converts, two servers", true, true),
        ];
        let rounds = self.take_rounds(&turns).await?;
        for (kind, what) in [("singles", "single converts"), ("bulk", "bulk converts")] {
            let ratio = ratio_of_rounds(&speeds(&rounds, &format!("two-servers.{kind}")), &speeds(&rounds, &format!("one-server.{kind}")));
            self.report.bar(format!("two servers / one, {what}"), ratio, Side::AtLeast, 0.9);
        }
        one.stop().await?;
        other.stop().await
    }
}
