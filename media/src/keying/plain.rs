//! What a peer says, without what it says of its keys.

use bytes::Bytes;
use sdp::{Attribute, Description, Line, Media, Section};

use super::judge::{self, Verdict};
use super::secure::Own;
use super::{CryptoLine, Handshake, Keying, Profile, Security};
use crate::negotiate::{Refusal, is_secure};

/// What one section of a peer's description says of its protection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Keyed {
    /// Its transport protocol, where it is another one without keys.
    pub(crate) proto: Option<Box<str>>,
    pub(crate) said: Said,
}

/// Where its keys come from, of what we can go by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Said {
    /// There are none.
    #[default]
    Nothing,
    /// From these lines, in its order; in an answer the one that it has chosen.
    Sdes(Vec<CryptoLine>),
    /// From a handshake.
    Dtls(Handshake),
}

impl Keyed {
    /// Whether it says nothing new after that.
    pub(crate) fn repeats(&self, before: &Self) -> bool {
        self.proto == before.proto
            && match (&self.said, &before.said) {
                (Said::Dtls(now), Said::Dtls(before)) => now.repeats(before),
                (now, before) => now == before,
            }
    }

    /// Where its keys come from, if it has any.
    pub(crate) fn kind(&self) -> Option<Keying> {
        match self.said {
            Said::Nothing => None,
            Said::Sdes(_) => Some(Keying::Sdes),
            Said::Dtls(_) => Some(Keying::Dtls),
        }
    }

    /// Its keys come from a handshake, and the profile has feedback: so a browser says it.
    pub(crate) fn is_of_browser(&self) -> bool {
        let proto = self.proto.as_deref().map(Profile::of);
        matches!((proto, &self.said), (Some(Profile::Dtls { feedback: true }), Said::Dtls(_)))
    }
}

/// A description without its keys, and those.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) text: Bytes,
    pub(crate) keyed: Vec<Keyed>,
}

/// An offer of a peer. A section that does not go by what the leg wants has port 0.
///
/// # Errors
/// [`Refusal::Protection`] or [`Refusal::Fingerprint`] where nothing is left for this.
pub(crate) fn offered(
    text: &Bytes,
    description: &Description,
    security: &Security,
) -> Result<Plain, Refusal> {
    let judge = |section, media: &Media<'_>| Ok(judge::offer(section, media, security));
    rewrite(text, description, judge, security.ends())
}

/// An answer of a peer to our offer, in which these were the keys of each section.
///
/// # Errors
/// [`Refusal::Keys`] or [`Refusal::Fingerprint`] where it has not answered them as it must (RFC 4568 §7.1.3, RFC 5763 §5, RFC 8643 §3.3).
pub(crate) fn answered(
    text: &Bytes,
    description: &Description,
    security: &Security,
    (offer, ours): (&Description, &[Own]),
) -> Result<Plain, Refusal> {
    if !security.ends() {
        must_have_been_asked(description, offer)?;
    }
    let mut offers = offer.media();
    let none = Own::default();
    let judge = |section: usize, media: &Media<'_>| {
        let offer = offers.next();
        let proto = offer.as_ref().map(|offer| offer.line().proto);
        judge::answer(section, media, proto, ours.get(section).unwrap_or(&none))
    };
    rewrite(text, description, judge, security.ends())
}

/// Where keys are the peers' own affair, an answer has none where the offer had none.
fn must_have_been_asked(answer: &Description, offer: &Description) -> Result<(), Refusal> {
    for (section, (answer, offer)) in answer.media().zip(offer.media()).enumerate() {
        let plain = matches!(Profile::of(offer.line().proto), Profile::Plain { .. });
        let asked = !plain || offer.section().lines().any(|line| is_keying(&line));
        let asked = asked || offer.session().lines().any(|line| is_keying(&line));
        if answer.line().port != 0 && is_secure(answer.line().proto) && !asked {
            return Err(Refusal::Keys { section });
        }
    }
    Ok(())
}

/// A description of ours without the keys of these sections.
pub(crate) fn without_keys(text: &Bytes, is_keyed: impl Fn(usize) -> bool) -> Description {
    let description = Description::reread(text.clone());
    let edit = |(section, media): (usize, Media<'_>)| match is_keyed(section) {
        true => Edit { keys: Keys::Leave, port: None, proto: Profile::of(media.line().proto).plain() },
        false => Edit::default(),
    };
    let edits: Vec<_> = description.media().enumerate().map(edit).collect();
    Description::reread(write(&description, &edits, false).into())
}

