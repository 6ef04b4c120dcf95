//! Any bytes are a bundle that proves, one that does not, or none; a verifier that is told lies says so and ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runs::bundles::verify;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(verified) = verify(bytes) {
        assert!(!verified.proofs.is_empty());
    }
});
