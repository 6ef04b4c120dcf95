//! Any bytes give obligations or an error, line by line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runs::obligations_csv::ObligationsCsv;

fuzz_target!(|bytes: &[u8]| {
    for frame in ["", "debtor,creditor,amount\n"] {
        let text = [frame.as_bytes(), bytes].concat();
        let Ok(mut csv) = ObligationsCsv::open(text.as_slice()) else { continue };
        let mut line_before = 0;
        while let Ok(Some(row)) = csv.next_row() {
            assert!(row.line > line_before && row.debtor != row.creditor && row.amount.units() >= 1);
            line_before = row.line;
        }
    }
});
