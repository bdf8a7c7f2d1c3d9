//! Demands, claims and judgements brought together.

use super::claims::{self, Claims};
use super::inventory::{self, Demand};
use super::judgements::{self, Judgements, Place, Said};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How it stands with a demand.
pub enum Status {
    /// These tests show that it is met.
    Tested(Vec<String>),
    /// It is on somebody else, for this reason.
    NotOurs(String),
    /// It is to be met or shown; this is missing.
    Open(String),
}

/// All demands, each with its status, and what is wrong with the ledger.
pub struct Ledger {
    pub titles: BTreeMap<u16, String>,
    pub rows: Vec<(Demand, Status)>,
    pub faults: Vec<String>,
}

/// Demands by status.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub tested: usize,
    pub not_ours: usize,
    pub open: usize,
}

impl Ledger {
    /// The ledger of the workspace at `root`.
    pub fn read(root: &Path) -> Self {
        let mut faults = Vec::new();
        let folder = root.join("tests/conformance");
        let demands = inventory::read(&folder.join("inventory"), &mut faults);
        let claims = claims::read(root, &mut faults);
        Self::new(demands, &claims, &judgements::read(&folder), faults)
    }

    fn new(
        demands: Vec<Demand>,
        claims: &Claims,
        judgements: &BTreeMap<u16, Judgements>,
        mut faults: Vec<String>,
    ) -> Self {
        let known: BTreeSet<&str> = demands.iter().map(|demand| demand.id.as_str()).collect();
        for (id, tests) in claims.iter().filter(|(id, _)| !known.contains(id.as_str())) {
            faults.push(format!("{} claims {id}, which is no demand", tests.join(", ")));
        }
        let titles = judgements.iter().map(|(rfc, of)| (*rfc, of.title.clone())).collect();
        let said: BTreeMap<u16, BTreeMap<Place, Said>> =
            judgements.iter().map(|(rfc, of)| (*rfc, of.places(*rfc, &mut faults))).collect();
        let (nothing, mut used, mut rows) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        for demand in demands {
            let places = said.get(&demand.rfc).unwrap_or(&nothing);
            let place = judgements::place(places, &demand.id, &demand.section);
            used.extend(place.clone().map(|place| (demand.rfc, place)));
            let status = match (claims.get(&demand.id), place) {
                (Some(_), Some(Place::Row(id))) => {
                    faults.push(format!("{id} has a test: take it out of rfc{}.toml", demand.rfc));
                    continue;
                }
                (Some(tests), _) => Status::Tested(tests.clone()),
                (None, Some(place)) => match places[&place].clone() {
                    Said::NotOurs(why) => Status::NotOurs(why),
                    Said::Open(why) => Status::Open(why),
                },
                (None, None) => {
                    faults.push(format!("{} is unclassified: {}", demand.id, demand.text));
                    continue;
                }
            };
            rows.push((demand, status));
        }
        let places = said.iter().flat_map(|(rfc, places)| places.keys().map(|place| (*rfc, place.clone())));
        for (rfc, place) in places.filter(|place| !used.contains(place)) {
            faults.push(format!("rfc{rfc}.toml judges {place:?}, which is nothing"));
        }
        let mut ledger = Self { titles, rows, faults };
        for (rfc, of) in judgements {
            ledger.check_open(*rfc, of.open);
        }
        ledger
    }

    /// Open demands may only become fewer, and then the number kept follows.
    fn check_open(&mut self, rfc: u16, kept: usize) {
        let open = self.counts(Some(rfc)).open;
        if open > kept {
            self.faults
                .push(format!("RFC {rfc} has {open} open demands, more than the {kept} of rfc{rfc}.toml"));
        } else if open < kept {
            self.faults
                .push(format!("RFC {rfc} has {open} open demands: lower `open = {kept}` in rfc{rfc}.toml"));
        }
    }

    /// The demands of one RFC, or of all.
    pub fn counts(&self, rfc: Option<u16>) -> Counts {
        let mut counts = Counts::default();
        for (_, status) in self.rows.iter().filter(|(demand, _)| rfc.is_none_or(|rfc| demand.rfc == rfc)) {
            match status {
                Status::Tested(_) => counts.tested += 1,
                Status::NotOurs(_) => counts.not_ours += 1,
                Status::Open(_) => counts.open += 1,
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(judgements: &str, claims: &[&str]) -> Ledger {
        let demand = |section: &str, place: u8| Demand {
            id: format!("RFC1-{section}-{place}"),
            rfc: 1,
            section: section.to_owned(),
            text: "It MUST.".to_owned(),
        };
        let demands = vec![demand("1", 1), demand("1.1", 1), demand("1.10", 1), demand("2", 1)];
        let judgements = BTreeMap::from([(1, toml::from_str(judgements).unwrap())]);
        let claims = claims.iter().map(|id| ((*id).to_owned(), vec!["a.rs::t".to_owned()])).collect();
        Ledger::new(demands, &claims, &judgements, Vec::new())
    }

    #[test]
    fn a_row_comes_before_its_section_and_the_nearest_section_before_those_above() {
        let said = r#"
            title = "T"
            open = 1
            [[not-ours]]
            why = "far"
            sections = ["1"]
            [[still]]
            why = "near"
            sections = ["1.1"]
            [[not-ours]]
            why = "own"
            rows = ["1.10-1"]
        "#;
        let ledger = ledger(said, &["RFC1-2-1"]);
        let seen = ledger.rows.iter().map(|(_, status)| match status {
            Status::Tested(tests) => tests.join(" "),
            Status::NotOurs(why) | Status::Open(why) => why.clone(),
        });
        assert_eq!(seen.collect::<Vec<_>>(), ["far", "near", "own", "a.rs::t"]);
        assert!(ledger.faults.is_empty(), "{:?}", ledger.faults);
    }

    #[test]
    fn what_is_unclassified_stale_doubled_or_too_open_is_a_fault() {
        let open =
            |n| format!("title = \"T\"\nopen = {n}\n[[still]]\nwhy = \"w\"\nsections = [\"1\", \"2\"]");
        assert!(ledger(&open(4), &[]).faults.is_empty());
        let says = |said: &str, claims: &[&str]| ledger(said, claims).faults.join("\n");
        assert!(says(&open(3), &[]).contains("4 open demands, more than the 3"));
        assert!(says(&open(4), &["RFC1-2-1"]).contains("3 open demands: lower `open = 4`"));
        assert!(says(&open(4), &["RFC1-2-7"]).contains("claims RFC1-2-7, which is no demand"));
        assert!(says(&(open(4) + "\nrows = [\"9-1\"]"), &[]).contains("which is nothing"));
        assert!(says(&(open(4) + "\nrows = [\"2-1\"]"), &["RFC1-2-1"]).contains("RFC1-2-1 has a test"));
        assert!(says("title = \"T\"\nopen = 0", &[]).contains("RFC1-1.1-1 is unclassified: It MUST."));
        let twice = open(4) + "\n[[not-ours]]\nwhy = \"w\"\nsections = [\"1\"]";
        assert!(says(&twice, &[]).contains("judges Section(\"1\") twice"));
    }
}
