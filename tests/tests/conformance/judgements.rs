//! What people say of demands that no test shows: `rfcNUMBER.toml`.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What is said of one RFC.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Judgements {
    /// The title of the RFC.
    pub title: String,
    /// How many demands are open. It may only fall.
    pub open: usize,
    /// Demands on a role that Liaison never plays, or on people.
    #[serde(default)]
    not_ours: Vec<Judgement>,
    /// Demands that are to be met or shown yet.
    #[serde(default, rename = "still")]
    still_open: Vec<Judgement>,
}

/// One reason, for whole sections (with those below) and for single demands (without `RFC3261-`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Judgement {
    why: String,
    #[serde(default)]
    sections: Vec<String>,
    #[serde(default)]
    rows: Vec<String>,
}

/// What is said of a demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    NotOurs(String),
    Open(String),
}

/// Where it is said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Section(String),
    Row(String),
}

/// The file of every RFC in that folder.
pub fn read(folder: &Path) -> BTreeMap<u16, Judgements> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let tables = files.filter(|file| file.extension().is_some_and(|extension| extension == "toml"));
    let parse = |file: std::path::PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        let judgements = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        (super::inventory::number(&file), judgements)
    };
    tables.map(parse).collect()
}

/// Writes another number of open demands into the file of an RFC, if it is lower.
pub fn lower(folder: &Path, rfc: u16, open: usize) {
    let file = folder.join(format!("rfc{rfc}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    let kept = |line: &str| line.strip_prefix("open = ").and_then(|number| number.parse::<usize>().ok());
    let lowered = text.lines().map(|line| match kept(line) {
        Some(kept) if open < kept => format!("open = {open}\n"),
        _ => format!("{line}\n"),
    });
    let lowered: String = lowered.collect();
    if lowered != text {
        std::fs::write(file, lowered).unwrap();
    }
}

impl Judgements {
    /// Every judgement by its place; one that is made twice is a fault.
    pub fn places(&self, rfc: u16, faults: &mut Vec<String>) -> BTreeMap<Place, Said> {
        let not_ours = self.not_ours.iter().map(|said| (said, Said::NotOurs(said.why.clone())));
        let open = self.still_open.iter().map(|said| (said, Said::Open(said.why.clone())));
        let mut places = BTreeMap::new();
        for (judgement, said) in not_ours.chain(open) {
            let sections = judgement.sections.iter().cloned().map(Place::Section);
            let rows = judgement.rows.iter().map(|row| Place::Row(format!("RFC{rfc}-{row}")));
            for place in sections.chain(rows) {
                if places.insert(place.clone(), said.clone()).is_some() {
                    faults.push(format!("rfc{rfc}.toml judges {place:?} twice"));
                }
            }
        }
        places
    }
}

/// The place that speaks of this demand: its own row, else the nearest section above it.
pub fn place(places: &BTreeMap<Place, Said>, id: &str, section: &str) -> Option<Place> {
    let own = Place::Row(id.to_owned());
    if places.contains_key(&own) {
        return Some(own);
    }
    let mut section = Some(section);
    while let Some(at) = section {
        let place = Place::Section(at.to_owned());
        if places.contains_key(&place) {
            return Some(place);
        }
        section = at.rsplit_once('.').map(|(above, _)| above);
    }
    None
}
