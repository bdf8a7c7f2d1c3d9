//! The demands of the RFCs, as `extract.py` found them.

use std::collections::BTreeSet;
use std::path::Path;

/// One sentence with MUST, MUST NOT, SHALL, SHALL NOT or REQUIRED in it.
pub struct Demand {
    /// Such as `RFC3261-8.1.1.7-2`: RFC, section, and the place among the demands of that section.
    pub id: String,
    pub rfc: u16,
    pub section: String,
    pub text: String,
}

/// Every demand, by RFC and in the order of its text. A line that is none is a fault.
pub fn read(folder: &Path, faults: &mut Vec<String>) -> Vec<Demand> {
    let mut rfcs: Vec<u16> =
        std::fs::read_dir(folder).unwrap().map(|file| number(&file.unwrap().path())).collect();
    rfcs.sort_unstable();
    let (mut demands, mut ids) = (Vec::new(), BTreeSet::new());
    for rfc in rfcs {
        let text = std::fs::read_to_string(folder.join(format!("rfc{rfc}.tsv"))).unwrap();
        for line in text.lines() {
            match demand(rfc, line) {
                Some(demand) if ids.insert(demand.id.clone()) => demands.push(demand),
                Some(demand) => faults.push(format!("{} is twice in the inventory", demand.id)),
                None => faults.push(format!("inventory of RFC {rfc}: not a demand: {line}")),
            }
        }
    }
    demands
}

fn demand(rfc: u16, line: &str) -> Option<Demand> {
    let mut columns = line.split('\t');
    let (id, section, text) = (columns.next()?, columns.next()?, columns.next()?);
    let place = id.strip_prefix(&format!("RFC{rfc}-{section}-"))?;
    let whole = columns.next().is_none() && place.parse::<u16>().is_ok();
    let demands = ["MUST", "SHALL", "REQUIRED"].iter().any(|word| text.contains(word));
    (whole && demands).then(|| Demand {
        id: id.to_owned(),
        rfc,
        section: section.to_owned(),
        text: text.to_owned(),
    })
}

/// The RFC that a file `rfcNUMBER.EXTENSION` is about.
pub fn number(file: &Path) -> u16 {
    let stem = file.file_stem().unwrap().to_str().unwrap();
    stem.strip_prefix("rfc")
        .and_then(|n| n.parse().ok())
        .unwrap_or_else(|| panic!("{} names no RFC", file.display()))
}
