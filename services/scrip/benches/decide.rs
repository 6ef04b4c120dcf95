//! How long it takes to decide a batch of swaps, without any database: 4,000 converts of uniformly random users between 200 vendors.
#![expect(clippy::arithmetic_side_effects, reason = "small numbers that name users and vendors")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use scrip::posting::{self, Account, AccountKey, Book, Exposures, Posting, SwapOrder, Switches, Terms, VendorTerms};
use scrip::swap::Side;
use scrip::{OperationId, SchemeId, Tokens, UnitValue, UserId, VendorId, WindowId};
use std::collections::BTreeMap;
use uuid::Uuid;

const SWAPS: u64 = 4_000;
const VENDORS: u64 = 200;
const USERS: u64 = 20_000;

fn vendor(number: u64) -> VendorId {
    VendorId::new(Uuid::from_u128(u128::from(1_000_000 + number % VENDORS)))
}

fn user(number: u64) -> UserId {
    // A large odd factor scatters the users as chance would.
    UserId::new(Uuid::from_u128(u128::from(number * 7_919 % USERS)))
}

fn terms() -> Terms {
    let (scheme, window) = (SchemeId::new(Uuid::from_u128(1)), WindowId::new(Uuid::from_u128(2)));
    let switches = Switches { issue: true, convert_out: true, convert_in: true };
    let of = |number: u64| {
        let unit_value = UnitValue::try_new([5_000, 10_000, 20_000, 40_000][usize::try_from(number % 4).unwrap_or_default()]);
        (vendor(number), VendorTerms { active: true, switches, unit_value, scheme: Some(scheme) })
    };
    Terms {
        booked_at: Timestamp::UNIX_EPOCH,
        now: Timestamp::UNIX_EPOCH,
        vendors: (0..VENDORS).map(of).collect(),
        rates: BTreeMap::new(),
        caps: BTreeMap::new(),
        windows: [(scheme, window)].into(),
        window_totals: BTreeMap::new(),
    }
}

fn orders() -> Vec<SwapOrder> {
    let order = |number: u64| SwapOrder {
        operation: OperationId::new(Uuid::from_u128(u128::from(number))),
        payer: user(number),
        payee: user(number),
        from: vendor(number),
        to: vendor(number + 1 + number % 7),
        side: Side::Send(Tokens::new(400)),
        min_receive: None,
        max_send: None,
    };
    (0..SWAPS).map(order).collect()
}

fn book(orders: &[SwapOrder]) -> Book {
    let full = Account { balance: Tokens::new(1_000_000_000), held: Tokens::ZERO, entry_count: 1 };
    let accounts = orders.iter().flat_map(|o| [AccountKey::new(o.payer, o.from), AccountKey::new(o.payee, o.to)]);
    Book::new(accounts.map(|key| (key, full)), [])
}

fn decide(criterion: &mut Criterion) {
    let (orders, terms) = (orders(), terms());
    let postings: Vec<Posting> = orders.iter().copied().map(Posting::Swap).collect();
    let refused = posting::decide(&postings, &mut book(&orders), &mut Exposures::default(), &terms)
        .outcomes
        .iter()
        .filter(|outcome| outcome.is_err())
        .count();
    assert_eq!(refused, 0, "the bench is about swaps that are made");

    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(SWAPS));
    group.bench_function("4,000 converts", |bencher| {
        bencher.iter_batched_ref(
            || book(&orders),
            |book| posting::decide(&postings, book, &mut Exposures::default(), &terms),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, decide);
criterion_main!(benches);
