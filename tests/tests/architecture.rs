//! The house as ARCHITECTURE.md draws it: which crate may depend on which, and that each is on the map.
#![forbid(unsafe_code)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every arrow between crates of the workspace. One that is not here is a wall broken through.
const ARROWS: &[(&str, &[&str])] = &[
    ("sip-types", &[]),
    ("sdp", &[]),
    ("config", &["sip-types"]),
    ("sip", &["sip-types"]),
    ("media", &["sdp"]),
    ("policy", &["config", "sdp", "sip-types"]),
    ("admin-api", &[]),
    ("b2bua", &["admin-api", "config", "media", "policy", "sip", "sip-types"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let of = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        let own = all.filter(|d| d["path"].is_string() && d["kind"].is_null());
        own.map(|d| d["name"].as_str().unwrap().to_owned()).collect()
    };
    packages.iter().map(|p| (p["name"].as_str().unwrap().to_owned(), of(p))).collect()
}

#[test]
fn crates_depend_only_as_drawn() {
    let found = dependencies();
    for (name, allowed) in ARROWS {
        let allowed: BTreeSet<String> = allowed.iter().map(|a| (*a).to_owned()).collect();
        let extra: Vec<_> = found[*name].difference(&allowed).collect();
        assert!(extra.is_empty(), "{name} depends on {extra:?}");
    }
    let known: BTreeSet<&str> =
        ARROWS.iter().map(|(name, _)| *name).chain(["liaison-tests", "liaison-benches"]).collect();
    let strangers: Vec<_> = found.keys().filter(|name| !known.contains(name.as_str())).collect();
    assert!(strangers.is_empty(), "{strangers:?} are not on the map");
}

#[test]
fn every_crate_is_on_the_map() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (name, _) in ARROWS {
        assert!(map.contains(&format!("`{name}`")), "ARCHITECTURE.md does not speak of {name}");
    }
}
