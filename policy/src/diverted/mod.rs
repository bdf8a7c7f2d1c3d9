//! What a call has been through before it is called on: History-Info (RFC 7044) and Diversion (RFC 5806), turned into one
//! another (RFC 7544), with what we do ourselves added.

mod back;
mod diversions;
mod reason;

use config::Diversions;
use sip_types::header::{Diversion, HistoryInfo, Privacy, PrivacyKind, TargetParam, without_headers};
use sip_types::{Fields, HeaderName, Headers, Scheme, StatusCode, Uri};

pub use back::history_back;

use crate::crossing::Crossing;
use diversions::diversions;
use reason::{cause_of, cause_of_status, reason_header};

/// So many entries of what came are told on, the most recent ones: far more than any network diverts a call (most stop at five),
/// and few enough that entries, whose indexes grow with their number (RFC 7544 §5), stay small, whatever one message claims.
const MOST: usize = 20;

/// A longer index is none: even a call that every one of 70 hops (RFC 3261 §8.1.1.6) has retargeted has a shorter one, and each
/// branch of ours repeats it.
const LONGEST_INDEX: usize = 255;

/// Who diverted where only the number of diversions is known (RFC 7544 §5, note 4).
const UNKNOWN: &str = "sip:unknown@unknown.invalid";

