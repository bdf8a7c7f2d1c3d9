//! The ledger of conformance that this program was built with: what the RFCs demand and how Liaison stands to it.
//!
//! `conformance.json` beside the manifest is made from the tests; `docs/conformance.md` is the same to read.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

const TEXT: &str = include_str!("../conformance.json");

/// The whole ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// The demands, by RFC and in the order of its text.
    rows: Vec<Demand>,
    /// Each RFC, its demands counted.
    pub(crate) rfcs: Vec<RfcCounts>,
    /// All demands, counted.
    pub(crate) totals: Counts,
    /// The first 16 hexadecimal digits of the SHA-256 of the document.
    pub(crate) digest: String,
}

/// The form of `conformance.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    rfcs: Vec<Title>,
    rows: Vec<Demand>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Title {
    rfc: u16,
    title: String,
}

/// A sentence of an RFC with MUST, MUST NOT, SHALL, SHALL NOT or REQUIRED in it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Demand {
    /// RFC, section, and the place among the demands of that section.
    #[schema(examples("RFC3261-8.1.1.7-2"))]
    pub(crate) id: String,
    /// The number of the RFC.
    #[schema(examples(3261))]
    pub(crate) rfc: u16,
    /// The section of the RFC.
    #[schema(examples("8.1.1.7"))]
    pub(crate) section: String,
    /// The sentence.
    pub(crate) text: String,
    /// How Liaison stands to it.
    pub(crate) status: Status,
    /// The tests that show it, each as `file::name`; empty unless it is tested.
    pub(crate) tests: Vec<String>,
    /// Why it is not ours, or what is missing; null when it is tested.
    pub(crate) why: Option<String>,
}

/// How Liaison stands to a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Tests show that it is met.
    Tested,
    /// It is on a role that Liaison never plays, or on people.
    NotOurs,
    /// It is to be met yet, or to be shown by a test.
    Open,
}

/// Numbers of demands by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Counts {
    /// Shown by tests.
    pub(crate) tested: usize,
    /// On somebody else.
    pub(crate) not_ours: usize,
    /// Neither.
    pub(crate) open: usize,
}

/// One RFC of the ledger.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RfcCounts {
    /// Its number.
    #[schema(examples(3261))]
    rfc: u16,
    /// Its title.
    title: String,
    /// Its demands, counted.
    #[serde(flatten)]
    counts: Counts,
}

/// Read once, at the first request.
static LEDGER: LazyLock<Result<Ledger, serde_json::Error>> = LazyLock::new(Ledger::read);

/// The ledger of this program.
///
/// # Errors
/// None in practice: a test reads the document.
pub(crate) fn ledger() -> Result<&'static Ledger, &'static serde_json::Error> {
    LEDGER.as_ref()
}

impl Ledger {
    fn read() -> Result<Self, serde_json::Error> {
        let Document { rfcs, rows } = serde_json::from_str(TEXT)?;
        let counts = |rfc| Counts::of(rows.iter().filter(|row| row.rfc == rfc));
        let rfcs = rfcs
            .into_iter()
            .map(|Title { rfc, title }| RfcCounts { rfc, title, counts: counts(rfc) })
            .collect();
        let digest = Sha256::digest(TEXT).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { totals: Counts::of(rows.iter()), rfcs, rows, digest })
    }

    /// The demands after the one of that id, or all; nothing when no demand has it.
    pub(crate) fn after(&self, id: Option<&str>) -> Option<&[Demand]> {
        let Some(id) = id else { return Some(&self.rows) };
        let at = self.rows.iter().position(|row| row.id == id)?;
        self.rows.get(at.saturating_add(1)..)
    }

    /// Whether the ledger has this RFC.
    pub(crate) fn has(&self, rfc: u16) -> bool {
        self.rfcs.iter().any(|of| of.rfc == rfc)
    }
}

impl Counts {
    fn of<'a>(rows: impl Iterator<Item = &'a Demand>) -> Self {
        rows.fold(Self::default(), |mut counts, row| {
            let count = match row.status {
                Status::Tested => &mut counts.tested,
                Status::NotOurs => &mut counts.not_ours,
                Status::Open => &mut counts.open,
            };
            *count = count.saturating_add(1);
            counts
        })
    }
}
