//! Any bytes give what parties have or an error, line by line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runs::funds_csv::FundsCsv;

fuzz_target!(|bytes: &[u8]| {
    for frame in ["", "party,balance,floor\n"] {
        let text = [frame.as_bytes(), bytes].concat();
        let Ok(mut csv) = FundsCsv::open(text.as_slice()) else { continue };
        while let Ok(Some(row)) = csv.next_row() {
            assert!(!row.party.is_empty() && !row.party.contains(char::is_control));
        }
    }
});
