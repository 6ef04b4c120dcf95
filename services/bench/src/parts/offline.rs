//! Netting without a database: the time from obligations in memory to transfers, for every strategy.

use super::Bench;
use crate::BenchError;
use crate::figures::{Unit, median};
use crate::number::count;
use fastrand::Rng;
use netting::{Netting, Network, NetworkBuilder, Strategy, Terms};
use scrip::{Micro, Scale};
use std::path::Path;
use std::time::Instant;

/// How often each is computed.
const TIMES: u32 = 3;
/// Obligations for each party of a generated network.
const OBLIGATIONS_PER_PARTY: u32 = 100;

impl Bench<'_> {
    pub(super) async fn measure_netting(&mut self) -> Result<(), BenchError> {
        let cents = Scale::try_new(2).expect("two decimals");
        let mut networks = Vec::new();
        if let Some(path) = &self.place.sarafu {
            networks.push(("sarafu".to_owned(), read(path)?));
        }
        networks.extend(self.plan.networks.iter().map(|size| (size.to_string(), generate(*size))));
        for (name, obligations) in networks {
            self.tell(format!("netting {name}"));
            let (network, took) = timed(|| build(&obligations))?;
            self.report.figure(format!("netting.{name}.obligations"), count(obligations.len()), Unit::Count);
            self.report.figure(format!("netting.{name}.read_ms"), took, Unit::Millis);
            for strategy in Strategy::ALL {
                let terms = Terms { strategy, digits: cents, min_transfer: Micro::ZERO };
                let (_, took) = timed(|| Netting::compute(&network, terms).map_err(unnetted))?;
                self.report.figure(format!("netting.{name}.{strategy}_ms"), took, Unit::Millis);
            }
        }
        Ok(())
    }
}

type Obligation = (String, String, Micro);

/// The median of some times, in milliseconds.
fn timed<T>(compute: impl Fn() -> Result<T, BenchError>) -> Result<(T, f64), BenchError> {
    let mut took = Vec::new();
    loop {
        let started = Instant::now();
        let computed = compute()?;
        took.push(started.elapsed().as_secs_f64() * 1000.0);
        if took.len() >= usize::try_from(TIMES).unwrap_or(1) {
            return Ok((computed, median(took).unwrap_or_default()));
        }
    }
}

fn build(obligations: &[Obligation]) -> Result<Network, BenchError> {
    let mut builder = NetworkBuilder::default();
    for (debtor, creditor, amount) in obligations {
        builder.add(debtor, creditor, *amount).map_err(unnetted)?;
    }
    Ok(builder.build())
}

fn unnetted(error: impl std::fmt::Display) -> BenchError {
    BenchError::Unreadable(format!("a network could not be netted: {error}"))
}

/// As payment networks are: a few parties have most of the obligations.
fn generate(size: u32) -> Vec<Obligation> {
    let (mut rng, parties) = (Rng::with_seed(7), (size / OBLIGATIONS_PER_PARTY).max(3));
    // The smaller of two draws falls towards the first parties.
    let mut party = move || (rng.u32(..parties).min(rng.u32(..parties)), rng.i64(1..1_000_000_000));
    (0..size)
        .map(|_| {
            let (debtor, amount) = party();
            let (other, _) = party();
            let creditor = if other == debtor { (other + 1) % parties } else { other };
            (format!("P{debtor}"), format!("P{creditor}"), Micro::new(amount))
        })
        .collect()
}

/// A file of debtor, creditor and amount, without quotation marks.
fn read(path: &Path) -> Result<Vec<Obligation>, BenchError> {
    let text = std::fs::read_to_string(path).map_err(BenchError::io(path.display().to_string()))?;
    let line = |line: &str| {
        let mut cells = line.trim_end().split(',');
        let (debtor, creditor, amount) = (cells.next()?, cells.next()?, cells.next()?);
        Some((debtor.to_owned(), creditor.to_owned(), Micro::parse(amount).ok()?))
    };
    let rows: Option<Vec<Obligation>> = text.lines().skip(1).map(line).collect();
    rows.ok_or_else(|| BenchError::Unreadable(format!("{} is no file of obligations", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_network_is_the_same_every_time_and_can_be_netted() {
        let obligations = generate(1_000);
        assert_eq!((obligations.len(), &obligations), (1_000, &generate(1_000)));
        let network = build(&obligations).unwrap();
        assert_eq!(network.parties().len(), 10);
    }
}
