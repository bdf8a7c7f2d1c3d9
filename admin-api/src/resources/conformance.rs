//! `/v1/conformance`.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{checked, json};
use crate::ledger::{Counts, Demand, RfcCounts, Status, ledger};
use crate::problem::{Kind, Problem};

/// Demands in a page when the client names no limit.
const DEFAULT_LIMIT: u16 = 50;
/// The highest limit that a client may name.
const MAX_LIMIT: u16 = 500;

/// The query of the ledger.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LedgerQuery {
    /// The `next_cursor` of the page before; the first page without it.
    #[param(example = "RFC3261-8.1.1.7-2")]
    cursor: Option<String>,
    /// Most demands in the page.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u16>,
    /// Only demands of this RFC.
    #[param(example = 3261)]
    rfc: Option<u16>,
    /// Only demands of this section and those below.
    #[param(example = "8.1")]
    section: Option<String>,
    /// Only demands with this status.
    #[param(inline)]
    status: Option<Status>,
}

/// One page of the ledger of conformance.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LedgerPage {
    /// The version of the program.
    #[schema(examples("0.1.0"))]
    version: &'static str,
    /// Names the ledger that the program was built with: digits of a SHA-256.
    #[schema(examples("9f27c04ab1d3e586"))]
    ledger: &'static str,
    /// All demands, counted, whatever was asked for.
    totals: Counts,
    /// Each RFC with its demands counted, whatever was asked for.
    rfcs: &'static [RfcCounts],
    /// The demands, by RFC and in the order of its text.
    #[schema(value_type = Vec<Demand>)]
    demands: Vec<&'static Demand>,
    /// The `cursor` of the next page; null after the last one.
    next_cursor: Option<&'static str>,
}

impl LedgerQuery {
    fn matches(&self, demand: &Demand) -> bool {
        let within = |section: &String| {
            demand
                .section
                .strip_prefix(section.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.rfc.is_none_or(|rfc| rfc == demand.rfc)
            && self.status.is_none_or(|status| status == demand.status)
            && self.section.as_ref().is_none_or(within)
    }
}

/// Show the ledger of conformance.
///
/// Each demand of the RFCs (MUST, MUST NOT, SHALL, SHALL NOT, REQUIRED) with the tests that show it, the reason why it is not
/// ours, or what is missing.
#[utoipa::path(
    get,
    operation_id = "list_conformance",
    path = "/v1/conformance",
    tag = "conformance",
    security(("token" = [])),
    params(LedgerQuery),
    responses(
        (status = 200, description = "One page of demands.", body = LedgerPage),
        (status = 400, description = "malformed-query, unknown-cursor, malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "overloaded, timeout"),
    )
)]
pub(crate) async fn list(query: Result<Query<LedgerQuery>, QueryRejection>) -> Result<Response, Problem> {
    let query = checked(query)?;
    let ledger = ledger().map_err(|error| Problem::new(Kind::Internal, error.to_string()))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::new(
            Kind::MalformedQuery,
            format!("limit is {limit}; expected 1 to {MAX_LIMIT}"),
        ));
    }
    if let Some(rfc) = query.rfc.filter(|rfc| !ledger.has(*rfc)) {
        return Err(Problem::new(Kind::MalformedQuery, format!("the ledger does not have RFC {rfc}")));
    }
    let Some(rows) = ledger.after(query.cursor.as_deref()) else {
        return Err(Problem::new(Kind::UnknownCursor, "no demand of the ledger has this id"));
    };
    let mut matching = rows.iter().filter(|demand| query.matches(demand));
    let demands: Vec<_> = matching.by_ref().take(usize::from(limit)).collect();
    let last = demands.last().map(|demand| demand.id.as_str());
    let page = LedgerPage {
        version: env!("CARGO_PKG_VERSION"),
        ledger: &ledger.digest,
        totals: ledger.totals,
        rfcs: &ledger.rfcs,
        next_cursor: last.filter(|_| matching.next().is_some()),
        demands,
    };
    json(StatusCode::OK, &page)
}
