//! Far more than can be served: thousands of connections, some of them with bulk requests, none of which waits after a refusal.
//!
//! The server answers what it can, says 503 with Retry-After to the rest, keeps its memory within a bound, and is itself again soon after.

use super::Bench;
use crate::BenchError;
use crate::figures::Unit;
use crate::load::{Expect, Kind, Load, Offered};
use crate::market::Draw;
use crate::number::real;
use crate::report::Side;
use crate::seed::House;
use crate::server::Server;
use std::time::{Duration, Instant};

/// One connection of this many sends bulk requests: what they ask for alone is several times what the queue holds.
const BULK_SHARE: u32 = 50;
/// What the server may take at most, in MiB.
const MEMORY_MAX: f64 = 1024.0;
/// The speed that counts as normal again, as a part of what was before.
const NORMAL: f64 = 0.8;
/// How long it may take, in seconds.
const RECOVERY_MAX: f64 = 10.0;
/// Descriptors besides those of the connections.
const FILES_SPARE: u64 = 200;

impl Bench<'_> {
    pub(super) async fn measure_overload(&mut self) -> Result<(), BenchError> {
        raise_file_limit(self.plan.overload_connections)?;
        let house = self.house().await?;
        let server = self.start_server(&house).await?;
        self.tell("overload: what is normal");
        let normal = self.load(false, Draw::Uniform, self.plan.take, &[&server]).offer(&house).await?.taken.per_second;

        self.tell("overload");
        let bulk_connections = self.plan.overload_connections / BULK_SHARE;
        let singles = self.flood(Kind::Singles, self.plan.overload_connections - bulk_connections, &server);
        let bulk = self.flood(Kind::Bulk { lines: self.plan.bulk_lines }, bulk_connections, &server);
        let (singles, bulk) = tokio::join!(singles.offer(&house), bulk.offer(&house));
        let (singles, bulk) = (singles?, bulk?);

        let ended = Instant::now();
        let recovered = self.await_normal(&house, &server, normal, ended).await?;
        self.tell("overload: afterwards");
        let afterwards = self.load(false, Draw::Uniform, self.plan.take, &[&server]).offer(&house).await?.taken.per_second;
        self.report_overload(&singles, &bulk);
        let memory = server.memory();
        server.stop().await?;

        let report = &mut self.report;
        report.figure("overload.normal_per_second", normal, Unit::PerSecond);
        report.figure("overload.afterwards_per_second", afterwards, Unit::PerSecond);
        report.bar("single converts after the overload / before", Some(afterwards / normal), Side::AtLeast, NORMAL);
        report.bar_of("seconds from the overload's end until it is normal", recovered, Side::AtMost, RECOVERY_MAX, Unit::Seconds);
        report.bar_of("the server's memory at its peak", memory.map(|memory| memory.peak), Side::AtMost, MEMORY_MAX, Unit::Mebibytes);
        Ok(())
    }

    fn flood(&self, kind: Kind, connections: u32, server: &Server) -> Load {
        Load {
            kind,
            connections,
            expect: Expect::Anything,
            warm: Duration::ZERO,
            ..self.load(false, Draw::Uniform, self.plan.overload, &[server])
        }
    }

    /// Seconds until a second's singles are as fast as before; nothing if that never happens.
    async fn await_normal(&self, house: &House, server: &Server, normal: f64, ended: Instant) -> Result<Option<f64>, BenchError> {
        for _ in 0..60 {
            let begun = ended.elapsed().as_secs_f64();
            let mut load = self.load(false, Draw::Uniform, Duration::from_secs(1), &[server]);
            (load.warm, load.expect) = (Duration::ZERO, Expect::Anything);
            if load.offer(house).await?.taken.per_second >= normal * NORMAL {
                return Ok(Some(begun));
            }
        }
        Err(BenchError::Unreadable("the server was not itself again a minute after the overload".to_owned()))
    }

    fn report_overload(&mut self, singles: &Offered, bulk: &Offered) {
        let seconds = self.plan.overload.as_secs_f64();
        let per_second = |offered: &Offered, status: u16| real(offered.answered_with(status)) / seconds;
        let others = |offered: &Offered| real(offered.statuses.iter().filter(|(s, _)| !matches!(**s, 201 | 503)).map(|(_, n)| n).sum());
        let report = &mut self.report;
        for (name, offered) in [("singles", singles), ("bulk", bulk)] {
            report.figure(format!("overload.{name}_made_per_second"), per_second(offered, 201), Unit::PerSecond);
            report.figure(format!("overload.{name}_refused_per_second"), per_second(offered, 503), Unit::PerSecond);
        }
        if let Some(p99) = singles.taken.p99_ms {
            report.figure("overload.singles_p99_ms", p99, Unit::Millis);
        }
        report.bar_of(
            "answers under overload that were neither 201 nor 503",
            Some(others(singles) + others(bulk)),
            Side::AtMost,
            0.0,
            Unit::Count,
        );
    }
}

/// Both ends of every connection are files; the server raises its own limit, and inherits this one.
fn raise_file_limit(connections: u32) -> Result<(), BenchError> {
    let needed = u64::from(connections) + FILES_SPARE;
    let limit = rlimit::increase_nofile_limit(needed).map_err(BenchError::io("the limit of open files"))?;
    let short = || {
        BenchError::Unreadable(format!(
            "{connections} connections need {needed} open files, and the system allows {limit}; raise it with ulimit -n"
        ))
    };
    if limit >= needed { Ok(()) } else { Err(short()) }
}
