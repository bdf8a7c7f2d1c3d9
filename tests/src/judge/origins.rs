//! Descriptions of one session, one after another (RFC 3264 §8): the same origin, its version one higher with each change and not
//! otherwise, and the streams in their places.

use super::said::{DialogId, Said};
use super::{Faults, Rule, wrong};
use std::collections::{BTreeMap, BTreeSet};

/// The last description that each dialog was told; without a tag of the peer's, what every dialog of an INVITE was told.
#[derive(Default)]
pub(super) struct Origins {
    last: BTreeMap<DialogId, String>,
    /// What has been sent before, and may be again.
    said: BTreeSet<String>,
}

/// The `o=` line: all but the version, and the version.
fn origin(sdp: &str) -> Option<(Vec<&str>, u64)> {
    let mut words: Vec<&str> = sdp.lines().find_map(|line| line.strip_prefix("o="))?.split(' ').collect();
    let version = (words.len() == 6).then(|| words.remove(2))?;
    Some((words, version.parse().ok()?))
}

fn without_origin(sdp: &str) -> String {
    sdp.lines().filter(|line| !line.starts_with("o=")).collect::<Vec<_>>().join("\n")
}

/// The kinds of the streams.
fn streams(sdp: &str) -> Vec<&str> {
    sdp.lines().filter_map(|line| line.strip_prefix("m=")?.split(' ').next()).collect()
}

fn fault(before: &str, now: &str) -> Option<&'static str> {
    let (Some((whose, version)), Some((whose_now, version_now))) = (origin(before), origin(now)) else {
        return Some("a description without an origin (RFC 4566 §5.2)");
    };
    let (places, places_now) = (streams(before), streams(now));
    let is_same = without_origin(before) == without_origin(now);
    match () {
        () if whose != whose_now => Some("another origin in the same session (RFC 3264 §8)"),
        () if is_same && version_now != version => {
            Some("another version of the same description (RFC 3264 §8)")
        }
        () if !is_same && version_now != version + 1 => {
            Some("a version that does not go up by one (RFC 3264 §8)")
        }
        () if places_now.len() < places.len() => Some("fewer streams than before (RFC 3264 §8)"),
        () => None,
    }
}

impl Rule for Origins {
    fn sent(&mut self, said: &Said, faults: &mut Faults) {
        let Some(sdp) = said.sdp().filter(|_| self.said.insert(said.text.clone())) else { return };
        let (call_id, ours, _) = said.dialog.clone();
        let first = self.last.get(&(call_id, ours, String::new()));
        if let Some(before) = self.last.get(&said.dialog).or(first)
            && let Some(fault) = fault(before, sdp)
        {
            wrong(faults, fault, said);
        }
        self.last.insert(said.dialog.clone(), sdp.to_owned());
    }

    fn came(&mut self, _: &Said, _: &mut Faults) {}

    fn end(&mut self, _: &mut Faults) {}
}
