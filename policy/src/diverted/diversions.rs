//! Diversion (RFC 5806), as a leg is told of it.

use sip_types::Headers;
use sip_types::Uri;
use sip_types::header::{Diversion, HistoryInfo, TargetParam, without_headers};

use super::reason::{cause_of, cause_of_status, reason_of};
use super::{MOST, Redirected, Target, Tried, same_place};

/// A diversion, the most recent first.
pub(super) struct Diverted {
    uri: Uri,
    reason: &'static str,
    private: bool,
    /// As it came.
    text: Option<String>,
}

impl Diverted {
    pub(super) fn written(&self, hides: bool) -> String {
        match (&self.text, hides && self.private) {
            (Some(text), false) => text.clone(),
            (_, unknown) => {
                let uri = if unknown { "sip:anonymous@anonymous.invalid" } else { self.uri.as_str() };
                let privacy = if self.private { "full" } else { "off" };
                format!("<{uri}>;reason={};counter=1;privacy={privacy}", self.reason)
            }
        }
    }
}

/// The diversions of a request that is about to be sent, the most recent first (RFC 5806 §5; RFC 7544 §6): those that came as
/// such all stay (RFC 5806 §3.1), before them stand the most recent ones of the history; `private` where nobody is to know of those.
pub(super) fn diversions(
    headers: &Headers,
    history: &[HistoryInfo],
    tried: &[Tried<'_>],
    target: Target<'_>,
    private: bool,
) -> Vec<Diverted> {
    let received = headers.list::<Diversion>().unwrap_or_default();
    let received: Vec<Diverted> = received
        .iter()
        .map(|one| Diverted {
            uri: without_headers(one.uri()),
            reason: reason_of(cause_of(one.reason().as_deref().unwrap_or_default())),
            private: one.is_private(),
            text: Some(one.to_string()),
        })
        .collect();
    let mut all = Vec::<Diverted>::new();
    // Each is told of by two entries that follow one another.
    let recent = history.get(history.len().saturating_sub(MOST + 1)..).unwrap_or_default();
    for (at, entry) in recent.iter().enumerate() {
        let Some(cause) = entry.cause() else { continue };
        let named = entry.target_param().filter(|(kind, _)| *kind == TargetParam::Mp);
        let by_index = named.and_then(|(_, index)| recent.iter().find(|other| other.index() == Some(index)));
        let from = by_index.or_else(|| at.checked_sub(1).and_then(|before| recent.get(before)));
        let Some(from) = from else { continue };
        let uri = without_headers(from.uri()).without_param("cause");
        if !all.iter().chain(received.iter().take(MOST)).any(|known| same_place(&known.uri, &uri)) {
            let (reason, private) = (reason_of(cause), private || from.is_private());
            all.insert(0, Diverted { uri, reason, private, text: None });
        }
    }
    if let Some(Redirected { from, status, .. }) = target.redirected
        && let Some(leg) = tried.get(usize::from(from))
        && let Ok(uri) = leg.target.parse()
    {
        let reason = reason_of(cause_of_status(status));
        all.insert(0, Diverted { uri, reason, private: private || !leg.same_network, text: None });
    }
    all.extend(received);
    all
}
