//! Any bytes give the entries of a confirmation or an error; what is read can be stored.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runs::confirmations::{ENTRIES_MAX, REFERENCE_CHARS_MAX, read};

/// Where the reader of each message begins, so that little has to be found by chance.
const FRAMES: [&str; 5] = [
    "",
    "reference,amount,currency,result,reason,bank_reference,booked_on\n",
    "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt><OrgnlPmtInfAndSts><TxInfAndSts>",
    "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Ntry>",
    "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.08\"><BkToCstmrDbtCdtNtfctn><Ntfctn><Ntry>",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let frame = FRAMES[usize::from(*first) % FRAMES.len()];
    let Ok(confirmation) = read(&[frame.as_bytes(), rest].concat()) else { return };
    assert!(confirmation.entries.len() <= ENTRIES_MAX);
    for entry in confirmation.entries {
        assert!(entry.line >= 1);
        for text in [entry.reference, entry.bank_reference].into_iter().flatten() {
            assert!((1..=REFERENCE_CHARS_MAX).contains(&text.chars().count()) && !text.contains(char::is_control));
        }
    }
});