fn rewrite(
    text: &Bytes,
    description: &Description,
    mut judge: impl FnMut(usize, &Media<'_>) -> Result<Verdict, Refusal>,
    ends: bool,
) -> Result<Plain, Refusal> {
    if !ends {
        return Ok(Plain { text: text.clone(), keyed: Vec::new() });
    }
    let (mut edits, mut keyed, mut taken, mut refused) = (Vec::new(), Vec::new(), false, None);
    for (section, media) in description.media().enumerate() {
        let proto = media.line().proto;
        let plain = Profile::of(proto).plain();
        let without = |port| {
            let keyed = Keyed { proto: plain.map(|_| proto.into()), ..Keyed::default() };
            (keyed, Edit { port, proto: plain, keys: Keys::Leave })
        };
        // Where nothing flows there are no keys either.
        let (of, edit) = if media.line().port == 0 {
            without(None)
        } else {
            match judge(section, &media)? {
                Verdict::Kept => {
                    taken = true;
                    (Keyed::default(), Edit::default())
                }
                Verdict::Plain(of, proto) => {
                    taken = true;
                    (of, Edit { port: None, proto, keys: Keys::Leave })
                }
                Verdict::Refused(refusal) => {
                    refused.get_or_insert(refusal);
                    without(Some(0))
                }
            }
        };
        keyed.push(of);
        edits.push(edit);
    }
    if let Some(refusal) = refused.filter(|_| !taken) {
        return Err(refusal);
    }
    // Kept as long as the call: in memory of its own size, and without the keys that were in the text.
    let plain = write(description, &edits, true);
    let text = if plain == *text { text.clone() } else { Bytes::copy_from_slice(&plain) };
    Ok(Plain { text, keyed })
}

/// What a section becomes.
#[derive(Default)]
struct Edit {
    port: Option<u16>,
    proto: Option<&'static str>,
    keys: Keys,
}

/// What becomes of what a section says of its keys.
#[derive(Default, PartialEq, Eq)]
enum Keys {
    /// It stays.
    #[default]
    Stay,
    /// It goes.
    Leave,
}

/// Writes a description with its sections changed. Where keys end with us (`ends`), what the session says of them goes to the sections
/// that keep theirs.
fn write(description: &Description, edits: &[Edit], ends: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    let session = description.session();
    for line in session.lines().filter(|line| !(ends && is_keying(line))) {
        out.extend_from_slice(line.bytes());
    }
    for (media, edit) in description.media().zip(edits) {
        let mut lines = media.section().lines();
        let first = lines.next();
        if edit.port.is_some() || edit.proto.is_some() {
            let line = media.line();
            let count = line.port_count.map(|count| format!("/{count}")).unwrap_or_default();
            let (port, proto) = (edit.port.unwrap_or(line.port), edit.proto.unwrap_or(line.proto));
            let text =
                format!("m={} {port}{count} {proto} {}{}", line.media, line.formats, description.line_end());
            out.extend_from_slice(text.as_bytes());
        } else if let Some(line) = first {
            out.extend_from_slice(line.bytes());
        }
        for line in lines.filter(|line| edit.keys == Keys::Stay || !is_keying(line)) {
            out.extend_from_slice(line.bytes());
        }
        if ends && edit.keys == Keys::Stay && has_keys(media.line().proto) {
            if !out.ends_with(b"\n") {
                out.extend_from_slice(description.line_end().as_bytes());
            }
            inherit(&mut out, session, media.section());
        }
    }
    out
}

/// Writes what the session says of keys and the section does not.
fn inherit(out: &mut Vec<u8>, session: Section<'_>, section: Section<'_>) {
    for line in session.lines().filter(is_keying) {
        let name = Attribute::parse(line.value()).map(|attribute| attribute.name);
        if name.is_some_and(|name| line.kind() == b'a' && section.attribute(name).is_none()) {
            out.extend_from_slice(line.bytes());
        }
    }
}

/// Whether what travels by a protocol has keys of some kind.
fn has_keys(proto: &str) -> bool {
    is_secure(proto)
        || proto.split('/').any(|part| part.eq_ignore_ascii_case("TLS") || part.eq_ignore_ascii_case("DTLS"))
}

/// Whether an attribute is about keys, of whatever kind: where they end with us, none crosses.
fn is_keying(line: &Line<'_>) -> bool {
    let attribute = Some(line.value()).filter(|_| line.kind() == b'a').and_then(Attribute::parse);
    let names = ["crypto", "fingerprint", "setup", "tls-id", "key-mgmt", "zrtp-hash"];
    line.kind() == b'k' || attribute.is_some_and(|attribute| names.contains(&attribute.name))
}
