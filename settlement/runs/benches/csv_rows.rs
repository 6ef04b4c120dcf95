//! How long it takes to write the lines of a statement as CSV, and to read a file of obligations back.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use runs::csv_text::push_row;
use runs::obligations_csv::ObligationsCsv;

const ROWS: u32 = 10_000;

fn write(criterion: &mut Criterion) {
    let ids: Vec<String> = (0..ROWS).map(|number| format!("0199c0de-0000-7000-8000-{number:012x}")).collect();
    let row = |id: &str, text: &mut Vec<u8>| {
        push_row(text, ["obligation", "AIRMILES", id, "swap", id, "2026-11-23T20:00:00.123456Z", "12.345678", "0.000000", "EUR"]);
    };
    let mut whole = Vec::new();
    ids.iter().for_each(|id| row(id, &mut whole));

    let mut group = criterion.benchmark_group("csv");
    group.throughput(Throughput::Bytes(u64::try_from(whole.len()).unwrap_or_default()));
    group.bench_function("write 10,000 lines of a statement", |bencher| {
        bencher.iter(|| {
            let mut text = Vec::with_capacity(whole.len());
            ids.iter().for_each(|id| row(id, &mut text));
            text
        });
    });
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let rows: Vec<String> = (0..ROWS).map(|number| format!("P{},Q{},{number}.25\n", number % 97, number % 89)).collect();
    let file = format!("debtor,creditor,amount\n{}", rows.concat());

    let mut group = criterion.benchmark_group("csv");
    group.throughput(Throughput::Bytes(u64::try_from(file.len()).unwrap_or_default()));
    group.bench_function("read 10,000 obligations", |bencher| {
        bencher.iter(|| {
            let mut csv = ObligationsCsv::open(file.as_bytes()).expect("a sound file");
            while csv.next_row().expect("a sound row").is_some() {}
            assert_eq!(csv.rows(), u64::from(ROWS));
        });
    });
    group.finish();
}

criterion_group!(benches, write, read);
criterion_main!(benches);
