//! What a call has been through before it is called on: History-Info (RFC 7044) and Diversion (RFC 5806), turned into one
//! another (RFC 7544), with what we do ourselves added.

use config::Diversions;
use sip_types::header::{Diversion, HistoryInfo, TargetParam, without_headers};
use sip_types::{Fields, HeaderName, Headers, Scheme, StatusCode, Uri};

use crate::crossing::Crossing;

/// An entry of a call's history, as both header fields can tell it.
#[derive(Clone, Debug)]
struct Entry {
    /// Where the call was to go.
    uri: String,
    index: String,
    param: Option<(TargetParam, String)>,
    /// Why the call was diverted to it (RFC 4458), if it was.
    cause: Option<u16>,
    /// The header fields in its URI, as they are written there.
    headers: String,
    private: bool,
    /// As it came: it is written so unless it has to stay unknown.
    text: Option<String>,
}

/// One leg of ours, before the one that is about to be dialled.
#[derive(Clone, Debug)]
pub struct Tried<'t> {
    /// Its Request-URI.
    pub target: &'t str,
    /// What came of it; `None` while nothing has.
    pub status: Option<StatusCode>,
    /// The Reason of that.
    pub reason: Option<&'t str>,
    /// Which of the legs a redirection that led to it was the answer of, and its status.
    pub redirected: Option<Redirected>,
    /// Whether it is in the network of the leg that is about to be dialled.
    pub same_network: bool,
}

/// A redirection that was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirected {
    /// The leg that was redirected, counted from 0.
    pub from: u8,
    /// With what status.
    pub status: StatusCode,
    /// What its Contact says of how the new target was found: who redirects is the only one to know (RFC 7044 §10.4).
    pub param: Option<TargetParam>,
}

/// What is to be called.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// Its Request-URI.
    pub request_uri: &'t Uri,
    /// The redirection that leads to it, if one does.
    pub redirected: Option<Redirected>,
}

