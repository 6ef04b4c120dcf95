//! How long each strategy takes for networks of 1,000 to 100,000 obligations, from the sorted network to transfers and hashes.
#![expect(clippy::arithmetic_side_effects, reason = "small numbers that name parties")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use netting::{Netting, Network, Strategy, Terms};
use scrip::{Micro, Scale};

/// Obligations for each party.
const PER_PARTY: u64 = 100;

/// The same every time: large odd factors scatter debtors, creditors and amounts as chance would.
fn network(obligations: u64) -> Network {
    let parties = (obligations / PER_PARTY).max(3);
    let rows: Vec<(String, String, Micro)> = (0..obligations)
        .map(|number| {
            let debtor = number * 7_919 % parties;
            let creditor = (debtor + 1 + number * 104_729 % (parties - 1)) % parties;
            let amount = i64::try_from(1 + number * 15_485_863 % 1_000_000_000).unwrap_or(1);
            (format!("P{debtor}"), format!("P{creditor}"), Micro::new(amount))
        })
        .collect();
    Network::build(rows.iter().map(|(debtor, creditor, amount)| (debtor.as_str(), creditor.as_str(), *amount))).expect("a sound network")
}

fn strategies(criterion: &mut Criterion) {
    let cents = Scale::try_new(2).expect("two decimals");
    let mut group = criterion.benchmark_group("netting");
    for size in [1_000, 10_000, 100_000] {
        let network = network(size);
        group.throughput(Throughput::Elements(size));
        for strategy in Strategy::ALL {
            let terms = Terms { strategy, digits: cents, min_transfer: Micro::ZERO };
            group.bench_with_input(BenchmarkId::new(strategy.name(), size), &network, |bencher, network| {
                bencher.iter(|| Netting::compute(network, terms).expect("it nets"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, strategies);
criterion_main!(benches);
