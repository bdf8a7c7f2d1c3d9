//! The history of a call on its way back to the caller (RFC 7044 §9.3, §9.4).

use std::cmp::Ordering;

use sip_types::header::{HistoryInfo, Supported};
use sip_types::{Fields, HeaderName, Headers, Host, Uri};

use super::{Entry, MOST, Tried, asks_for_privacy, so_far};
use crate::crossing::Crossing;

/// So many entries are told at most, however many legs have told of how many.
const MOST_TOLD: usize = 4 * MOST;

/// The header fields that tell the caller what its call has been through, in the place of those that the response has: what its own
/// request said, each leg with what came of it, and what the far sides have told. None where the caller knows nothing of histories.
#[must_use]
pub fn history_back(
    headers: &Headers,
    called: &Uri,
    tried: &[Tried<'_>],
    brought: &[HistoryInfo],
    crossing: &Crossing<'_>,
) -> Fields {
    let mut fields = Fields::new();
    let knows = |tags: Vec<Supported>| tags.iter().any(|tag| tag.is("histinfo"));
    if !headers.contains(HeaderName::HistoryInfo) && !headers.list().is_ok_and(knows) {
        return fields;
    }
    let (mut entries, _) = so_far(headers, called, tried);
    let is_elsewhere = tried.iter().any(|leg| leg.heard && !leg.same_network);
    merge(&mut entries, brought, is_elsewhere);
    let hides = !crossing.to_trusted;
    let all = hides && asks_for_privacy(headers);
    for entry in &entries {
        let text = if hides { entry.outside(all || entry.private) } else { entry.written(false) };
        fields.push(HeaderName::HistoryInfo, text);
    }
    fields
}

/// Puts what a response tells among the entries that are known, in the order of their indexes (RFC 7044 §9.3, step 3). What a leg in
/// another network tells is as private as the leg.
pub(super) fn merge(entries: &mut Vec<Entry>, brought: &[HistoryInfo], is_elsewhere: bool) {
    let skipped = brought.len().saturating_sub(MOST);
    for mut entry in brought.iter().skip(skipped).filter_map(Entry::received) {
        let is_known = entries.iter().any(|known| known.index == entry.index && is_same(known, &entry));
        if is_known || entries.len() >= MOST_TOLD {
            continue;
        }
        entry.private |= is_elsewhere;
        let later = |known: &Entry| compare(&known.index, &entry.index) == Ordering::Greater;
        let at = entries.iter().position(later).unwrap_or(entries.len());
        entries.insert(at, entry);
    }
}

/// Whether two entries with one index are one: they lead to one place, or one of them has been hidden.
fn is_same(known: &Entry, other: &Entry) -> bool {
    let hidden = |entry: &Entry| {
        let host = entry.uri.as_ref().and_then(Uri::host);
        host.is_some_and(
            |host| matches!(host, Host::Name(name) if name.eq_ignore_ascii_case("anonymous.invalid")),
        )
    };
    hidden(known) || hidden(other) || other.uri.as_ref().is_some_and(|uri| known.is_at(uri))
}

/// Which of two indexes comes first: 1.2, 1.2.1, 1.10 (RFC 7044 §10.3).
fn compare(one: &str, other: &str) -> Ordering {
    let numbers = |index: &str| index.split('.').map(|n| (n.len(), n.to_owned())).collect::<Vec<_>>();
    numbers(one).cmp(&numbers(other))
}
