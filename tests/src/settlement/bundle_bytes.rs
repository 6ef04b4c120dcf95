//! Bundles of which a byte is another: each is found, and the member that it belongs to is named.

use super::bundles::download;
use super::draws::defaulted_run;
use crate::support::archive::Unpacked;
use crate::support::{Market, audit};
use runs::bundles::{Verified, verify};
use serde_json::json;

#[test]
fn every_byte_of_a_bundle_counts() {
    audit(async |house| {
        let market = Market::open(house, "0.027", "3000").await;
        market.alice.convert("333", &market.miles, &market.beans).await.created();
        let run = house.operator.settle("EURO").await;
        house.operator.step(&run, "propose", json!({})).await.ok();
        let bundle = download(&house.operator, &run).await.bytes;
        // The header, the list, and of what its hash covers every third byte.
        let end = flip(&bundle, |name| if name == "bundle.json" { 1 } else { 3 });
        assert_eq!(end, bundle.len() - 1024);
        (end..bundle.len()).for_each(|at| must_be_found(&bundle, at, "bundle.json"));
    });
}

#[test]
fn every_byte_of_what_a_default_left_counts() {
    audit(async |house| {
        let bundle = download(&house.operator, &defaulted_run(house).await).await.bytes;
        // Of the others, the headers and next to nothing.
        flip(&bundle, |name| if ["default", "draw", "transfer"].iter().any(|table| name.starts_with(table)) { 1 } else { 997 });
    });
}

/// Flips every byte of each header, and so many of each member; answers where the last one ends.
#[track_caller]
fn flip(bundle: &[u8], step: impl Fn(&str) -> usize) -> usize {
    let mut begins = 0;
    for (name, bytes) in &Unpacked::of(bundle).members {
        // The rest of the last block is zeros.
        let (content, ends) = (begins + 512, begins + 512 + bytes.len().next_multiple_of(512));
        (begins..content).for_each(|at| must_be_found(bundle, at, name));
        (content..ends).step_by(step(name)).for_each(|at| must_be_found(bundle, at, name));
        begins = ends;
    }
    begins
}

/// A byte that is another breaks a rule, and the member that it belongs to is named.
#[track_caller]
fn must_be_found(bundle: &[u8], at: usize, name: &str) {
    let mut flipped = bundle.to_vec();
    flipped[at] ^= 1 << (at % 8);
    let said = match verify(flipped.as_slice()) {
        Ok(Verified { proofs, .. }) => proofs.into_iter().flat_map(|proof| proof.violations).collect::<Vec<_>>().join("\n"),
        Err(error) => error.to_string(),
    };
    // A header that cannot be read is named by the member before it.
    assert!(said.contains(name) || said.contains("is no header of a member"), "byte {at}, of {name}: {said:?}");
}
