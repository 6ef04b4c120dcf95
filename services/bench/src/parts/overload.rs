//! Far more than can be served: thousands of connections that together offer five times what is possible, and never mind a refusal.
//!
//! The server answers what it can, says 503 with Retry-After to the rest, keeps its memory within a bound, and is itself again soon after.

use super::Bench;
use crate::figures::Unit;
use crate::load::{Expect, Load, Offered, UNANSWERED};
use crate::market::Draw;
use crate::report::Side;
use crate::seed::House;
use crate::server::Server;
use crate::{BenchError, store};
use std::time::{Duration, Instant};

/// What is offered, in units of what is possible.
const OFFERED: f64 = 5.0;
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
        // What the parts before have left to tidy up would pass for what is normal.
        store::settle_down(&store::connect(&house.logins.admin_url).await?).await?;
        self.tell("overload: what is normal");
        let normal = self.load(false, Draw::Uniform, self.plan.take, &[&server]).offer(&house).await?.taken.per_second;

        self.tell("overload");
        let offered = self.flood(normal, &server).offer(&house).await?;
        let ended = Instant::now();
        let recovered = self.await_normal(&house, &server, normal, ended).await?;
        self.tell("overload: afterwards");
        let afterwards = self.load(false, Draw::Uniform, self.plan.take, &[&server]).offer(&house).await?.taken.per_second;
        self.report_overload(&offered);
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

    fn flood(&self, normal: f64, server: &Server) -> Load {
        let connections = self.plan.overload_connections;
        let pace = Duration::from_secs_f64(f64::from(connections) / (normal * OFFERED).max(1.0));
        let load = self.load(false, Draw::Uniform, self.plan.overload, &[server]);
        Load { connections, expect: Expect::Anything, warm: Duration::ZERO, pace: Some(pace), ..load }
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

    fn report_overload(&mut self, offered: &Offered) {
        let seconds = self.plan.overload.as_secs_f64();
        let report = &mut self.report;
        for (status, count) in &offered.statuses {
            let name = if *status == UNANSWERED { "broken".to_owned() } else { status.to_string() };
            report.figure(format!("overload.{name}_per_second"), count / seconds, Unit::PerSecond);
        }
        for (name, millis) in [("p50_ms", offered.taken.p50_ms), ("p99_ms", offered.taken.p99_ms)] {
            report.figure(format!("overload.{name}"), millis.unwrap_or_default(), Unit::Millis);
        }
        let others = offered.statuses.iter().filter(|(status, _)| !matches!(**status, 201 | 503)).fold(0.0, |sum, (_, count)| sum + count);
        report.bar_of("answers under overload that were neither 201 nor 503", Some(others), Side::AtMost, 0.0, Unit::Count);
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
