//! Which test says that it shows which demand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How a line of claims begins.
const MARK: &str = "// conforms:";

/// The tests that claim each demand, as `file::name`, by the demand's id.
pub type Claims = BTreeMap<String, Vec<String>>;

/// Reads every Rust source of the workspace and the tables of torture messages.
pub fn read(root: &Path, faults: &mut Vec<String>) -> Claims {
    let mut claims = Claims::new();
    for file in sources(root) {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(root).unwrap().display().to_string();
        let before = claims.len();
        source(&name, &text, &mut claims, faults);
        if claims.len() > before && !compiled(&file) {
            faults.push(format!("{name} has claims and belongs to no crate"));
        }
    }
    for table in ["torture.toml", "torture_ipv6.toml"] {
        torture(&root.join("tests/data").join(table), &mut claims);
    }
    claims
}

/// Every Rust source, in order.
fn sources(root: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Takes the claims of one source. A claim counts only right above a test that runs.
pub fn source(name: &str, text: &str, claims: &mut Claims, faults: &mut Vec<String>) {
    let mut lines = text.lines().map(str::trim).enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(first) = line.strip_prefix(MARK) else { continue };
        let mut claimed = vec![first];
        let mut attributes = Vec::new();
        let test = loop {
            match lines.next() {
                Some((_, line)) if line.starts_with(MARK) => claimed.extend(line.strip_prefix(MARK)),
                Some((_, line)) if line.starts_with("#[") => attributes.push(line),
                Some((_, line)) if line.starts_with("//") => {}
                other => {
                    break other.and_then(|(_, line)| {
                        function(line).map(|name| (name, false)).or(flow(line).map(|name| (name, true)))
                    });
                }
            }
        };
        let runs = test.is_some_and(|(_, is_flow)| is_flow)
            || attributes.iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
                && !attributes.iter().any(|line| line.starts_with("#[ignore") || line.starts_with("#[cfg"));
        let Some((test, _)) = test.filter(|_| runs) else {
            faults.push(format!("{name}:{}: a claim without a test that runs", at + 1));
            continue;
        };
        for id in claimed.into_iter().flat_map(str::split_whitespace).flat_map(ids) {
            let tests = claims.entry(id.clone()).or_default();
            let test = format!("{name}::{test}");
            if tests.contains(&test) {
                faults.push(format!("{test} claims {id} twice"));
            }
            tests.push(test);
        }
    }
}

/// `RFC3261-9.1-1,2` is short for two ids.
fn ids(claim: &str) -> Vec<String> {
    match claim.rsplit_once('-') {
        Some((section, places)) => places.split(',').map(|place| format!("{section}-{place}")).collect(),
        None => vec![claim.to_owned()],
    }
}

/// The name of the function that begins on this line.
fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    let (name, _) = line.strip_prefix("fn ")?.split_once('(')?;
    Some(name)
}

/// The name of the call flow that the macro `flows!` makes tests of on this line: `name in world,`.
fn flow(line: &str) -> Option<&str> {
    let (name, world) = line.strip_suffix(',')?.split_once(" in ")?;
    let is_name = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (is_name(name) && is_name(world)).then_some(name)
}

/// Whether a module, crate or test target takes in this file.
fn compiled(file: &Path) -> bool {
    let (folder, stem) = (file.parent().unwrap(), file.file_stem().unwrap().to_str().unwrap());
    let target =
        ["src", "tests"].iter().any(|place| folder.ends_with(place)) && folder.join("../Cargo.toml").exists();
    if target && (folder.ends_with("tests") || matches!(stem, "lib" | "main")) {
        return true;
    }
    let (module, folder) = match stem {
        "mod" => (folder.file_name().unwrap().to_str().unwrap(), folder.parent().unwrap()),
        _ => (stem, folder),
    };
    let above = ["mod.rs", "lib.rs", "main.rs"].map(|name| folder.join(name));
    above.into_iter().chain([folder.with_extension("rs")]).any(|file| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.lines().any(|line| {
            line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ")
                == format!("mod {module};")
        })
    })
}

/// Takes the claims of a table of torture messages: each row is two tests.
fn torture(table: &Path, claims: &mut Claims) {
    let table: toml::Table = std::fs::read_to_string(table).unwrap().parse().unwrap();
    for row in table["case"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap().replace('-', "_");
        let claimed = row.get("conforms").and_then(toml::Value::as_array);
        for id in claimed.into_iter().flatten().flat_map(|claim| ids(claim.as_str().unwrap())) {
            claims.entry(id).or_default().push(format!("tests/tests/torture.rs::strict::{name}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Claims, Vec<String>) {
        let (mut claims, mut faults) = (Claims::new(), Vec::new());
        source("a.rs", text, &mut claims, &mut faults);
        (claims, faults)
    }

    #[test]
    fn a_test_claims_in_the_lines_above_it() {
        let text =
            "    // conforms: RFC1-2.3-4,5 RFC9-A-1\n    // conforms: RFC1-2-1\n    #[test]\n    fn t() {}\n";
        let (claims, faults) = of(text);
        let ids: Vec<_> = claims.keys().map(String::as_str).collect();
        assert_eq!(ids, ["RFC1-2-1", "RFC1-2.3-4", "RFC1-2.3-5", "RFC9-A-1"]);
        assert!(claims.values().all(|tests| tests == &["a.rs::t"]));
        assert!(faults.is_empty());
    }

    #[test]
    fn a_claim_without_a_test_that_runs_is_a_fault() {
        for text in [
            "// conforms: RFC1-2-3\nfn helper() {}",
            "// conforms: RFC1-2-3\n#[test]\n#[ignore]\nfn t() {}",
            "// conforms: RFC1-2-3\n#[cfg(windows)]\n#[test]\nfn t() {}",
            "// conforms: RFC1-2-3\n\n#[test]\nfn t() {}",
            "// conforms: RFC1-2-3",
        ] {
            let (claims, faults) = of(text);
            assert!(claims.is_empty(), "{text}");
            assert_eq!(faults, ["a.rs:1: a claim without a test that runs"], "{text}");
        }
    }

    #[test]
    fn a_claim_made_twice_is_a_fault() {
        let (_, faults) = of("// conforms: RFC1-2-3,3\n#[tokio::test]\nasync fn t() {}");
        assert_eq!(faults, ["a.rs::t claims RFC1-2-3 twice"]);
    }
}