/// The header fields that tell a leg of the call's history, in the place of those that came: as the leg's profile says.
/// `None` where they cross as they are.
#[must_use]
pub fn history(
    headers: &Headers,
    called: &Uri,
    tried: &[Tried<'_>],
    target: Target<'_>,
    crossing: &Crossing<'_>,
) -> Option<Fields> {
    let mut fields = Fields::new();
    match crossing.to_profile.diversion {
        Diversions::Carry => return None,
        Diversions::HistoryInfo => {
            let entries = entries(headers, called, tried, target);
            let hides = !crossing.to_trusted;
            let all = hides && asks_for_privacy(headers);
            for entry in &entries {
                fields.push(HeaderName::HistoryInfo, entry.written(hides && (all || entry.private)));
            }
        }
        Diversions::Diversion => {
            let diverted = diversions(headers, tried, target);
            for one in &diverted {
                fields.push(HeaderName::Diversion, one.written(!crossing.to_trusted));
            }
            // What tells of more than diversions is not lost (RFC 7544 §3.5).
            let history = headers.list::<HistoryInfo>().unwrap_or_default();
            if !is_of_diversions(&history) {
                let kept = headers.all(HeaderName::HistoryInfo);
                kept.for_each(|field| fields.push_field(field.to_owned()));
            }
        }
    }
    Some(fields)
}

/// Whether a history tells of nothing but diversions: each entry is one that the call was diverted to, or from.
fn is_of_diversions(history: &[HistoryInfo]) -> bool {
    history.iter().enumerate().all(|(at, entry)| {
        entry.cause().is_some() || history.get(at + 1).is_some_and(|next| next.cause().is_some())
    })
}

fn asks_for_privacy(headers: &Headers) -> bool {
    let values = headers.all(HeaderName::Privacy).filter_map(|field| field.text().ok());
    let mut asked = values.flat_map(|value| value.split([';', ','])).map(str::trim_ascii);
    asked.any(|what| ["header", "history"].iter().any(|known| what.eq_ignore_ascii_case(known)))
}

/// The whole history of a request that is about to be sent, in the order of its indexes (RFC 7044 §9.2).
fn entries(headers: &Headers, called: &Uri, tried: &[Tried<'_>], target: Target<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> =
        headers.list::<HistoryInfo>().unwrap_or_default().iter().filter_map(Entry::received).collect();
    let diverted = headers.list::<Diversion>().unwrap_or_default();
    let mut cause = None;
    // The oldest stands last there, and first here (RFC 7544 §5). What both tell is told once.
    for diversion in diverted.iter().rev() {
        let uri = without_headers(diversion.uri());
        if !entries.iter().any(|entry| same_place(&entry.uri, &uri)) {
            for _ in 1..diversion.counter() {
                let unknown = "sip:unknown@unknown.invalid".to_owned();
                entries.push(Entry::below(entries.last(), unknown, cause));
                cause = Some(404);
            }
            let mut entry = Entry::below(entries.last(), written_as_sip(&uri), cause);
            entry.private = diversion.is_private();
            entry.headers = if entry.private { "Privacy=history".to_owned() } else { String::new() };
            entries.push(entry);
        }
        cause = Some(cause_of(diversion.reason().as_deref().unwrap_or_default()));
    }
    let is_last = entries.last().is_some_and(|last| same_place(&last.uri, called));
    if !is_last {
        // On behalf of whoever sent it without (§9.1); 0 says that something may be missing (§10.3).
        let mut entry = Entry::below(entries.last(), written_as_sip(called), cause);
        if cause.is_none() {
            if let Some(last) = entries.last() {
                entry.index = format!("{}.0.1", last.index);
            }
            entry.param = None;
        }
        entries.push(entry);
    }
    let Some(parent) = entries.last().cloned() else { return entries };
    for (nth, leg) in (1..).zip(tried) {
        // What has had no answer is in no other branch's history (§9.3).
        let Some(status) = leg.status else { continue };
        let uri: Option<Uri> = leg.target.parse().ok();
        let Some(uri) = uri else { continue };
        let mut entry = branch(&parent, nth, &uri, leg.redirected);
        entry.headers = reason_header(status, leg.reason);
        entry.private = !leg.same_network;
        entries.push(entry);
    }
    let nth = u16::try_from(tried.len()).unwrap_or(u16::MAX).saturating_add(1);
    entries.push(branch(&parent, nth, target.request_uri, target.redirected));
    entries
}

/// The entry of a branch of ours (RFC 7044 §10.3, §10.4).
fn branch(parent: &Entry, nth: u16, uri: &Uri, redirected: Option<Redirected>) -> Entry {
    let param = match redirected {
        Some(Redirected { from, param, .. }) => {
            param.map(|kind| (kind, format!("{}.{}", parent.index, u16::from(from) + 1)))
        }
        None if same_place(&parent.uri, uri) => Some((TargetParam::Np, parent.index.clone())),
        None => Some((TargetParam::Rc, parent.index.clone())),
    };
    Entry {
        uri: written_as_sip(uri),
        index: format!("{}.{nth}", parent.index),
        param,
        cause: redirected.map(|redirected| cause_of_status(redirected.status)),
        headers: String::new(),
        private: false,
        text: None,
    }
}

impl Entry {
    fn received(entry: &HistoryInfo) -> Option<Self> {
        let headers = entry.uri().as_str().split_once('?').map(|(_, headers)| headers.to_owned());
        Some(Self {
            uri: without_headers(entry.uri()).to_string(),
            index: entry.index()?.to_owned(),
            param: entry.target_param().map(|(kind, index)| (kind, index.to_owned())),
            cause: None,
            headers: headers.unwrap_or_default(),
            private: entry.is_private(),
            text: Some(entry.to_string()),
        })
    }

    /// One that the call was diverted to from the one before, if there is any.
    fn below(before: Option<&Self>, uri: String, cause: Option<u16>) -> Self {
        Self {
            uri,
            index: before.map_or_else(|| "1".to_owned(), |before| format!("{}.1", before.index)),
            param: before.map(|before| (TargetParam::Mp, before.index.clone())),
            cause,
            headers: String::new(),
            private: false,
            text: None,
        }
    }

    /// As the header field has it; `unknown` where its URI is to stay so (RFC 7044 §10.1.2).
    fn written(&self, unknown: bool) -> String {
        if let (Some(text), false) = (&self.text, unknown) {
            return text.clone();
        }
        let mut out = match (unknown, self.cause) {
            (true, _) => "<sip:anonymous@anonymous.invalid".to_owned(),
            (false, Some(cause)) => format!("<{};cause={cause}", self.uri),
            (false, None) => format!("<{}", self.uri),
        };
        let kept = self.headers.split('&').filter(|header| {
            let privacy = header.get(..7).is_some_and(|name| name.eq_ignore_ascii_case("Privacy"));
            !(header.is_empty() || (unknown && privacy))
        });
        for (nth, header) in kept.enumerate() {
            out.push(if nth == 0 { '?' } else { '&' });
            out.push_str(header);
        }
        out.push_str(">;index=");
        out.push_str(&self.index);
        if let Some((kind, index)) = &self.param {
            out.push_str(&format!(";{}={index}", kind.name()));
        }
        out
    }
}

/// A diversion, the most recent first.
struct Diverted {
    uri: String,
    reason: &'static str,
    private: bool,
    /// As it came.
    text: Option<String>,
}

impl Diverted {
    fn written(&self, hides: bool) -> String {
        match (&self.text, hides && self.private) {
            (Some(text), false) => text.clone(),
            (_, unknown) => {
                let uri = if unknown { "sip:anonymous@anonymous.invalid" } else { &self.uri };
                let privacy = if self.private { "full" } else { "off" };
                format!("<{uri}>;reason={};counter=1;privacy={privacy}", self.reason)
            }
        }
    }
}

/// The diversions of a request that is about to be sent, the most recent first (RFC 5806 §5; RFC 7544 §6).
fn diversions(headers: &Headers, tried: &[Tried<'_>], target: Target<'_>) -> Vec<Diverted> {
    let received = headers.list::<Diversion>().unwrap_or_default();
    let mut all: Vec<Diverted> = received
        .iter()
        .map(|one| Diverted {
            uri: without_headers(one.uri()).to_string(),
            reason: reason_of(cause_of(one.reason().as_deref().unwrap_or_default())),
            private: one.is_private(),
            text: Some(one.to_string()),
        })
        .collect();
    let history = headers.list::<HistoryInfo>().unwrap_or_default();
    for (at, entry) in history.iter().enumerate() {
        let Some(cause) = entry.cause() else { continue };
        let named = entry.target_param().filter(|(kind, _)| *kind == TargetParam::Mp);
        let by_index = named.and_then(|(_, index)| history.iter().find(|other| other.index() == Some(index)));
        let Some(from) = by_index.or_else(|| history.get(at.checked_sub(1)?)) else { continue };
        let uri = without_headers(from.uri()).without_param("cause");
        if !all.iter().any(|known| same_place(&known.uri, &uri)) {
            let (uri, reason, private) = (uri.to_string(), reason_of(cause), from.is_private());
            all.insert(0, Diverted { uri, reason, private, text: None });
        }
    }
    if let Some(Redirected { from, status, .. }) = target.redirected
        && let Some(leg) = tried.get(usize::from(from))
    {
        let (uri, reason) = (leg.target.to_owned(), reason_of(cause_of_status(status)));
        all.insert(0, Diverted { uri, reason, private: !leg.same_network, text: None });
    }
    all
}

/// RFC 7544 §5.
fn cause_of(reason: &str) -> u16 {
    match reason {
        "unconditional" => 302,
        "user-busy" => 486,
        "no-answer" => 408,
        "deflection" => 480,
        "unavailable" => 503,
        _ => 404,
    }
}

/// RFC 7544 §6.
fn reason_of(cause: u16) -> &'static str {
    match cause {
        302 => "unconditional",
        486 => "user-busy",
        408 => "no-answer",
        480 | 487 => "deflection",
        503 => "unavailable",
        _ => "unknown",
    }
}

/// What a redirection is among the causes of RFC 4458: each is a diversion without a condition that we know of.
fn cause_of_status(status: StatusCode) -> u16 {
    if status.is_redirection() { 302 } else { 404 }
}

/// The Reason of what came of a target, escaped for its URI (RFC 7044 §10.2).
fn reason_header(status: StatusCode, reason: Option<&str>) -> String {
    let own = format!("SIP;cause={}", status.as_u16());
    let all = match reason.filter(|reason| !reason.trim_ascii_start().to_ascii_uppercase().starts_with("SIP"))
    {
        Some(reason) => format!("{own},{reason}"),
        None => own,
    };
    format!("Reason={}", escaped(&all))
}

/// Escapes what `hvalue` has no place for (RFC 3261 §25.1).
fn escaped(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/?:+$".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A URI that can have parameters: a number becomes one of nobody's domain (RFC 7544 §5, note 3).
fn written_as_sip(uri: &Uri) -> String {
    match (uri.scheme(), uri.number()) {
        (Scheme::Tel, Some(number)) => format!("sip:{number}@unknown.invalid;user=phone"),
        _ => without_headers(uri).without_param("cause").to_string(),
    }
}

/// Whether two URIs lead to one place, their parameters aside.
fn same_place(one: &str, other: &Uri) -> bool {
    let one: Option<Uri> = one.parse().ok();
    one.is_some_and(|one| {
        let host = |uri: &Uri| uri.host().map(|host| host.to_string().to_ascii_lowercase());
        match (one.scheme(), other.scheme()) {
            (_, Scheme::Tel) => one.number().is_some() && one.number() == other.number(),
            _ => {
                (one.user_decoded(), host(&one), one.port())
                    == (other.user_decoded(), host(other), other.port())
            }
        }
    })
}

#[cfg(test)]
mod tests;
