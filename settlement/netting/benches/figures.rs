//! How long it takes to explain a netting, to resolve a queue, and to see what a failure comes to, for 10,000 and 100,000 obligations.
#![expect(clippy::arithmetic_side_effects, reason = "small numbers that name parties")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use netting::{
    Netting, Network, Strategy, Terms,
    clearing::{Defaulter, Rule, what_if_default},
    explain::{Explanation, Obligation},
    gridlock::{Queued, resolve},
};
use scrip::{Micro, Scale};

/// Obligations for each party.
const PER_PARTY: u64 = 100;

/// The same every time: large odd factors scatter debtors, creditors and amounts as chance would.
fn rows(obligations: u64) -> Vec<(String, String, Micro)> {
    let parties = (obligations / PER_PARTY).max(3);
    let row = |number: u64| {
        let debtor = number * 7_919 % parties;
        let creditor = (debtor + 1 + number * 104_729 % (parties - 1)) % parties;
        let amount = i64::try_from(1 + number * 15_485_863 % 1_000_000_000).unwrap_or(1);
        (format!("P{debtor}"), format!("P{creditor}"), Micro::new(amount))
    };
    (0..obligations).map(row).collect()
}

fn figures(criterion: &mut Criterion) {
    let cents = Scale::try_new(2).expect("two decimals");
    let mut group = criterion.benchmark_group("figures");
    group.sample_size(10);
    for size in [10_000, 100_000] {
        let rows = rows(size);
        let network = Network::build(rows.iter().map(|(debtor, creditor, amount)| (debtor.as_str(), creditor.as_str(), *amount)));
        let network = network.expect("a sound network");
        let netting =
            Netting::compute(&network, Terms { strategy: Strategy::Direct, digits: cents, min_transfer: Micro::ZERO }).expect("it nets");
        let obligations =
            (0..).zip(&rows).map(|(reference, (debtor, creditor, amount))| Obligation { reference, debtor, creditor, amount: *amount });
        let queue = rows.iter().map(|(debtor, creditor, amount)| Queued { debtor, creditor, amount: *amount });
        let failing =
            network.parties().iter().take(8).map(|p| Defaulter { party: p.as_str(), collateral: Micro::ZERO }).collect::<Vec<_>>();

        group.throughput(Throughput::Elements(size));
        group.bench_function(BenchmarkId::new("shares", size), |bencher| {
            bencher.iter(|| Explanation::try_new(obligations.clone(), &netting).expect("it explains").shares());
        });
        group.bench_function(BenchmarkId::new("gridlock", size), |bencher| {
            bencher.iter(|| resolve([], queue.clone()).expect("a sound queue"));
        });
        for rule in Rule::ALL {
            group.bench_function(BenchmarkId::new(rule.name(), size), |bencher| {
                bencher.iter(|| what_if_default(&network, &netting.transfers, &failing, rule, cents).expect("it is answered"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, figures);
criterion_main!(benches);
