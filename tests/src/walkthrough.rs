//! The README's walkthrough, as it is printed.

use crate::support::audit;
use std::path::Path;
use std::process::{Command, Stdio};

/// The shell blocks of the section, in order; the one that says where the house is comes first.
fn blocks() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(readme).expect("the README is there");
    let section = text.split("## Five minutes to a settlement file").nth(1).expect("it has the walkthrough");
    let section = section.split("\n## ").next().expect("the section ends");
    section.split("```sh\n").skip(1).map(|b| b.split("```").next().expect("the block ends").to_owned()).collect()
}

#[test]
fn the_walkthrough_of_the_readme_works_as_printed() {
    audit(async |house| {
        let blocks = blocks();
        let (first, steps) = blocks.split_first().expect("the walkthrough has steps");
        assert_eq!(steps.len(), 9);
        let key = clearinghouse::access::create_operator_key(&house.db, &house.clock, "walkthrough").await.unwrap();
        let colleague = house.second_operator().await;
        // Only the address and the keys are the reader's own.
        let setting: String = first.lines().filter(|line| !line.starts_with("export ")).collect::<Vec<_>>().join("\n");
        let script = format!(
            "set -euo pipefail\nexport HOUSE={} OPERATOR={key} COLLEAGUE={}\n{setting}\n{}",
            house.base,
            colleague.client.bearer(),
            steps.join("\n")
        );
        let running = tokio::task::spawn_blocking(move || {
            // The reader stands in the checkout.
            let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
            Command::new("bash").arg("-c").arg(script).current_dir(checkout).stdin(Stdio::null()).output().expect("bash runs")
        });
        let output = running.await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(!said.contains("urn:scriphouse:problem"), "{said}");
        assert!(said.contains(",MILES,BEANS,50.00,EUR"), "the transfer is in the file: {said}");
        assert!(said.contains(",MILES,BEANS,50.00,EUR,payer") && said.contains("<EndToEndId>SH-"), "what banks are told: {said}");
        assert!(said.contains(r#""state":"exported""#), "{said}");
        assert!(said.contains(r#""receive":"100.00""#), "{said}");
        assert!(said.contains(r#""outcomes":{"confirmed":1}"#) && said.contains(r#""state":"settled""#), "{said}");
        assert!(said.contains("holds   the archive is whole") && !said.contains("BROKEN"), "the bundle is proven: {said}");
    });
}
