//! The ledger: what the RFCs demand, and the test that shows each demand, or why there is none.
//!
//! `../conformance` has the demands (`inventory`) and what is said of those without a test (`rfcNUMBER.toml`). A test
//! claims what it shows in the lines above it, `// conforms: RFC3261-8.1.1.7-2 RFC3261-9.1-1,2`; a torture message in the
//! key `conforms` of its row.
#![forbid(unsafe_code)]

#[path = "conformance/claims.rs"]
mod claims;
#[path = "conformance/extraction.rs"]
mod extraction;
#[path = "conformance/inventory.rs"]
mod inventory;
#[path = "conformance/judgements.rs"]
mod judgements;
#[path = "conformance/ledger.rs"]
mod ledger;
#[path = "conformance/publish.rs"]
mod publish;

use ledger::Ledger;
use std::path::{Path, PathBuf};

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn every_demand_is_tested_not_ours_or_open_and_open_ones_only_fall() {
    let faults = Ledger::read(&root()).faults;
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// `UPDATE_CONFORMANCE=1 cargo test -p liaison-tests --test conformance` writes both anew, and lowers the numbers of open
/// demands that have become fewer.
#[test]
fn the_published_ledger_is_what_the_tests_say() {
    let ledger = Ledger::read(&root());
    let update = std::env::var_os("UPDATE_CONFORMANCE").is_some();
    for rfc in ledger.titles.keys().filter(|_| update) {
        judgements::lower(&root().join("tests/conformance"), *rfc, ledger.counts(Some(*rfc)).open);
    }
    let published = [
        ("docs/conformance.md", publish::page(&ledger)),
        ("admin-api/conformance.json", publish::json(&ledger)),
    ];
    for (file, made) in published {
        let path = root().join(file);
        if update {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let first = made.lines().zip(kept.lines()).find(|(made, kept)| made != kept);
        assert!(made == kept, "{file} is stale at {first:?}; UPDATE_CONFORMANCE=1 writes it, then review it");
    }
}