/// An entry of a call's history, as both header fields can tell it.
#[derive(Clone, Debug)]
struct Entry {
    /// Where the call was to go, if that is known.
    uri: Option<Uri>,
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
    /// Whether it is told of although it has not ended: its response is what is being passed on.
    pub heard: bool,
    /// What its final response has told of what the call has been through.
    pub brought: &'t [HistoryInfo],
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
                let text = match hides {
                    true => entry.outside(all || entry.private),
                    false => entry.written(false),
                };
                fields.push(HeaderName::HistoryInfo, text);
            }
        }
        Diversions::Diversion => {
            let history = headers.list::<HistoryInfo>().unwrap_or_default();
            let hides = !crossing.to_trusted;
            let all = hides && asks_for_privacy(headers);
            let diverted = diversions(headers, &history, tried, target, all);
            for one in &diverted {
                fields.push(HeaderName::Diversion, one.written(hides));
            }
            // What tells of more than diversions is not lost (RFC 7544 §3.5).
            if !is_of_diversions(&history) {
                if hides {
                    let entries = history.iter().rev().take(MOST).rev().filter_map(Entry::received);
                    for entry in entries {
                        fields.push(HeaderName::HistoryInfo, entry.outside(all || entry.private));
                    }
                } else {
                    let kept = headers.all(HeaderName::HistoryInfo);
                    kept.for_each(|field| fields.push_field(field.to_owned()));
                }
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
    let hiding = [PrivacyKind::Header, PrivacyKind::History];
    Privacy::of(headers).is_some_and(|privacy| hiding.into_iter().any(|kind| privacy.asks_for(kind)))
}

/// What is left of a message's Privacy where its history has been hidden (RFC 7044 §10.1.2). `None` where nothing changes.
#[must_use]
pub fn privacy_left(headers: &Headers, crossing: &Crossing<'_>) -> Option<Option<Privacy>> {
    if crossing.to_trusted || crossing.to_profile.diversion == Diversions::Carry {
        return None;
    }
    let asked = Privacy::of(headers).filter(|privacy| privacy.asks_for(PrivacyKind::History))?;
    Some(asked.without(PrivacyKind::History))
}

/// A diversion that becomes an entry.
struct Step {
    uri: Uri,
    /// Why the call was diverted to it.
    cause: Option<u16>,
    private: bool,
    /// How many diversions before it are only counted.
    unnamed: usize,
}

/// What came: the entries, and what Diversion tells besides (RFC 7544 §5), with the cause of the last diversion.
fn received(headers: &Headers) -> (Vec<Entry>, Option<u16>) {
    let history = headers.list::<HistoryInfo>().unwrap_or_default();
    let mut entries: Vec<Entry> = history.iter().rev().filter_map(Entry::received).take(MOST).collect();
    entries.reverse();
    let diverted = headers.list::<Diversion>().unwrap_or_default();
    let (mut steps, mut cause) = (Vec::<Step>::new(), None);
    // The oldest stands last there, and first here. What both tell is told once.
    for diversion in diverted.iter().take(MOST).rev() {
        let uri = without_headers(diversion.uri());
        let is_told = entries.iter().any(|entry| entry.is_at(&uri))
            || steps.iter().any(|step| same_place(&step.uri, &uri));
        if !is_told {
            let unnamed = usize::from(diversion.counter().saturating_sub(1));
            steps.push(Step { uri: written_as_sip(&uri), cause, private: diversion.is_private(), unnamed });
        }
        cause = Some(cause_of(diversion.reason().as_deref().unwrap_or_default()));
    }
    // Who is named comes before who is only counted, and the recent before the old.
    entries.drain(..(entries.len() + steps.len()).saturating_sub(MOST));
    let mut room = MOST.saturating_sub(entries.len() + steps.len());
    for step in steps.iter_mut().rev() {
        step.unnamed = step.unnamed.min(room);
        room -= step.unnamed;
    }
    for Step { uri, mut cause, private, unnamed } in steps {
        for _ in 0..unnamed {
            entries.push(Entry::below(entries.last(), None, cause));
            cause = Some(404);
        }
        let mut entry = Entry::below(entries.last(), Some(uri), cause);
        entry.private = private;
        entry.headers = if private { "Privacy=history".to_owned() } else { String::new() };
        entries.push(entry);
    }
    (entries, cause)
}

/// The whole history of a request that is about to be sent, in the order of its indexes (RFC 7044 §9.2).
fn entries(headers: &Headers, called: &Uri, tried: &[Tried<'_>], target: Target<'_>) -> Vec<Entry> {
    let (mut entries, parent) = so_far(headers, called, tried);
    let nth = u16::try_from(tried.len()).unwrap_or(u16::MAX).saturating_add(1);
    entries.push(branch(&parent, nth, target.request_uri, target.redirected));
    entries
}

/// What came, and what came of the legs so far; and the entry that legs are the branches of.
fn so_far(headers: &Headers, called: &Uri, tried: &[Tried<'_>]) -> (Vec<Entry>, Entry) {
    let (mut entries, cause) = received(headers);
    let is_last = entries.last().is_some_and(|last| last.is_at(called));
    if !is_last {
        // On behalf of whoever sent it without (§9.1); 0 says that something may be missing (§10.3).
        let mut entry = Entry::below(entries.last(), Some(written_as_sip(called)), cause);
        if cause.is_none() {
            if let Some(last) = entries.last() {
                entry.index = format!("{}.0.1", last.index);
            }
            entry.param = None;
        }
        entries.push(entry);
    }
    let parent =
        entries.last().cloned().unwrap_or_else(|| Entry::below(None, Some(written_as_sip(called)), None));
    for (nth, leg) in (1..).zip(tried) {
        // What has had no answer is in no other branch's history (§9.3).
        if leg.status.is_none() && !leg.heard {
            continue;
        }
        let uri: Option<Uri> = leg.target.parse().ok();
        let Some(uri) = uri else { continue };
        let mut entry = branch(&parent, nth, &uri, leg.redirected);
        let failed = leg.status.filter(|status| status.class() >= 3);
        entry.headers = failed.map(|status| reason_header(status, leg.reason)).unwrap_or_default();
        entry.private = !leg.same_network;
        entries.push(entry);
        back::merge(&mut entries, leg.brought, !leg.same_network);
    }
    (entries, parent)
}

/// The entry of a branch of ours (RFC 7044 §10.3, §10.4).
fn branch(parent: &Entry, nth: u16, uri: &Uri, redirected: Option<Redirected>) -> Entry {
    let param = match redirected {
        Some(Redirected { from, param, .. }) => {
            param.map(|kind| (kind, format!("{}.{}", parent.index, u16::from(from) + 1)))
        }
        None if parent.is_at(uri) => Some((TargetParam::Np, parent.index.clone())),
        None => Some((TargetParam::Rc, parent.index.clone())),
    };
    Entry {
        uri: Some(written_as_sip(uri)),
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
        let index = entry.index().filter(|index| index.len() <= LONGEST_INDEX)?;
        let headers = entry.uri().as_str().split_once('?').map(|(_, headers)| headers.to_owned());
        Some(Self {
            uri: Some(without_headers(entry.uri())),
            index: index.to_owned(),
            param: entry.target_param().map(|(kind, index)| (kind, index.to_owned())),
            cause: None,
            headers: headers.unwrap_or_default(),
            private: entry.is_private(),
            text: Some(entry.to_string()),
        })
    }

    /// One that the call was diverted to from the one before, if there is any.
    fn below(before: Option<&Self>, uri: Option<Uri>, cause: Option<u16>) -> Self {
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

    /// Whether it leads to that place.
    fn is_at(&self, place: &Uri) -> bool {
        self.uri.as_ref().is_some_and(|uri| same_place(uri, place))
    }

    /// As it is told outside of what we trust: without a Privacy of its own, which has been heeded by then (RFC 7044 §10.1.2).
    fn outside(&self, unknown: bool) -> String {
        let asks = self.headers.split('&').any(is_privacy);
        match &self.text {
            Some(text) if !unknown && asks => without_privacy(text),
            _ => self.written(unknown),
        }
    }

    /// As the header field has it; `unknown` where its URI is to stay so (RFC 7044 §10.1.2).
    fn written(&self, unknown: bool) -> String {
        if let (Some(text), false) = (&self.text, unknown) {
            return text.clone();
        }
        let uri = self.uri.as_ref().map_or(UNKNOWN, Uri::as_str);
        let mut out = match (unknown, self.cause) {
            (true, _) => "<sip:anonymous@anonymous.invalid".to_owned(),
            (false, Some(cause)) => format!("<{uri};cause={cause}"),
            (false, None) => format!("<{uri}"),
        };
        let kept =
            self.headers.split('&').filter(|header| !(header.is_empty() || (unknown && is_privacy(header))));
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

/// Whether a header field in a URI is a Privacy.
fn is_privacy(header: &str) -> bool {
    header.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("Privacy"))
}

/// An entry whose URI has no Privacy any more; all else as it came.
fn without_privacy(text: &str) -> String {
    let Some((before, rest)) = text.split_once('?') else { return text.to_owned() };
    let (headers, after) = rest.split_at(rest.find('>').unwrap_or(rest.len()));
    let kept: Vec<&str> = headers.split('&').filter(|header| !is_privacy(header)).collect();
    match kept.is_empty() {
        true => format!("{before}{after}"),
        false => format!("{before}?{}{after}", kept.join("&")),
    }
}

/// A URI that can have parameters: a number becomes one of nobody's domain (RFC 7544 §5, note 3).
fn written_as_sip(uri: &Uri) -> Uri {
    match (uri.scheme(), uri.number()) {
        (Scheme::Tel, Some(number)) => {
            format!("sip:{number}@unknown.invalid;user=phone").parse().unwrap_or_else(|_| uri.clone())
        }
        _ => without_headers(uri).without_param("cause"),
    }
}

/// Whether two URIs lead to one place, their parameters aside.
fn same_place(one: &Uri, other: &Uri) -> bool {
    let host = |uri: &Uri| uri.host().map(|host| host.to_string().to_ascii_lowercase());
    match other.scheme() {
        Scheme::Tel => one.number().is_some() && one.number() == other.number(),
        _ => {
            one.port() == other.port()
                && one.user_decoded() == other.user_decoded()
                && host(one) == host(other)
        }
    }
}

#[cfg(test)]
mod tests;
